//! `tollgate api-key list`.

use clap::Args;
use tollgate_storage::{KeyFilter, StoredKey};

use super::shown::{HEADER, Shown, row};
use crate::commands::Outcome;
use crate::error::{CommandError, warn};
use crate::limits::{DEFAULT_LISTED, KEYS_PER_BATCH};
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};
use crate::values::{self, Kind, State, now};

const EXAMPLES: &str = "\
Examples:
  tollgate api-key list --store /var/lib/tollgate --subject user-7
  tollgate api-key list --state active --expires-before 30d
  tollgate api-key list --limit 1000 --after key_01kdzb6y0v8e6q5t3h4jm2n7ra
  tollgate api-key list --all --json --kind access-token | jq -r .id";

/// List keys in the order of their ids. Ids that tollgate made are ordered by creation time.
///
/// With --json one line a key: `id`, `kind`, `state`, `subject`, `client_id`, `scopes`, `created_at`, `not_before`, `expires_at`, `name`,
/// `metadata` (base64url), `allowed_addresses`, `prefix`, `env`, `rotated_to`, `overlap_ends_at`; null where one does not apply. A key
/// ends at the earlier of `expires_at` and `overlap_ends_at`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreOption,

    /// Only keys of this subject
    #[arg(long, value_name = "SUB")]
    subject: Option<String>,

    /// Only keys in this state
    #[arg(long, value_enum)]
    state: Option<State>,

    /// Only keys of this kind
    #[arg(long, value_enum)]
    kind: Option<Kind>,

    /// Only keys that end before this time: seconds since the Unix epoch, 2026-12-31, 2026-12-31T12:00:00Z, now, or from
    /// now 12h, 30d
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    expires_before: Option<i64>,

    /// The most keys to list
    #[arg(long, value_name = "N", default_value_t = DEFAULT_LISTED)]
    limit: usize,

    /// List all keys
    #[arg(long, conflicts_with = "limit")]
    all: bool,

    /// Begin after this id: the last id of the previous page
    #[arg(long, value_name = "ID")]
    after: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let filter = KeyFilter {
            subject: self.subject.clone(),
            kind: self.kind.map(Into::into),
            state: self.state.map(Into::into),
            ends_before: self.expires_before,
        };
        let (now, mut after, mut left) = (now(), self.after.clone(), if self.all { usize::MAX } else { self.limit });
        let mut output = JsonLines::new();
        if !self.json
            && let Err(error) = output.write_text(HEADER)
        {
            return gone_or_failed(error);
        }
        // A page at a time, so that ten million keys take no more memory than a thousand.
        loop {
            // One more than is shown, to find out whether there are more.
            let wanted = left.saturating_add(1).min(KEYS_PER_BATCH);
            let page = store.wait(store.keys(&filter, after.as_deref(), wanted))?;
            let shown = &page[..page.len().min(left)];
            let written =
                shown.iter().try_for_each(|key| self.write(key, now, &mut output)).and_then(|()| output.flush());
            if let Err(error) = written {
                return gone_or_failed(error);
            }
            left -= shown.len();
            if let Some(last) = shown.last() {
                after = Some(last.record.id().to_owned());
            }
            if page.len() < wanted {
                return Ok(Outcome::Accepted);
            }
            if left == 0 {
                let go_on = after.map_or_else(String::new, |after| format!("--after {after} goes on, "));
                warn(&format!("there are more: {go_on}--all shows all"));
                return Ok(Outcome::Accepted);
            }
        }
    }

    fn write(&self, key: &StoredKey, now: i64, output: &mut JsonLines) -> std::io::Result<()> {
        if self.json { output.write(&Shown::from(key)) } else { output.write_text(&row(key, now)) }
    }
}
