//! `tollgate consent`: the consents of users.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Outcome;
use super::user::owner::Owner;
use crate::error::CommandError;

const HELP: &str = "\
Consents are kept in the store of the service (--store URL as of `tollgate serve`, or the environment variable TOLLGATE_STORE), which may
be running: it rejects the tokens of a revoked consent within 200 ms.

Examples:
  tollgate consent list ada@example.com --store /var/lib/tollgate
  tollgate consent revoke ada@example.com shop";

/// List and revoke the consents of a user.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Revoke(Revoke),
}

/// List the consents of a user, in the order of the client ids.
///
/// One JSON object a line: `client_id`, `scopes`, `granted_at`. For an unknown user the answer is `{"ok":false,...}`, and the
/// exit status is 1.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tollgate consent list ada@example.com --store /var/lib/tollgate")]
struct List {
    #[command(flatten)]
    of: Owner,
}

/// Revoke consents of a user, and the codes and tokens that were issued under them.
///
/// Each client id is answered with `{"ok":true,"id":...}` or `{"ok":false,...}`. The exit status is 1 when the user has no
/// such consent.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tollgate consent revoke ada@example.com shop --store /var/lib/tollgate")]
struct Revoke {
    #[command(flatten)]
    of: Owner,

    /// The client ids
    #[arg(required = true, value_name = "CLIENT")]
    clients: Vec<String>,
}

#[derive(Serialize)]
struct Shown<'c> {
    client_id: &'c str,
    scopes: Vec<&'c str>,
    /// Seconds since the Unix epoch.
    granted_at: i64,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match &self.command {
            Command::List(List { of }) => of.run(|store, user, output| {
                let consents = store.wait(store.users.consents(&user.id))?;
                let written = consents.iter().try_for_each(|consent| {
                    let scopes = consent.scopes.split_ascii_whitespace().collect();
                    output.write(&Shown { client_id: &consent.client_id, scopes, granted_at: consent.granted_at })
                });
                Ok(written.map(|()| Outcome::Accepted))
            }),
            Command::Revoke(Revoke { of, clients }) => {
                let is_none = "is not a client with a consent of that user";
                of.change_each(clients, "unknown-consent", is_none, |store, user, id| {
                    Ok(store.found(store.users.revoke_consent(&user.id, id))?.is_some())
                })
            }
        }
    }
}
