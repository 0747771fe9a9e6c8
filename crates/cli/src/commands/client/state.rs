//! `tollgate client disable` and `enable`.

use clap::Args;
use serde::Serialize;
use tollgate::KeyState;
use tollgate_storage::{Command, StoredKey};

use super::secrets::{secrets, unknown};
use crate::commands::{Names, Outcome};
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

pub(super) const DISABLE_HELP: &str = "\
JWTs that were issued to a client are good until they expire: `tollgate revoke client` ends them.
With --json one line a client: {\"ok\":true,\"id\":...,\"state\":...,\"secrets\":...}, how many of its secrets are in that state now, or
{\"ok\":false,\"id\":...,\"error\":...}. Exit status: 0, or 1 when one is unknown.

Examples:
  tollgate client disable billing --store /var/lib/tollgate";

pub(super) const ENABLE_HELP: &str = "\
Secrets that are revoked stay so. Exit status: 0, or 1 when one is unknown.

Examples:
  tollgate client enable billing --store /var/lib/tollgate";

/// Which clients, where.
#[derive(Args, Debug)]
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
    state: &'static str,
    secrets: usize,
}

impl Arguments {
    pub(super) fn run(&self, state: KeyState) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        Names::new(&self.ids).for_each_batch(|ids| {
            for id in ids {
                let keys = secrets(&store, id)?;
                let written = if keys.is_empty() && store.wait(store.client(id))?.is_none() {
                    outcome = Outcome::Rejected;
                    unknown(id, self.json, &mut output).map(drop)
                } else {
                    let put = |key: &StoredKey| Command::PutKeyInState { id: key.record.id().to_owned(), state };
                    let executed = store.wait(store.execute(keys.iter().map(put).collect()))?;
                    // Those that are revoked stay so.
                    let secrets = executed.outcomes.iter().filter(|outcome| outcome.is_ok()).count();
                    let line = Line { ok: true, id, state: state.as_str(), secrets };
                    match self.json {
                        true => output.write(&line),
                        false => output.write_text(&format!("{id} {} ({secrets} secrets)\n", line.state)),
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
