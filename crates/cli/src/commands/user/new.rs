//! `tollgate user new`.

use clap::Args;
use tollgate_service::NewUser;

use super::Shown;
use super::password::password;
use super::store::UserStore;
use crate::commands::Outcome;
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

const HELP: &str = "\
The password is asked for on a terminal; otherwise it is the first line of standard input. It is never an argument, which other users of
the machine could read. It has at least eight characters, and is not a common password. The output is that of `tollgate user show`.

Examples:
  tollgate user new ada@example.com --scope read:sites --store /var/lib/tollgate
  tollgate user new ada@example.com --store postgres://db.example/tollgate < password.txt";

/// Add a user who can log in with a password.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The address to log in with; upper and lower case are equal
    email: String,

    /// The scopes of the user; give the option once for each, or separate them with spaces
    #[arg(long)]
    scope: Vec<String>,

    #[command(flatten)]
    store: StoreOption,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let scopes: Vec<&str> = self.scope.iter().flat_map(|scope| scope.split_ascii_whitespace()).collect();
        let store = UserStore::open(&self.store)?;
        let password = password("Password: ").map_err(CommandError::Input)?;
        let new = NewUser::new(&self.email, &password, &scopes.join(" "))?;
        let user = store.wait(store.users.add(&new))?;
        let mut output = JsonLines::new();
        let written = output.write(&Shown::from(&user)).and_then(|()| output.flush());
        written.map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted))
    }
}
