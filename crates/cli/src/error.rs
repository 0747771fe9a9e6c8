//! The errors that end the command with exit status 2, and their messages.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tollgate::BuildError;
use tollgate::apikeys::KeyError;
use tollgate::keys::{NoUsableKey, NotAKeyFile};
use tollgate_issuer::IssuerError;
use tollgate_service::{AccountError, ServerError};
use tollgate_storage::{LineRefused, StorageError};

/// The exit status of bad usage or configuration.
pub(crate) const USAGE_OR_CONFIGURATION: u8 = 2;

/// Why a command could not do its work. `Display` is one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CommandError {
    /// The description of a user is invalid.
    #[error("{0}")]
    Account(#[from] AccountError),
    /// A file could not be read or written.
    #[error("{}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    /// A file is not a key file.
    #[error("{}: {source}; give a JWK, a JWKS, PEM or DER", .path.display())]
    NotAKeyFile { path: PathBuf, source: NotAKeyFile },
    /// No key of a key file can be used.
    #[error("{}: {source}; see tollgate keys {}", .path.display(), .path.display())]
    NoUsableKey { path: PathBuf, source: NoUsableKey },
    /// A file has no usable signing key.
    #[error("{}: {source}", .path.display())]
    SigningKey { path: PathBuf, source: IssuerError },
    /// A signing key does not name its algorithm.
    #[error("{}: a key that is no JWK needs --alg", .path.display())]
    AlgorithmNeeded { path: PathBuf },
    /// A configuration file is invalid.
    #[error("{}:{line}: {reason}", .path.display())]
    Configuration { path: PathBuf, line: usize, reason: String },
    /// The keys of an issuer cannot be loaded as described.
    #[error("{0}")]
    IssuerKeys(String),
    /// An API-keys file has a line that is not a record of a key.
    #[error("{}:{line}: {reason}", .path.display())]
    KeyRecord { path: PathBuf, line: usize, reason: String },
    /// An API-keys file is empty, and nothing else is accepted.
    #[error("{}: no API key is in it, so that nothing would be accepted; add one with tollgate api-key new --file {}", .path.display(), .path.display())]
    NoApiKeys { path: PathBuf },
    /// No store was named.
    #[error("which store? give --store FILE, or set TOLLGATE_STORE")]
    NoStore,
    /// The named store does not exist.
    #[error("{store}: there is no store; give the right path, or make one with tollgate api-key new --store")]
    StoreMissing { store: String },
    /// A store operation failed.
    #[error("{store}: {source}")]
    Store { store: String, source: StorageError },
    /// A file of keys was not imported completely.
    #[error("{}: {source}; {}", .path.display(), go_on(.source))]
    Import { path: PathBuf, source: StorageError },
    /// The pepper is invalid.
    #[error("{}: {source}; make one with: head -c 32 /dev/urandom", .path.display())]
    Pepper { path: PathBuf, source: KeyError },
    /// A configuration file has no gateway section.
    #[error("there is no [gateway] in the file, so that everything would be denied; see tollgate gateway --help")]
    NoGateway,
    /// The address cannot be listened on.
    #[error("{listen}: {source}")]
    Listen { listen: SocketAddr, source: io::Error },
    /// Contradictory options.
    #[error("{0}")]
    Options(&'static str),
    /// The engine cannot work with its configuration.
    #[error("{0}")]
    Engine(BuildError),
    /// A key or a token could not be made.
    #[error("{0}")]
    Issuer(IssuerError),
    /// The prefix or environment of an API key is invalid.
    #[error("--prefix and --env: {0}")]
    ApiKeyFormat(KeyError),
    /// A record of an API key cannot be read back.
    #[error("{0}")]
    NewKeyRecord(&'static str),
    /// The measurement could not be made.
    #[error("{0}")]
    Bench(&'static str),
    /// The system provides no random numbers.
    #[error("the system gives no random numbers; try again once it has started up")]
    Random,
    /// The threads of the service, or of a store, could not be started.
    #[error("cannot start the threads: {0}")]
    Runtime(io::Error),
    /// The service could not start or had to stop.
    #[error("{0}")]
    Server(#[from] ServerError),
    /// Standard input failed.
    #[error("cannot read standard input: {0}")]
    Input(#[source] io::Error),
    /// Standard output failed.
    #[error("cannot write standard output: {0}")]
    Output(#[source] io::Error),
}

/// The advice about a refused line.
fn go_on(error: &StorageError) -> &'static str {
    match error {
        StorageError::Line { reason: LineRefused::InClear, .. } => "give --raw and --pepper-file to take such keys",
        StorageError::Line { reason: LineRefused::NoDigest, .. } => "give --mint to make keys for such lines",
        StorageError::Line { reason: LineRefused::Key(KeyError::ForeignGuessable { .. }), .. } => {
            "replace that key, or skip such lines with --keep-going, or give --danger-allow-low-entropy"
        }
        _ => "correct it and run this again with --skip-existing, or skip such lines with --keep-going",
    }
}

/// Prints `error` on standard error, in one line whatever it quotes.
pub(crate) fn report(error: &CommandError) {
    eprintln!("tollgate: {}", one_line(&error.to_string()));
}

/// Prints a message on standard error, in one line, that does not end the command.
pub(crate) fn warn(message: &str) {
    eprintln!("tollgate: {}", one_line(message));
}

/// Escapes characters that would break a line or control a terminal.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() { line.extend(character.escape_default()) } else { line.push(character) }
    }
    line
}
