//! `tollgate user`: who may log in to the service.

mod new;
mod show;

use clap::{Args, Subcommand};
use serde::Serialize;
use tollgate_storage::accounts::User;

use super::Outcome;
use crate::error::CommandError;

const HELP: &str = "\
Users are kept in the store of the service (--store URL as of `tollgate serve`, or the environment variable TOLLGATE_STORE), which may run
meanwhile.

Examples:
  tollgate user new ada@example.com --scope 'read:sites manage:api-keys' --store /var/lib/tollgate
  tollgate user show ada@example.com";

/// Make users who log in to the service, and look at them.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Arguments),
    Show(show::Arguments),
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match &self.command {
            Command::New(arguments) => arguments.run(),
            Command::Show(arguments) => arguments.run(),
        }
    }
}

/// What is shown of a user: no password, nor its hash.
#[derive(Serialize)]
struct Shown<'u> {
    id: &'u str,
    email: &'u str,
    scopes: Vec<&'u str>,
    created_at: i64,
}

impl<'u> From<&'u User> for Shown<'u> {
    fn from(User { id, email, scopes, created_at }: &'u User) -> Self {
        Shown { id, email, scopes: scopes.split_ascii_whitespace().collect(), created_at: *created_at }
    }
}
