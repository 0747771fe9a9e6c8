//! `tollgate user list`.

use clap::Args;

use super::Shown;
use super::store::UserStore;
use crate::commands::Outcome;
use crate::error::CommandError;
use crate::limits::KEYS_PER_BATCH;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

const EXAMPLES: &str = "\
Examples:
  tollgate user list --store /var/lib/tollgate
  tollgate user list | jq -r 'select(.state == \"disabled\").email'";

/// List the users in the order in which they were added: `id`, `email`, `scopes`, `state`, `created_at`, one JSON object a line.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreOption,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = UserStore::open(&self.store)?;
        let (mut output, mut after) = (JsonLines::new(), None::<String>);
        loop {
            let page = store.wait(store.users.list(after.as_deref(), KEYS_PER_BATCH))?;
            for user in &page {
                if let Err(error) = output.write(&Shown::from(user)) {
                    return gone_or_failed(error);
                }
            }
            match page.last() {
                Some(last) if page.len() == KEYS_PER_BATCH => after = Some(last.id.clone()),
                _ => return output.flush().map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted)),
            }
        }
    }
}
