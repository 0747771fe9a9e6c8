//! A password from the terminal or from standard input, never from an argument.

use std::io::{self, BufRead, IsTerminal};

use tollgate_service::limits::MAX_PASSWORD_BYTES;
use zeroize::Zeroizing;

use crate::secret_input::SecretInput;

pub(super) fn password(prompt: &str) -> io::Result<Zeroizing<String>> {
    let input = io::stdin();
    if input.is_terminal() {
        return rpassword::prompt_password(prompt).map(Zeroizing::new);
    }
    // One byte more than allowed, and a line feed, so that a password that is too long is reported.
    let mut line = Zeroizing::new(String::with_capacity(MAX_PASSWORD_BYTES + 2));
    let mut input = io::Read::take(SecretInput::new(input.lock()), MAX_PASSWORD_BYTES as u64 + 2);
    input.read_line(&mut line)?;
    let length = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(length);
    Ok(line)
}
