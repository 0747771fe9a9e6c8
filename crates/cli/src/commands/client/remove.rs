//! `tollgate client remove`.

use clap::Args;
use serde::Serialize;
use tollgate::KeyState;
use tollgate_store::{Change, ChangeLog, StoredKey};

use super::secrets::{secrets, unknown};
use crate::commands::{Names, Outcome};
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

const HELP: &str = "\
JWTs that were issued to a client are good until they expire: `tollgate revoke client` ends them.
With --json one line a client: {\"ok\":true,\"id\":...,\"secrets\":...}, how many secrets were revoked, or
{\"ok\":false,\"id\":...,\"error\":...}. Exit status: 0, or 1 when one is unknown.

Examples:
  tollgate client remove billing --store /var/lib/tollgate";

/// Remove clients and revoke their secrets.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The client ids; `-` takes them from standard input, one a line
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,

    #[command(flatten)]
    store: StoreOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'i> {
    ok: bool,
    id: &'i str,
    secrets: usize,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let failed = |source| CommandError::in_store(&store, source);
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        Names::new(&self.ids).for_each_batch(|ids| {
            for id in ids {
                let written = if store.client(id).map_err(failed)?.is_none() {
                    outcome = Outcome::Rejected;
                    unknown(id, self.json, &mut output).map(drop)
                } else {
                    let live = secrets(&store, id)?.into_iter().filter(|key| key.record.state() != KeyState::Revoked);
                    let revoked = |key: StoredKey| Change::Key(key.in_state(KeyState::Revoked));
                    let mut changes: Vec<Change> = live.map(revoked).collect();
                    let secrets = changes.len();
                    changes.push(Change::ClientRemoved { id: (*id).to_owned() });
                    // All or none.
                    store.append(&changes).map_err(failed)?;
                    match self.json {
                        true => output.write(&Line { ok: true, id, secrets }),
                        false => output.write_text(&format!("{id} removed ({secrets} secrets revoked)\n")),
                    }
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
