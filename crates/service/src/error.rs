use crate::sealing::SealingError;
use std::net::SocketAddr;
use std::path::PathBuf;
use tollgate_storage::StorageError;

/// Why the service could not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The base URL is not an origin that tokens can be issued under.
    #[error(
        "base URL {base_url:?}: give an origin such as https://auth.example.com (lower case, no path; http only for loopback)"
    )]
    BaseUrl {
        /// What was given.
        base_url: String,
    },
    /// The service listens beyond this machine and does not know its own name.
    #[error(
        "listening on {listen}, which is not a loopback address, needs a base URL such as https://auth.example.com"
    )]
    BaseUrlNeeded {
        /// The address listened on.
        listen: SocketAddr,
    },
    /// A file of the TLS certificate cannot be used.
    #[error("{}: {reason}", file.display())]
    Tls {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The options for clients' certificates contradict each other.
    #[error("{reason}")]
    ClientCertificates {
        /// What is missing.
        reason: &'static str,
    },
    /// A lifetime is zero or too long.
    #[error("{option} must be from 1 to {max_seconds} seconds")]
    Lifetime {
        /// The option's name.
        option: &'static str,
        /// The longest lifetime.
        max_seconds: u64,
    },
    /// A signing key would sign for too short a time.
    #[error("signing-key-ttl must be at least {min_seconds} seconds")]
    SigningKeyLifetime {
        /// The shortest time.
        min_seconds: u64,
    },
    /// The demo's accounts, whose password is printed, may only enter a temporary store.
    #[error("the demo runs in a temporary store only: leave the data folder out")]
    DemoInRealStore,
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The temporary folder could not be created.
    #[error("cannot create a temporary folder: {0}")]
    TemporaryFolder(std::io::Error),
    /// The data folder holds what no release has written, and this one does not read.
    #[error("{} is from before the first release and is not read: use another data folder, or move the file away", file.display())]
    OldDataFolder {
        /// The file.
        file: PathBuf,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// A change is in the store, but this process's engine does not go by it yet.
    #[error("a change is stored, but not in force in this process yet")]
    NotInForce,
    /// The store could not be followed for too long, so that clients may have changed meanwhile.
    #[error("the store could not be followed: clients may have changed meanwhile")]
    StaleClients,
    /// What was made could not be given to whoever asked for it, and was revoked or ended again.
    #[error("what was made is revoked again, since its secret could not be given out")]
    Withdrawn,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// The keys in the store begin as none can.
    #[error("the first key in the store begins as no key can")]
    KeyFormat,
    /// The engine does not take the configuration.
    #[error("the engine cannot be built: {0}")]
    Engine(#[from] tollgate::BuildError),
    /// The routes cannot be protected as they should.
    #[error("the routes cannot be set up: {0}")]
    Routes(#[from] tollgate_tower::LayerError),
    /// The signing keys cannot be made, read or used.
    #[error("signing keys: {0}")]
    SigningKeys(#[from] tollgate_issuer::IssuerError),
    /// The signing keys cannot be encrypted or decrypted.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// There are no signing keys in the store yet.
    #[error("there are no signing keys in the store yet: the service makes them when it first starts")]
    NoSigningKeys,
    /// Other processes keep changing the signing keys.
    #[error("the signing keys were changed by another process again and again")]
    SigningKeysContended,
    /// The demo's accounts could not be made.
    #[error("cannot set up the demo: {0}")]
    Demo(String),
    /// A page could not be made.
    #[error("a page could not be made: {0}")]
    Page(askama::Error),
    /// A background task stopped early.
    #[error("a task of the service stopped early")]
    Task,
    /// A password could not be hashed.
    #[error("cannot hash a password: not enough memory or no random numbers")]
    PasswordHash,
}

impl ServerError {
    /// The stable kebab-case name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BaseUrl { .. } => "base-url",
            Self::BaseUrlNeeded { .. } => "base-url-needed",
            Self::Tls { .. } => "tls",
            Self::ClientCertificates { .. } => "client-certificates",
            Self::Lifetime { .. } => "lifetime",
            Self::DemoInRealStore => "demo-in-real-store",
            Self::Listen { .. } => "listen",
            Self::TemporaryFolder(_) => "temporary-folder",
            Self::OldDataFolder { .. } => "old-data-folder",
            Self::Store(error) => error.code(),
            Self::NotInForce => "not-in-force",
            Self::StaleClients => "clients-stale",
            Self::Withdrawn => "withdrawn",
            Self::NoRandomness => "no-randomness",
            Self::KeyFormat => "key-format",
            Self::Engine(_) => "engine",
            Self::Routes(_) => "routes",
            Self::SigningKeys(error) => error.code(),
            Self::Sealing(error) => error.code(),
            Self::SigningKeyLifetime { .. } => "lifetime",
            Self::NoSigningKeys => "no-signing-keys",
            Self::SigningKeysContended => "signing-keys-contended",
            Self::Demo(_) => "demo",
            Self::Page(_) => "page",
            Self::Task => "task",
            Self::PasswordHash => "password-hash",
        }
    }
}
