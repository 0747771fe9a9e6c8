//! `tollgate client rotate`.

use clap::Args;
use tollgate::KeyState;

use super::secrets::{secrets, unknown};
use crate::commands::Outcome;
use crate::commands::api_key::rotate::{OverlapOption, refuse, rotate};
use crate::error::CommandError;
use crate::store_options::{FormatOption, StoreOption};
use crate::stream::{JsonLines, gone_or_failed};
use crate::values::now;

const HELP: &str = "\
Of a client with one secret; where there are several, `tollgate api-key rotate` takes the id of one.
Standard output has the new secret and nothing else, or with --json what `tollgate api-key rotate --json` prints.

Examples:
  tollgate client rotate billing --store /var/lib/tollgate
  tollgate client rotate billing --overlap 7d --json";

/// Make a secret in the place of a client's, and print it, once; the old one stays good for a while.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The client id
    id: String,

    #[command(flatten)]
    overlap: OverlapOption,

    #[command(flatten)]
    store: StoreOption,

    #[command(flatten)]
    format: FormatOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let (store, now) = (self.store.open()?, now());
        let all = secrets(&store, &self.id)?;
        if all.is_empty() {
            let mut output = JsonLines::new();
            let told = unknown(&self.id, self.json, &mut output);
            return told.and_then(|outcome| output.flush().map(|()| outcome)).or_else(gone_or_failed);
        }
        // What ended, or was rotated before, is not what the client uses.
        let is_current = |key: &&tollgate_storage::StoredKey| {
            key.record.state() == KeyState::Active
                && key.rotated_to.is_none()
                && key.ends_at().is_none_or(|end| end > now)
        };
        let current: Vec<_> = all.iter().filter(is_current).collect();
        match *current {
            [secret] => rotate(&store, secret, self.overlap, &self.format, self.json),
            [] => refuse(
                &self.id,
                "no-active-secret",
                "has no active secret; enable it, or make one with tollgate api-key new --kind client-secret",
                self.json,
            ),
            _ => refuse(
                &self.id,
                "several-secrets",
                "has several secrets; rotate one of them with tollgate api-key rotate",
                self.json,
            ),
        }
    }
}
