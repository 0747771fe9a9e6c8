//! `tollgate client remove`.

use clap::Args;
use serde::Serialize;
use tollgate_storage::{Command, Issued, Refusal};

use super::secrets::unknown;
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
    secrets: u64,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        Names::new(&self.ids).for_each_batch(|ids| {
            for id in ids {
                let command = Command::RemoveClient { id: (*id).to_owned(), issued: Issued::default() };
                let written = match (store.run_command(command)?, self.json) {
                    (Err(Refusal::NotFound { .. }), json) => {
                        outcome = Outcome::Rejected;
                        unknown(id, json, &mut output).map(drop)
                    }
                    (Err(refusal), _) => return Err(store.failed(refusal.into())),
                    // The client itself is one.
                    (Ok(changed), true) => output.write(&Line { ok: true, id, secrets: changed - 1 }),
                    (Ok(changed), false) => {
                        output.write_text(&format!("{id} removed ({} secrets revoked)\n", changed - 1))
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
