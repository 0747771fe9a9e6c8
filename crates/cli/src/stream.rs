//! Items in, answers out: one at a time, in order, in bounded memory.

mod items;
mod json_lines;
pub(crate) mod progress;

use std::io;

use clap::{Args, ValueEnum};
use serde::Serialize;

pub(crate) use self::items::{Item, Items};
pub(crate) use self::json_lines::{JsonLines, json_line};
use self::progress::Progress;
use crate::commands::Outcome;
use crate::error::CommandError;

/// The format of standard input, for all sub-commands that read tokens.
#[derive(Args, Debug)]
pub(crate) struct InputOptions {
    /// The format of a line of standard input
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = InputFormat::Lines)]
    input: InputFormat,
}

impl InputOptions {
    pub(crate) fn format(&self) -> InputFormat {
        self.input
    }
}

/// The format of a line of standard input.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum InputFormat {
    /// The item itself: every byte up to the line feed, a carriage return included
    Lines,
    /// A JSON string, or {"base64":"..."} for any bytes
    Json,
}

/// The error for a line that is not of [`InputFormat::Json`].
pub(crate) const NOT_A_JSON_ITEM: &str = "the line is neither a JSON string nor {\"base64\":\"...\"}";

/// Appends the common help about input to the examples of a sub-command that reads tokens.
macro_rules! with_input_help {
    ($examples:literal) => {
        concat!(
            "\
Input and output:
  Every line of standard input is an item: a blank one too, and the last one even without a line feed. Only the line feed
  ends a line; a carriage return before it belongs to the item. Each item gets one line of JSON, in the order of the input.
  A line above 1 MiB is not held and is rejected as too long. With --input json, a line that is neither a JSON string nor
  {\"base64\":\"...\"} is rejected with \"malformed-input\".
  Exit status: 0 all accepted, 1 at least one rejected, 2 bad usage or configuration.

",
            $examples
        )
    };
}
pub(crate) use with_input_help;

/// Answers each item of standard input on standard output with `answer`, which returns whether it was accepted.
///
/// Answers are flushed before a wait for standard input, so that a program that feeds it line by line sees each answer. When
/// the reader of standard output has gone, the remaining input is skipped, and the outcome is not `Accepted`.
pub(crate) fn answer_each(
    format: InputFormat,
    mut answer: impl FnMut(Item<'_>, &mut JsonLines) -> io::Result<Outcome>,
) -> Result<Outcome, CommandError> {
    let mut items = Items::new(io::stdin().lock(), format);
    let mut output = JsonLines::new();
    let mut progress = Progress::new();
    let mut outcome = Outcome::Accepted;
    loop {
        if items.would_wait() {
            match output.flush() {
                Err(error) => return gone_or_failed(error),
                Ok(()) => progress.show(items.bytes_read(), items.count()),
            }
        }
        let Some(item) = items.next().map_err(CommandError::Input)? else {
            break;
        };
        match answer(item, &mut output) {
            Err(error) => return gone_or_failed(error),
            Ok(Outcome::Rejected) => outcome = Outcome::Rejected,
            Ok(Outcome::Accepted) => {}
        }
    }
    progress.finish();
    output.flush().map_or_else(gone_or_failed, |()| Ok(outcome))
}

/// Writes a line for each of `values`. A missing reader is not a failure.
pub(crate) fn write_each<T: Serialize>(values: impl IntoIterator<Item = T>) -> Result<(), CommandError> {
    let mut output = JsonLines::new();
    let written = values.into_iter().try_for_each(|value| output.write(&value)).and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::Output(error)),
        _ => Ok(()),
    }
}

/// The outcome after a failure of standard output. It is not reported if the reader has gone.
pub(crate) fn gone_or_failed(error: io::Error) -> Result<Outcome, CommandError> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(Outcome::Rejected) } else { Err(CommandError::Output(error)) }
}
