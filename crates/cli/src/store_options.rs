//! The options for a store, its pepper, and the format of its keys.

use std::env;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::runtime::Runtime;
use tollgate::KeyFormat;
use tollgate::apikeys::Pepper;
use tollgate_service::StoreUrl;
use tollgate_storage::{Actor, Command, Door, KeyStore, Outcome as CommandOutcome, Refusal, StorageError};

use crate::error::{CommandError, warn};
use crate::key_files;
use crate::key_records::{DEFAULT_ENVIRONMENT, DEFAULT_PREFIX};
use crate::limits::MAX_PEPPER_BYTES;
use crate::remote;

/// The environment variable that names the store if `--store` is absent.
const STORE_VARIABLE: &str = "TOLLGATE_STORE";

/// The store that a command works on.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct StoreOption {
    /// The store: its file or folder, also as sqlite:DIR, or postgres://... Default: the environment variable
    /// TOLLGATE_STORE
    #[arg(long, value_name = "URL")]
    store: Option<PathBuf>,
}

impl StoreOption {
    /// The store that was named, if any.
    pub(crate) fn name(&self) -> Option<PathBuf> {
        let variable = || env::var_os(STORE_VARIABLE).filter(|value| !value.is_empty());
        self.store.clone().or_else(|| variable().map(Into::into))
    }

    /// Opens an existing store: a misspelt name must not create an empty one.
    pub(crate) fn open(&self) -> Result<Store, CommandError> {
        open(self.name().ok_or(CommandError::NoStore)?)
    }

    /// Opens the store, and creates it if it is missing.
    pub(crate) fn open_or_make(&self) -> Result<Store, CommandError> {
        Store::open(url(&self.name().ok_or(CommandError::NoStore)?)?)
    }
}

/// A store, for commands that only wait while it works.
pub(crate) struct Store {
    store: Arc<dyn KeyStore>,
    runtime: Runtime,
    url: StoreUrl,
    is_new: bool,
}

impl Deref for Store {
    type Target = dyn KeyStore;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

impl Store {
    fn open(url: StoreUrl) -> Result<Self, CommandError> {
        let is_new = !url.exists();
        let runtime = remote::runtime().map_err(CommandError::Runtime)?;
        let store = runtime.block_on(url.open_keys());
        let store = store.map_err(|source| CommandError::Store { store: url.to_string(), source })?;
        Ok(Store { store, runtime, url, is_new })
    }

    /// A reference that can be shared.
    pub(crate) fn shared(&self) -> Arc<dyn KeyStore> {
        Arc::clone(&self.store)
    }

    /// Waits for an answer of the store.
    pub(crate) fn wait<T>(&self, answer: impl Future<Output = Result<T, StorageError>>) -> Result<T, CommandError> {
        self.wait_for(answer).map_err(|source| self.failed(source))
    }

    /// Waits for a result whose error the caller handles.
    pub(crate) fn wait_for<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// Runs a command. Returns the number of changes, or why it is refused.
    pub(crate) fn run_command(&self, command: Command) -> Result<Result<u64, Refusal>, CommandError> {
        let command = command.by(&operator()).map_err(|source| self.failed(source))?;
        match self.wait_for(self.run(command)) {
            Ok((changed, _)) => Ok(Ok(changed)),
            Err(StorageError::Refused(refusal)) => Ok(Err(refusal)),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Runs commands atomically. Returns the outcome of each.
    pub(crate) fn run_commands(&self, commands: Vec<Command>) -> Result<Vec<CommandOutcome>, CommandError> {
        let by = operator();
        let commands = commands.into_iter().map(|command| command.by(&by)).collect::<Result<_, _>>();
        let commands = commands.map_err(|source| self.failed(source))?;
        Ok(self.wait(self.execute(commands))?.outcomes)
    }

    /// The store's error.
    pub(crate) fn failed(&self, source: StorageError) -> CommandError {
        CommandError::Store { store: self.url.to_string(), source }
    }

    /// The location of the store, without a password.
    pub(crate) fn name(&self) -> String {
        self.url.to_string()
    }

    /// Reports where a new store was created, in case another one was meant.
    pub(crate) fn tell_new(&self) {
        if self.is_new {
            warn(&format!("made a new store: {}", self.url));
        }
    }
}

/// The user who runs this command, for the audit log, by the system's user id.
pub(crate) fn operator() -> Actor {
    #[cfg(unix)]
    let subject = Some(format!("uid {}", rustix::process::getuid().as_raw()));
    #[cfg(not(unix))]
    let subject = None;
    Actor { subject, ..Actor::unknown(Door::Command) }
}

/// Opens the existing store of that name.
pub(crate) fn open(name: PathBuf) -> Result<Store, CommandError> {
    let url = url(&name)?;
    if !url.exists() {
        return Err(CommandError::StoreMissing { store: url.to_string() });
    }
    Store::open(url)
}

/// The URL of the store that a user calls `name`.
pub(crate) fn url(name: &Path) -> Result<StoreUrl, CommandError> {
    StoreUrl::parse(name).map_err(|source| CommandError::Store { store: "--store".to_owned(), source })
}

/// The pepper of the keys that other systems made.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PepperOption {
    /// The file of the pepper for keys that other systems made: at least 32 random bytes. Every byte counts, a line feed
    /// at the end too. Every process that looks up such keys needs the same pepper
    #[arg(long, value_name = "FILE")]
    pub(crate) pepper_file: Option<PathBuf>,
}

impl PepperOption {
    /// The pepper, if one was given.
    pub(crate) fn read(&self) -> Result<Option<Pepper>, CommandError> {
        self.pepper_file
            .as_ref()
            .map(|path| {
                let secret = key_files::read(path, MAX_PEPPER_BYTES)?;
                if secret.len() > MAX_PEPPER_BYTES {
                    let source = std::io::Error::other(format!("a pepper has at most {MAX_PEPPER_BYTES} bytes"));
                    return Err(CommandError::File { path: path.clone(), source });
                }
                Pepper::new(&secret).map_err(|source| CommandError::Pepper { path: path.clone(), source })
            })
            .transpose()
    }
}

/// The prefix and environment of tollgate's keys.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FormatOption {
    /// The prefix of new keys. Default: that of the first key in the store, or tg
    #[arg(long)]
    pub(crate) prefix: Option<String>,

    /// The environment, which follows the prefix. Default: that of the first key in the store, or live
    #[arg(long)]
    pub(crate) env: Option<String>,
}

impl FormatOption {
    /// Whether either option was given.
    pub(crate) fn is_given(&self) -> bool {
        self.prefix.is_some() || self.env.is_some()
    }

    /// The requested format; otherwise that of the first key in `store`; otherwise the default.
    pub(crate) fn format(&self, store: Option<&Store>) -> Result<KeyFormat, CommandError> {
        let first = match store {
            Some(store) if !self.is_given() => store.wait(store.first_format())?,
            _ => None,
        };
        let (prefix, env) = first.as_deref().and_then(labels).unwrap_or((
            self.prefix.as_deref().unwrap_or(DEFAULT_PREFIX),
            self.env.as_deref().unwrap_or(DEFAULT_ENVIRONMENT),
        ));
        KeyFormat::new(prefix, env).map_err(CommandError::ApiKeyFormat)
    }
}

/// Prefix and environment in the beginning of a key, `<prefix>_<env>_`.
pub(crate) fn labels(head: &str) -> Option<(&str, &str)> {
    // Neither contains an underscore.
    head.strip_suffix('_')?.split_once('_')
}
