use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar on standard error, if that is a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        let target =
            if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        match ProgressStyle::with_template("{msg:16} {wide_bar} {percent:>3}% {eta:>4}") {
            Ok(style) => Progress(bar.with_style(style)),
            Err(_) => Progress(bar),
        }
    }

    /// Begins another step.
    pub(crate) fn begin(&self, what: &'static str, steps: u64) {
        self.0.set_message(what);
        self.0.set_length(steps);
        self.0.set_position(0);
        self.0.reset_eta();
    }

    pub(crate) fn advance(&self, steps: u64) {
        self.0.inc(steps);
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
