//! `tollgate api-key disable`, `enable` and `revoke`.

use std::io;

use clap::Args;
use serde::Serialize;
use tollgate::KeyState;
use tollgate_storage::{Command, Outcome as Done, Refusal};

use crate::commands::{Names, Outcome, Unknown};
use crate::error::{CommandError, warn};
use crate::store_options::{Store, StoreOption};
use crate::stream::{JsonLines, gone_or_failed};

pub(super) const DISABLE_HELP: &str = "\
With --json one line an id: {\"ok\":true,\"id\":...,\"state\":...,\"changed\":...} or {\"ok\":false,\"id\":...,\"error\":...}.
Exit status: 0 when all are disabled, 1 when one is unknown or revoked.

Examples:
  tollgate api-key disable key_01kdzb6y0v8e6q5t3h4jm2n7ra --store /var/lib/tollgate
  tollgate api-key list --subject user-7 --all --json | jq -r .id | tollgate api-key disable -";

pub(super) const ENABLE_HELP: &str = "\
With --json one line an id: {\"ok\":true,\"id\":...,\"state\":...,\"changed\":...} or {\"ok\":false,\"id\":...,\"error\":...}.
Exit status: 0 when all are enabled, 1 when one is unknown or revoked.

Examples:
  tollgate api-key enable key_01kdzb6y0v8e6q5t3h4jm2n7ra --store /var/lib/tollgate";

pub(super) const REVOKE_HELP: &str = "\
The record of a revoked key is kept, so that a later import cannot restore the key.
With --json one line an id: {\"ok\":true,\"id\":...,\"state\":...,\"changed\":...} or {\"ok\":false,\"id\":...,\"error\":...}.
Exit status: 0 when all are revoked, 1 when one is unknown.

Examples:
  tollgate api-key revoke key_01kdzb6y0v8e6q5t3h4jm2n7ra --store /var/lib/tollgate
  tollgate api-key revoke --json - < leaked-ids.txt";

/// The keys, and their store.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The keys' ids; `-` reads them from standard input, one a line
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,

    #[command(flatten)]
    store: StoreOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self, state: KeyState) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let mut output = Changed::new(self.json);
        Names::new(&self.ids).for_each_batch(|ids| output.put(&store, ids, state))?;
        Ok(output.outcome)
    }
}

/// Changes the state of keys, and reports the result for each.
pub(in crate::commands) struct Changed {
    json: bool,
    output: JsonLines,
    pub(in crate::commands) outcome: Outcome,
}

#[derive(Serialize)]
struct Line<'i> {
    ok: bool,
    id: &'i str,
    state: &'static str,
    /// Whether the key was in another state before.
    changed: bool,
}

impl Changed {
    pub(in crate::commands) fn new(json: bool) -> Self {
        Changed { json, output: JsonLines::new(), outcome: Outcome::Accepted }
    }

    /// Puts the keys into `state`, atomically. Returns whether the reports still have a reader.
    pub(in crate::commands) fn put(
        &mut self,
        store: &Store,
        ids: &[&str],
        state: KeyState,
    ) -> Result<bool, CommandError> {
        let put = |id: &&str| Command::PutKeyInState { id: (*id).to_owned(), state };
        let outcomes = store.run_commands(ids.iter().map(put).collect())?;
        let written = ids.iter().zip(outcomes).try_for_each(|(id, outcome)| self.tell(id, outcome, state));
        match written.and_then(|()| self.output.flush()) {
            Ok(()) => Ok(true),
            Err(error) => {
                self.outcome = gone_or_failed(error)?;
                Ok(false)
            }
        }
    }

    fn tell(&mut self, id: &str, outcome: Done, state: KeyState) -> io::Result<()> {
        let (error, reason) = match outcome {
            Ok(changed) => {
                let (changed, state) = (changed > 0, state.as_str());
                return match self.json {
                    true => self.output.write(&Line { ok: true, id, state, changed }),
                    false => {
                        self.output.write_text(&format!("{id} {}{state}\n", if changed { "" } else { "already " }))
                    }
                };
            }
            Err(Refusal::KeyRevoked) => ("key-revoked", "is revoked permanently; make a new one"),
            Err(_) => ("unknown-api-key", "is no key of this store"),
        };
        self.outcome = Outcome::Rejected;
        if self.json {
            return self.output.write(&Unknown::new(id, error, reason));
        }
        warn(&format!("{id} {reason}"));
        Ok(())
    }
}
