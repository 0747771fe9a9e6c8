//! `tollgate client disable` and `enable`.

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

pub(super) const DISABLE_HELP: &str = "\
JWTs of a client stay valid until they expire, unless --issuer names their issuer.
With --json one line a client: {\"ok\":true,\"id\":...,\"state\":...,\"secrets\":...}, with the number of secrets in that state, or
{\"ok\":false,\"id\":...,\"error\":...}. Exit status: 0, or 1 when one is unknown.

Examples:
  tollgate client disable billing --store /var/lib/tollgate
  tollgate client disable billing --issuer https://as.example";

pub(super) const ENABLE_HELP: &str = "\
Revoked secrets stay revoked. Exit status: 0, or 1 when one is unknown.

Examples:
  tollgate client enable billing --store /var/lib/tollgate";

/// The clients, and their store.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The client ids; `-` reads them from standard input, one a line
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,

    #[command(flatten)]
    store: StoreOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The clients, their store, and their tokens.
#[derive(Args, Debug)]
pub(super) struct Disable {
    #[command(flatten)]
    clients: Arguments,

    #[command(flatten)]
    issued: IssuedOption,
}

#[derive(Serialize)]
struct Line<'i> {
    ok: bool,
    id: &'i str,
    state: &'static str,
    secrets: usize,
}

impl Disable {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        self.clients.run(Some(&self.issued))
    }
}

impl Arguments {
    /// Disables the clients and revokes their tokens, or enables them.
    pub(super) fn run(&self, disable: Option<&IssuedOption>) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let state = if disable.is_some() { KeyState::Disabled } else { KeyState::Active };
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        Names::new(&self.ids).for_each_batch(|ids| {
            for id in ids {
                let name = (*id).to_owned();
                let changed = store.run_command(match disable {
                    Some(issued) => Command::DisableClient { id: name, issued: issued.so_far() },
                    None => Command::EnableClient { id: name },
                })?;
                let written = if changed.is_err() {
                    outcome = Outcome::Rejected;
                    unknown(id, self.json, &mut output).map(drop)
                } else {
                    // Revoked secrets stay revoked.
                    let in_state = |key: &&StoredKey| key.record.state() == state;
                    let secrets = secrets(&store, id)?.iter().filter(in_state).count();
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
