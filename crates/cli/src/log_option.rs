//! Logging of the commands that serve.

use std::io::{self, IsTerminal};

use clap::{Args, ValueEnum};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

#[derive(Args, Clone, Debug)]
pub(crate) struct LogOption {
    /// The level of the log on standard error: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value_t = LevelFilter::INFO)]
    log: LevelFilter,

    /// The format of a line of the log: text for people, or a JSON object
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// The log of a running command, whose level can be changed.
pub(crate) struct Log(reload::Handle<LevelFilter, Registry>);

impl LogOption {
    /// Starts logging.
    pub(crate) fn start(&self) -> Log {
        let (level, handle) = reload::Layer::new(self.log);
        let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
        let lines = match self.log_format {
            LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
            LogFormat::Json => lines.json().boxed(),
        };
        tracing_subscriber::registry().with(level).with(lines).init();
        Log(handle)
    }

    /// Whether the format of the lines is the same. It cannot change while a command runs.
    pub(crate) fn has_same_format(&self, other: &Self) -> bool {
        self.log_format == other.log_format
    }
}

impl Log {
    /// Changes the level to that of `option`.
    pub(crate) fn change(&self, option: &LogOption) {
        // An error means that the subscriber is gone.
        _ = self.0.reload(option.log);
    }
}
