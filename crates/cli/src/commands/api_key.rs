//! `tollgate api-key`: API keys, client secrets and opaque access tokens.

mod check;
mod export;
mod import;
pub(super) mod key_printer;
mod list;
mod new;
pub(super) mod rotate;
mod show;
pub(super) mod shown;
pub(super) mod state;

use clap::{Args, Subcommand};
use tollgate::KeyState;

use super::Outcome;
use crate::error::CommandError;

const HELP: &str = "\
Keys are kept in a store (--store FILE, or the environment variable TOLLGATE_STORE): a SQLite file that any number of processes
share. Processes that follow it (`tollgate serve`, `tollgate verify --store`) apply a change within 200 ms. The store holds only the
digest of a key.

Examples:
  export TOLLGATE_STORE=/var/lib/tollgate
  tollgate api-key new --subject user-7 --scope read:sites --expires-in 90d
  tollgate api-key list --subject user-7
  tollgate api-key revoke key_01kdzb6y0v8e6q5t3h4jm2n7ra";

/// Make, show, disable, rotate, revoke, import, export and check keys: API keys, client secrets, opaque access tokens.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Arguments),
    List(list::Arguments),
    Show(show::Arguments),
    /// Disable keys: they are rejected until they are enabled again.
    ///
    /// Each id is answered. A disabled key stays disabled.
    #[command(after_help = state::DISABLE_HELP)]
    Disable(state::Arguments),
    /// Enable disabled keys.
    #[command(after_help = state::ENABLE_HELP)]
    Enable(state::Arguments),
    Rotate(rotate::Arguments),
    /// Revoke keys permanently.
    #[command(after_help = state::REVOKE_HELP)]
    Revoke(state::Arguments),
    Import(import::Arguments),
    Export(export::Arguments),
    Check(check::Arguments),
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match &self.command {
            Command::New(arguments) => arguments.run(),
            Command::List(arguments) => arguments.run(),
            Command::Show(arguments) => arguments.run(),
            Command::Disable(arguments) => arguments.run(KeyState::Disabled),
            Command::Enable(arguments) => arguments.run(KeyState::Active),
            Command::Rotate(arguments) => arguments.run(),
            Command::Revoke(arguments) => arguments.run(KeyState::Revoked),
            Command::Import(arguments) => arguments.run(),
            Command::Export(arguments) => arguments.run(),
            Command::Check(arguments) => arguments.run(),
        }
    }
}
