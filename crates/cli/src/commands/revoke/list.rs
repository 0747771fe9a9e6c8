//! `tollgate revoke list`.

use clap::Args;

use super::name::Shown;
use crate::commands::Outcome;
use crate::error::{CommandError, one_line};
use crate::limits::KEYS_PER_BATCH;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

const EXAMPLES: &str = "\
Examples:
  tollgate revoke list --store /var/lib/tollgate
  tollgate revoke list --json | jq -r .name";

/// List the revocations.
///
/// With --json one line a revocation: `kind` (token, subject, session, client, issuer, api-key), `issuer`, `name`,
/// `issued_before`, `until`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let (mut output, mut after) = (JsonLines::new(), None);
        loop {
            let mut page = store.wait(store.revocations(after.as_ref(), KEYS_PER_BATCH))?;
            for revocation in &page {
                let row = || {
                    let kind = revocation.kind.as_str();
                    format!("{kind:<8}  {}  {}\n", one_line(&revocation.issuer), one_line(&revocation.name))
                };
                let written =
                    if self.json { output.write(&Shown::from(revocation)) } else { output.write_text(&row()) };
                if let Err(error) = written {
                    return gone_or_failed(error);
                }
            }
            if page.len() < KEYS_PER_BATCH {
                return output.flush().map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted));
            }
            after = page.pop();
        }
    }
}
