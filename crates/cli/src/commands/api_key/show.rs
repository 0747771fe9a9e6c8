//! `tollgate api-key show`.

use clap::Args;

use super::shown::{Shown, page};
use crate::commands::{Outcome, Unknown};
use crate::error::{CommandError, warn};
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};
use crate::values::now;

const EXAMPLES: &str = "\
Exit status: 0, or 1 when the key is unknown.

Examples:
  tollgate api-key show key_01kdzb6y0v8e6q5t3h4jm2n7ra --store /var/lib/tollgate
  tollgate api-key show key_01kdzb6y0v8e6q5t3h4jm2n7ra --json";

/// Show the record of a key. The key itself is not stored.
///
/// With --json the members are those of `list`. For an unknown id the answer is
/// `{"ok":false,"id":...,"error":"unknown-api-key","detail":...}`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The key's id
    id: String,

    #[command(flatten)]
    store: StoreOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let found = store.wait(store.key(&self.id))?;
        let mut output = JsonLines::new();
        let (written, outcome) = match &found {
            Some(key) if self.json => (output.write(&Shown::from(key)), Outcome::Accepted),
            Some(key) => (output.write_text(&page(key, now())), Outcome::Accepted),
            None if self.json => {
                (output.write(&Unknown::new(&self.id, "unknown-api-key", "is no key of this store")), Outcome::Rejected)
            }
            None => {
                warn(&format!("there is no key {}", self.id));
                (Ok(()), Outcome::Rejected)
            }
        };
        written.and_then(|()| output.flush()).map_or_else(gone_or_failed, |()| Ok(outcome))
    }
}
