//! `tollgate user disable`, `enable` and `remove`.

use clap::Args;
use serde::Serialize;

use super::store::UserStore;
use super::{Shown, unknown};
use crate::commands::{Names, Outcome};
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

pub(super) const DISABLE_HELP: &str = "\
Each user is answered as `tollgate user show` does, or with {\"ok\":false,\"id\":...,\"error\":...}. A disabled user stays
disabled, and any login since then ends. Exit status: 0, or 1 when one is unknown.

Examples:
  tollgate user disable ada@example.com --store /var/lib/tollgate";

pub(super) const ENABLE_HELP: &str = "\
`tollgate api-key enable` enables API keys one by one: one of them may have been the reason for disabling the user. Exit status: 0, or
1 when one is unknown.

Examples:
  tollgate user enable ada@example.com --store /var/lib/tollgate";

pub(super) const LOGOUT_HELP: &str = "\
Each user is answered as `tollgate user show` does, or with {\"ok\":false,\"id\":...,\"error\":...}. `tollgate session end` ends one login. Exit status:
0, or 1 when one is unknown.

Examples:
  tollgate user logout ada@example.com --store /var/lib/tollgate";

pub(super) const REMOVE_HELP: &str = "\
Each user is answered with {\"ok\":true,\"id\":...,\"email\":...}, or {\"ok\":false,\"id\":...,\"error\":...}. Exit status: 0, or 1 when one is
unknown.

Examples:
  tollgate user remove ada@example.com --store /var/lib/tollgate";

/// The users, and their store.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The addresses or ids of the users; `-` reads them from standard input, one a line
    #[arg(required = true, value_name = "USER")]
    users: Vec<String>,

    #[command(flatten)]
    store: StoreOption,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    Disable,
    Enable,
    Logout,
    Remove,
}

#[derive(Serialize)]
struct Removed<'u> {
    ok: bool,
    id: &'u str,
    email: &'u str,
}

impl Arguments {
    pub(super) fn run(&self, verb: Verb) -> Result<Outcome, CommandError> {
        let store = UserStore::open(&self.store)?;
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        Names::new(&self.users).for_each_batch(|names| {
            for name in names {
                let written = match store.find(name)? {
                    None => {
                        outcome = Outcome::Rejected;
                        output.write(&unknown(name))
                    }
                    Some(found) => match verb {
                        Verb::Disable => output.write(&Shown::from(&store.wait(store.users.disable(&found.id))?.user)),
                        Verb::Enable => output.write(&Shown::from(&store.wait(store.users.enable(&found.id))?)),
                        Verb::Logout => output.write(&Shown::from(&store.wait(store.users.log_out(&found.id))?.user)),
                        Verb::Remove => {
                            let user = store.wait(store.users.remove(&found.id))?.user;
                            output.write(&Removed { ok: true, id: &user.id, email: &user.email })
                        }
                    },
                };
                if let Err(error) = written.and_then(|()| output.flush()) {
                    outcome = gone_or_failed(error)?;
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        Ok(outcome)
    }
}
