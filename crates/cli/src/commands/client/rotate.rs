//! `tollgate client rotate`.

use clap::Args;
use tollgate::{KeyKind, KeyState};
use tollgate_storage::Command;

use super::secrets::unknown;
use crate::commands::Outcome;
use crate::commands::api_key::rotate::{OverlapOption, refuse, rotate};
use crate::error::CommandError;
use crate::store_options::{FormatOption, StoreOption};
use crate::stream::{JsonLines, gone_or_failed};
use crate::values::now;

const HELP: &str = "\
All other secrets of the client end with the overlap, or sooner. `tollgate api-key rotate` rotates one secret by its id.
Standard output has the new secret and nothing else, or with --json the output of `tollgate api-key rotate --json`.

Examples:
  tollgate client rotate billing --store /var/lib/tollgate
  tollgate client rotate billing --overlap 7d --json";

/// Make a new secret for a client, and print it once. The old secrets stay valid for a while.
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
        let store = self.store.open()?;
        // The newest first. Expired secrets are skipped.
        let secrets = store.wait(store.live_keys_of(&self.id, KeyKind::ClientSecret, now()))?;
        let Some(newest) = secrets.first() else {
            let mut output = JsonLines::new();
            let told = unknown(&self.id, self.json, &mut output);
            return told.and_then(|outcome| output.flush().map(|()| outcome)).or_else(gone_or_failed);
        };
        if !secrets.iter().any(|secret| secret.record.state() == KeyState::Active) {
            let reason = "has no active secret; enable it, or make one with tollgate api-key new --kind client-secret";
            return refuse(&self.id, "no-active-secret", reason, self.json);
        }
        rotate(&store, newest, self.overlap, &self.format, self.json, |new, overlap_ends_at| {
            let (id, current) = (self.id.clone(), Some(newest.record.id().to_owned()));
            Command::RotateClientSecret { id, current, new, overlap_ends_at }
        })
    }
}
