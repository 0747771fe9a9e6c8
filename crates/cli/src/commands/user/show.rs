//! `tollgate user show`.

use clap::Args;

use super::store::UserStore;
use super::{Shown, unknown};
use crate::commands::Outcome;
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

/// Show users: `id`, which is the `sub` of their tokens, `email`, `scopes`, `state`, `created_at`.
///
/// For an unknown address or id the answer is `{"ok":false,...}`, and the exit status is 1.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tollgate user show ada@example.com --store /var/lib/tollgate")]
pub(super) struct Arguments {
    /// The addresses or ids of the users
    #[arg(required = true, value_name = "USER")]
    users: Vec<String>,

    #[command(flatten)]
    store: StoreOption,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = UserStore::open(&self.store)?;
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        for name in &self.users {
            let written = match store.find(name)? {
                Some(user) => output.write(&Shown::from(&user)),
                None => {
                    outcome = Outcome::Rejected;
                    output.write(&unknown(name))
                }
            };
            if let Err(error) = written {
                return gone_or_failed(error);
            }
        }
        output.flush().map_or_else(gone_or_failed, |()| Ok(outcome))
    }
}
