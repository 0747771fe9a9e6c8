//! `tollgate session`: the logins of users.

use clap::{Args, Subcommand};
use serde::Serialize;
use tollgate_storage::accounts::LoginSession;

use super::Outcome;
use super::user::owner::Owner;
use crate::error::CommandError;

const HELP: &str = "\
Logins are kept in the store of the service (--store URL as of `tollgate serve`, or the environment variable TOLLGATE_STORE), which may be
running: it rejects an ended login within 200 ms.

Examples:
  tollgate session list ada@example.com --store /var/lib/tollgate
  tollgate session end ada@example.com session_01kdzb6y0v8e6q5t3h4jm2n7ra
  tollgate user logout ada@example.com";

/// List the logins of a user, and end single logins.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    End(End),
}

/// List the logins of a user that have not ended, the newest first.
///
/// One JSON object a line: `id`, `kind` (`browser`, `token`), `api_key_id` (the key that made it), `agent`, `address`,
/// `created_at`, `expires_at`. For an unknown user the answer is `{"ok":false,...}`, and the exit status is 1.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tollgate session list ada@example.com --store /var/lib/tollgate")]
struct List {
    #[command(flatten)]
    of: Owner,
}

/// End logins of a user, and the codes and tokens that were issued under them.
///
/// Each id is answered with `{"ok":true,"id":...}` or `{"ok":false,...}`. The exit status is 1 when one is unknown.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  tollgate session end ada@example.com session_01kdzb6y0v8e6q5t3h4jm2n7ra --store /var/lib/tollgate"
)]
struct End {
    #[command(flatten)]
    of: Owner,

    /// The ids of the logins
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

#[derive(Serialize)]
struct Shown<'s> {
    id: &'s str,
    kind: &'static str,
    api_key_id: Option<&'s str>,
    agent: &'s str,
    address: Option<&'s str>,
    /// All times are seconds since the Unix epoch.
    created_at: i64,
    expires_at: i64,
}

impl<'s> From<&'s LoginSession> for Shown<'s> {
    fn from(session: &'s LoginSession) -> Self {
        Shown {
            id: &session.id,
            kind: if session.digest.is_some() { "browser" } else { "token" },
            api_key_id: session.key_id.as_deref(),
            agent: &session.agent,
            address: session.address.as_deref(),
            created_at: session.created_at,
            expires_at: session.expires_at,
        }
    }
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match &self.command {
            Command::List(List { of }) => of.run(|store, user, output| {
                let sessions = store.wait(store.users.sessions(&user.id))?;
                let written = sessions.iter().try_for_each(|session| output.write(&Shown::from(session)));
                Ok(written.map(|()| Outcome::Accepted))
            }),
            Command::End(End { of, ids }) => {
                of.change_each(ids, "unknown-session", "is no login of that user", |store, user, id| {
                    Ok(store.found(store.users.end_session(&user.id, id))?.is_some())
                })
            }
        }
    }
}
