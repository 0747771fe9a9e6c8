//! `tollgate client`: OAuth clients and their secrets.

mod certificate_subject;
mod list;
mod new;
mod remove;
mod rotate;
mod secrets;
mod state;

use clap::{Args, Subcommand};
use tollgate_storage::Issued;

use super::Outcome;
use crate::error::CommandError;
use crate::values::now;

const HELP: &str = "\
Clients are kept in the same store as API keys (--store FILE, or the environment variable TOLLGATE_STORE). Their secrets are keys of
kind client-secret, to which `tollgate api-key` applies too.

Examples:
  tollgate client new --id billing --scope 'read:sites' --store /var/lib/tollgate
  tollgate client rotate billing --overlap 7d
  tollgate client remove billing";

/// Register, list, disable, rotate and remove OAuth clients.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(Box<new::Arguments>),
    List(list::Arguments),
    /// Disable clients: their secrets are rejected until they are enabled again, and their tokens are revoked.
    #[command(after_help = state::DISABLE_HELP)]
    Disable(state::Disable),
    /// Enable disabled clients.
    #[command(after_help = state::ENABLE_HELP)]
    Enable(state::Arguments),
    Rotate(rotate::Arguments),
    Remove(remove::Arguments),
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match &self.command {
            Command::New(arguments) => arguments.run(),
            Command::List(arguments) => arguments.run(),
            Command::Disable(arguments) => arguments.run(),
            Command::Enable(arguments) => arguments.run(None),
            Command::Rotate(arguments) => arguments.run(),
            Command::Remove(arguments) => arguments.run(),
        }
    }
}

/// The tokens that were issued to clients.
#[derive(Args, Debug)]
struct IssuedOption {
    /// An issuer (`iss`) whose JWTs for these clients are revoked too; give the option once for each. Opaque access
    /// tokens of the clients are always revoked
    #[arg(long, value_name = "ISS")]
    issuer: Vec<String>,
}

impl IssuedOption {
    fn so_far(&self) -> Issued {
        // Times are whole seconds: tokens issued in this second are included. The expiry of the last of them is
        // unknown here.
        Issued { issuers: self.issuer.clone(), made_before: now().saturating_add(1), until: i64::MAX }
    }
}
