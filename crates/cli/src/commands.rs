//! The sub-commands, one file each.

pub(crate) mod api_key;
pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod completions;
pub(crate) mod consent;
pub(crate) mod explain;
pub(crate) mod gateway;
pub(crate) mod inspect;
pub(crate) mod jws;
pub(crate) mod key;
pub(crate) mod keys;
mod names;
pub(crate) mod revoke;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod signing_key;
pub(crate) mod site;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use self::names::Names;
use crate::error::CommandError;
use crate::reason::Reason;

/// The outcome of a command that completed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// Every item was accepted, or there were no items.
    Accepted,
    /// An item was rejected, or the command stopped before it had read all items.
    Rejected,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accepted => ExitCode::SUCCESS,
            Outcome::Rejected => ExitCode::from(1),
        }
    }
}

/// The answer for a name that the command was applied to.
#[derive(Serialize)]
struct Done<'i> {
    ok: bool,
    id: &'i str,
}

/// The answer for an unknown name, or one that the command does not apply to.
#[derive(Serialize)]
struct Unknown<'i> {
    ok: bool,
    id: &'i str,
    error: &'static str,
    detail: String,
}

impl<'i> Unknown<'i> {
    /// `reason` continues a sentence that begins with the id: "is no key of this store".
    fn new(id: &'i str, error: &'static str, reason: &str) -> Self {
        let Reason { error, detail } = Reason::new(error, format_args!("{id} {reason}"));
        Unknown { ok: false, id, error, detail }
    }
}

/// Writes `parts` to standard output. If its reader has gone, the outcome is not `Accepted`.
pub(crate) fn print(parts: &[&str]) -> Result<Outcome, CommandError> {
    let mut output = io::stdout().lock();
    let written = parts.iter().try_for_each(|part| output.write_all(part.as_bytes())).and_then(|()| output.flush());
    match written {
        Ok(()) => Ok(Outcome::Accepted),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Rejected),
        Err(error) => Err(CommandError::Output(error)),
    }
}
