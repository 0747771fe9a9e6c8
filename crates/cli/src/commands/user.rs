//! `tollgate user`: the users of the service.

mod list;
mod new;
pub(super) mod owner;
mod passwd;
mod password;
mod show;
mod state;
pub(super) mod store;

use clap::{Args, Subcommand};
use serde::Serialize;
use tollgate_storage::accounts::User;

use super::{Outcome, Unknown};
use crate::error::CommandError;

const HELP: &str = "\
Users are kept in the store of the service (--store URL as of `tollgate serve`, or the environment variable TOLLGATE_STORE), which may be
running: it applies the end of a user's logins within 200 ms. A user is named by address or id.

Examples:
  tollgate user new ada@example.com --scope 'read:sites manage:api-keys' --store /var/lib/tollgate
  tollgate user list
  tollgate user disable ada@example.com
  tollgate user passwd ada@example.com";

/// Add, list, disable and remove users of the service, and set their passwords.
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
    /// Disable users: all their logins and tokens end at once, their API keys are disabled, and they cannot log in.
    #[command(after_help = state::DISABLE_HELP)]
    Disable(state::Arguments),
    /// Enable disabled users. Their API keys stay disabled.
    #[command(after_help = state::ENABLE_HELP)]
    Enable(state::Arguments),
    Passwd(passwd::Arguments),
    /// End all logins of users, and the tokens that were issued under them.
    #[command(after_help = state::LOGOUT_HELP)]
    Logout(state::Arguments),
    /// Remove users and their sites: all their logins and tokens end at once, their API keys are revoked.
    #[command(after_help = state::REMOVE_HELP)]
    Remove(state::Arguments),
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match &self.command {
            Command::New(arguments) => arguments.run(),
            Command::List(arguments) => arguments.run(),
            Command::Show(arguments) => arguments.run(),
            Command::Disable(arguments) => arguments.run(state::Verb::Disable),
            Command::Enable(arguments) => arguments.run(state::Verb::Enable),
            Command::Passwd(arguments) => arguments.run(),
            Command::Logout(arguments) => arguments.run(state::Verb::Logout),
            Command::Remove(arguments) => arguments.run(state::Verb::Remove),
        }
    }
}

/// The shown facts of a user, without the password and its hash.
#[derive(Serialize)]
struct Shown<'u> {
    id: &'u str,
    email: &'u str,
    scopes: Vec<&'u str>,
    state: &'static str,
    created_at: i64,
}

impl<'u> From<&'u User> for Shown<'u> {
    fn from(user: &'u User) -> Self {
        Shown {
            id: &user.id,
            email: &user.email,
            scopes: user.scopes.split_ascii_whitespace().collect(),
            state: if user.disabled_at.is_some() { "disabled" } else { "active" },
            created_at: user.created_at,
        }
    }
}

pub(super) fn unknown(name: &str) -> Unknown<'_> {
    Unknown::new(name, "unknown-user", "is the address or id of no user")
}
