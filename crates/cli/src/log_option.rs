//! What a command that serves logs.

use std::io::{self, IsTerminal};

use clap::Args;
use tracing_subscriber::filter::LevelFilter;

#[derive(Args, Clone, Debug)]
pub(crate) struct LogOption {
    /// What is logged on standard error: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value_t = LevelFilter::INFO)]
    log: LevelFilter,
}

impl LogOption {
    /// Logs from here on.
    pub(crate) fn start(&self) {
        tracing_subscriber::fmt()
            .with_max_level(self.log)
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .init();
    }
}
