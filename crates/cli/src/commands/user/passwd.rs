//! `tollgate user passwd`.

use clap::Args;

use super::password::password;
use super::store::UserStore;
use super::{Shown, unknown};
use crate::commands::Outcome;
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

const HELP: &str = "\
The password is asked for on a terminal; otherwise it is the first line of standard input. It has at least eight characters, and is not a
common password. API keys do not change. Exit status: 0, or 1 when the user is unknown.

Examples:
  tollgate user passwd ada@example.com --store /var/lib/tollgate
  tollgate user passwd ada@example.com < password.txt";

/// Set a new password for a user: all the user's logins and tokens end at once.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The user's address or id
    #[arg(value_name = "USER")]
    user: String,

    #[command(flatten)]
    store: StoreOption,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = UserStore::open(&self.store)?;
        let mut output = JsonLines::new();
        let (outcome, written) = match store.find(&self.user)? {
            None => (Outcome::Rejected, output.write(&unknown(&self.user))),
            Some(found) => {
                let password = password("New password: ").map_err(CommandError::Input)?;
                let ended = store.wait(store.users.set_password(&found.id, &password))?;
                (Outcome::Accepted, output.write(&Shown::from(&ended.user)))
            }
        };
        written.and_then(|()| output.flush()).map_or_else(gone_or_failed, |()| Ok(outcome))
    }
}
