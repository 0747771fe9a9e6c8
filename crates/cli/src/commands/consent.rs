//! `tollgate consent`: the consents of users.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::user::store::UserStore;
use super::user::unknown;
use super::{Done, Outcome, Unknown};
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

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
    /// The user's address or id
    #[arg(value_name = "USER")]
    user: String,

    #[command(flatten)]
    store: StoreOption,
}

/// Revoke consents of a user, and the codes and tokens that were issued under them.
///
/// Each client id is answered with `{"ok":true,"id":...}` or `{"ok":false,...}`. The exit status is 1 when the user has no
/// such consent.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tollgate consent revoke ada@example.com shop --store /var/lib/tollgate")]
struct Revoke {
    /// The user's address or id
    #[arg(value_name = "USER")]
    user: String,

    /// The client ids
    #[arg(required = true, value_name = "CLIENT")]
    clients: Vec<String>,

    #[command(flatten)]
    store: StoreOption,
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
            Command::List(arguments) => arguments.run(),
            Command::Revoke(arguments) => arguments.run(),
        }
    }
}

impl List {
    fn run(&self) -> Result<Outcome, CommandError> {
        let store = UserStore::open(&self.store)?;
        let mut output = JsonLines::new();
        let (written, outcome) = match store.find(&self.user)? {
            None => (output.write(&unknown(&self.user)), Outcome::Rejected),
            Some(user) => {
                let consents = store.wait(store.users.consents(&user.id))?;
                let written = consents.iter().try_for_each(|consent| {
                    let scopes = consent.scopes.split_ascii_whitespace().collect();
                    output.write(&Shown { client_id: &consent.client_id, scopes, granted_at: consent.granted_at })
                });
                (written, Outcome::Accepted)
            }
        };
        written.and_then(|()| output.flush()).map_or_else(gone_or_failed, |()| Ok(outcome))
    }
}

impl Revoke {
    fn run(&self) -> Result<Outcome, CommandError> {
        let store = UserStore::open(&self.store)?;
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        let Some(user) = store.find(&self.user)? else {
            let written = output.write(&unknown(&self.user)).and_then(|()| output.flush());
            return written.map_or_else(gone_or_failed, |()| Ok(Outcome::Rejected));
        };
        for id in &self.clients {
            let revoked = store.found(store.users.revoke_consent(&user.id, id))?;
            let written = if revoked.is_some() {
                output.write(&Done { ok: true, id })
            } else {
                outcome = Outcome::Rejected;
                output.write(&Unknown::new(id, "unknown-consent", "is not a client with a consent of that user"))
            };
            if let Err(error) = written.and_then(|()| output.flush()) {
                return gone_or_failed(error);
            }
        }
        Ok(outcome)
    }
}
