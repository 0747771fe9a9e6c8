//! The progress of a long run, for a person who watches.

use std::fs;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

use crate::limits::LONG_RUN_BYTES;

/// A progress bar on standard error, once a run turns out to be long.
///
/// There is none if standard error is not a terminal, and none if standard output is a terminal too: there the answers show
/// the progress, and a bar would break them up.
pub(crate) struct Progress {
    watched: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let watched = io::stderr().is_terminal() && !io::stdin().is_terminal() && !io::stdout().is_terminal();
        Progress { watched, bar: None }
    }

    /// Shows that `items` in `bytes` have been answered.
    pub(crate) fn show(&mut self, bytes: u64, items: u64) {
        if self.watched && bytes >= LONG_RUN_BYTES {
            let bar = self.bar.get_or_insert_with(|| byte_bar(input_length()));
            bar.set_position(bytes);
            bar.set_message(format!("{items} items"));
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar of bytes, `length` in all if that is known.
pub(crate) fn byte_bar(length: Option<u64>) -> ProgressBar {
    match length {
        Some(length) => bar(ProgressBar::new(length), "{wide_bar} {percent}% {binary_bytes_per_sec} {eta} {msg}"),
        None => bar(ProgressBar::new_spinner(), "{spinner} {binary_bytes} {binary_bytes_per_sec} {msg}"),
    }
}

/// A bar of `count` keys on standard error, shown only if that is a terminal.
pub(crate) fn key_bar(count: u64) -> ProgressBar {
    bar(ProgressBar::new(count), "{wide_bar} {percent}% {human_pos} of {human_len} keys {per_sec} {eta}")
}

fn bar(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The length of the input, if it is a file.
fn input_length() -> Option<u64> {
    // Missing on some systems, where the bar has no end.
    fs::metadata("/dev/stdin").ok().filter(fs::Metadata::is_file).map(|file| file.len())
}
