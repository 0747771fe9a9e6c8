//! `tollgate client remove`.

use clap::Args;
use serde::Serialize;
use tollgate::KeyState;
use tollgate_storage::{Command, StoredKey};

use super::IssuedOption;
use super::secrets::{secrets, unknown};
use crate::commands::{Names, Outcome};
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

const HELP: &str = "\
JWTs of a client stay valid until they expire, unless --issuer names their issuer.
With --json one line a client: {\"ok\":true,\"id\":...,\"secrets\":...}, with the number of revoked secrets, or
{\"ok\":false,\"id\":...,\"error\":...}. Exit status: 0, or 1 when one is unknown.

Examples:
  tollgate client remove billing --store /var/lib/tollgate";

/// Remove clients, and revoke their secrets and tokens.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The client ids; `-` reads them from standard input, one a line
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,

    #[command(flatten)]
    store: StoreOption,

    #[command(flatten)]
    issued: IssuedOption,

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
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        Names::new(&self.ids).for_each_batch(|ids| {
            for id in ids {
                let is_live = |key: &&StoredKey| key.record.state() != KeyState::Revoked;
                let live = secrets(&store, id)?.iter().filter(is_live).count();
                let command = Command::RemoveClient { id: (*id).to_owned(), issued: self.issued.so_far() };
                let written = match (store.run_command(command)?, self.json) {
                    (Err(_), json) => {
                        outcome = Outcome::Rejected;
                        unknown(id, json, &mut output).map(drop)
                    }
                    (Ok(_), true) => output.write(&Line { ok: true, id, secrets: live }),
                    (Ok(_), false) => output.write_text(&format!("{id} removed ({live} secrets revoked)\n")),
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
