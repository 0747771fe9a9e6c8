//! `tollgate user show`.

use clap::Args;
use tollgate_storage::accounts::User;

use super::Shown;
use crate::commands::{Outcome, Unknown};
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

/// Show users: `id`, which is the `sub` of their tokens, `email`, `scopes`, `created_at`.
///
/// An address that nobody has is answered with `{"ok":false,...}`, and the exit status is 1.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tollgate user show ada@example.com --store /var/lib/tollgate")]
pub(super) struct Arguments {
    /// The addresses to log in with
    #[arg(required = true, value_name = "EMAIL")]
    emails: Vec<String>,

    #[command(flatten)]
    store: StoreOption,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open_accounts()?;
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        for email in &self.emails {
            let normal = User::normal_email(email);
            let found = store.wait(|store| async move { store.user_by_email(&normal).await })?;
            let written = match found {
                Some((user, _)) => output.write(&Shown::from(&user)),
                None => {
                    outcome = Outcome::Rejected;
                    output.write(&Unknown::new(email, "unknown-user", "is the address of no user"))
                }
            };
            if let Err(error) = written {
                return gone_or_failed(error);
            }
        }
        output.flush().map_or_else(gone_or_failed, |()| Ok(outcome))
    }
}
