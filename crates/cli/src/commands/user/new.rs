//! `tollgate user new`.

use std::io::{self, BufRead, IsTerminal};

use clap::Args;
use tollgate_service::NewUser;
use tollgate_service::limits::MAX_PASSWORD_BYTES;
use zeroize::Zeroizing;

use super::Shown;
use crate::commands::Outcome;
use crate::error::CommandError;
use crate::secret_input::SecretInput;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

const HELP: &str = "\
The password is asked for on a terminal, and otherwise is the first line of standard input. It is never an argument, which others on the
machine could read. Standard output has the user as `tollgate user show` prints it.

Examples:
  tollgate user new ada@example.com --scope read:sites --store /var/lib/tollgate
  tollgate user new ada@example.com --store postgres://db.example/tollgate < password.txt";

/// Make a user who can log in with a password.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The address to log in with; its letters count in lower case
    email: String,

    /// What the user may do; to be given once for each, or with spaces between them
    #[arg(long)]
    scope: Vec<String>,

    #[command(flatten)]
    store: StoreOption,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let scopes: Vec<&str> = self.scope.iter().flat_map(|scope| scope.split_ascii_whitespace()).collect();
        let store = self.store.open_accounts()?;
        let password = password().map_err(CommandError::Input)?;
        let NewUser { user, password_hash } = NewUser::new(&self.email, &password, &scopes.join(" "))?;
        store.wait(|store| {
            let user = &user;
            async move { store.add_user(user, &password_hash).await }
        })?;
        let mut output = JsonLines::new();
        let written = output.write(&Shown::from(&user)).and_then(|()| output.flush());
        written.map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted))
    }
}

fn password() -> io::Result<Zeroizing<String>> {
    let input = io::stdin();
    if input.is_terminal() {
        return rpassword::prompt_password("Password: ").map(Zeroizing::new);
    }
    // One byte more than is good, and a line feed, so that what is too long is said to be.
    let mut line = Zeroizing::new(String::with_capacity(MAX_PASSWORD_BYTES + 2));
    let mut input = io::Read::take(SecretInput::new(input.lock()), MAX_PASSWORD_BYTES as u64 + 2);
    input.read_line(&mut line)?;
    let length = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(length);
    Ok(line)
}
