//! The user whose records a command lists or changes.

use std::io;

use clap::Args;
use tollgate_storage::accounts::User;

use super::super::{Done, Outcome, Unknown};
use super::store::UserStore;
use super::unknown;
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

#[derive(Args, Debug)]
pub(in crate::commands) struct Owner {
    /// The user's address or id
    #[arg(value_name = "USER")]
    user: String,

    #[command(flatten)]
    store: StoreOption,
}

/// The outcome, unless the output could not be written.
pub(in crate::commands) type Written = io::Result<Outcome>;

impl Owner {
    /// Calls `work` with the user. An unknown user is answered with `{"ok":false,...}`.
    pub(in crate::commands) fn run(
        &self,
        work: impl FnOnce(&UserStore, &User, &mut JsonLines) -> Result<Written, CommandError>,
    ) -> Result<Outcome, CommandError> {
        let (store, mut output) = (UserStore::open(&self.store)?, JsonLines::new());
        let written = match store.find(&self.user)? {
            None => output.write(&unknown(&self.user)).map(|()| Outcome::Rejected),
            Some(user) => work(&store, &user, &mut output)?,
        };
        match written.and_then(|outcome| output.flush().map(|()| outcome)) {
            Ok(outcome) => Ok(outcome),
            Err(error) => gone_or_failed(error),
        }
    }

    /// Calls `change` for each id and answers it at once. `change` returns whether the user has a record of that id; otherwise the answer is
    /// `error`, and says that the id `is_none`.
    pub(in crate::commands) fn change_each(
        &self,
        ids: &[String],
        error: &'static str,
        is_none: &str,
        change: impl Fn(&UserStore, &User, &str) -> Result<bool, CommandError>,
    ) -> Result<Outcome, CommandError> {
        self.run(|store, user, output| {
            let mut outcome = Outcome::Accepted;
            for id in ids {
                let written = if change(store, user, id)? {
                    output.write(&Done { ok: true, id })
                } else {
                    outcome = Outcome::Rejected;
                    output.write(&Unknown::new(id, error, is_none))
                };
                if let Err(error) = written.and_then(|()| output.flush()) {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(outcome))
        })
    }
}
