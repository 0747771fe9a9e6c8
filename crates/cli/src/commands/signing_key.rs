//! `tollgate signing-key`: the service's signing keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use tokio::runtime::Runtime;
use tollgate_issuer::{KeyRole, PublishedKey};
use tollgate_service::KeyRotation;

use super::Outcome;
use crate::error::CommandError;
use crate::remote;
use crate::store_options::{StoreOption, operator, url};
use crate::stream::{JsonLines, gone_or_failed};

const HELP: &str = "\
The service rotates its keys itself, every 90 days unless --signing-key-ttl of `tollgate serve` says otherwise. The keys are in its store
(--store URL, or the environment variable TOLLGATE_STORE), which may be in use: each process of the service applies a change within a
minute.

Examples:
  tollgate signing-key list --store /var/lib/tollgate
  tollgate signing-key rotate --store /var/lib/tollgate
  tollgate signing-key rotate --at-once --store postgres://tollgate@db.example/tollgate --sealing-key-file /etc/tollgate/sealing.key";

/// List and rotate the service's signing keys.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Rotate(Rotate),
}

/// List the published keys: the signing key, the next one, and those whose tokens are still accepted.
///
/// One JSON object a line: `kid`, `alg`, `state` (`signing`, `announced`, `retired`), `since` (when the key entered that
/// state, if known), `until` (when a retired key is dropped). Times are seconds since the Unix epoch.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tollgate signing-key list --store /var/lib/tollgate")]
struct List {
    #[command(flatten)]
    keys: StoredKeys,
}

/// Publish the next key. It signs ten minutes later, when other verifiers have fetched it, so no token fails.
///
/// The answer is `{"ok":true,"kid":...,"signs_at":...}`; the time is seconds since the Unix epoch.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  tollgate signing-key rotate --store /var/lib/tollgate")]
struct Rotate {
    /// Sign with the next key within a minute. Verifiers elsewhere reject its tokens until they fetch the keys again
    #[arg(long)]
    at_once: bool,

    #[command(flatten)]
    keys: StoredKeys,
}

#[derive(Args, Debug)]
struct StoredKeys {
    #[command(flatten)]
    store: StoreOption,

    /// The file of the keys that encrypt the signing keys, as for `tollgate serve`
    #[arg(long, value_name = "FILE")]
    sealing_key_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Listed<'k> {
    kid: &'k str,
    alg: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
}

#[derive(Serialize)]
struct Rotated<'k> {
    ok: bool,
    kid: &'k str,
    signs_at: i64,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match &self.command {
            Command::List(arguments) => arguments.run(),
            Command::Rotate(arguments) => arguments.run(),
        }
    }
}

impl List {
    fn run(&self) -> Result<Outcome, CommandError> {
        let (runtime, rotation) = self.keys.open()?;
        let mut output = JsonLines::new();
        let keys = runtime.block_on(rotation.keys())?;
        let written = keys.iter().try_for_each(|key| output.write(&Listed::from(key)));
        written.and_then(|()| output.flush()).map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted))
    }
}

impl Rotate {
    fn run(&self) -> Result<Outcome, CommandError> {
        let (runtime, rotation) = self.keys.open()?;
        let (signs_at, keys) = runtime.block_on(async {
            let signs_at = if self.at_once { rotation.rotate_at_once().await? } else { rotation.rotate().await? };
            Ok::<_, CommandError>((signs_at, rotation.keys().await?))
        })?;
        let is_next = |key: &&PublishedKey| match key.role {
            KeyRole::Signing { .. } => self.at_once,
            KeyRole::Announced { .. } => !self.at_once,
            _ => false,
        };
        let kid = keys.iter().find(is_next).map_or("", |next| next.key.kid());
        let mut output = JsonLines::new();
        let written = output.write(&Rotated { ok: true, kid, signs_at }).and_then(|()| output.flush());
        written.map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted))
    }
}

impl StoredKeys {
    /// Opens an existing store: a misspelt name must not create an empty one.
    fn open(&self) -> Result<(Runtime, KeyRotation), CommandError> {
        let url = url(&self.store.name().ok_or(CommandError::NoStore)?)?;
        if !url.exists() {
            return Err(CommandError::Server(tollgate_service::ServerError::NoSigningKeys));
        }
        let runtime = remote::runtime().map_err(CommandError::Runtime)?;
        let rotation = runtime.block_on(KeyRotation::open(&url, self.sealing_key_file.as_deref()))?;
        Ok((runtime, rotation.by(operator())))
    }
}

impl<'k> From<&'k PublishedKey> for Listed<'k> {
    fn from(PublishedKey { key, role }: &'k PublishedKey) -> Self {
        let (state, since, until) = match *role {
            KeyRole::Signing { since } => ("signing", since, None),
            KeyRole::Announced { since } => ("announced", Some(since), None),
            KeyRole::Retired { until } => ("retired", None, Some(until)),
            _ => ("other", None, None),
        };
        Listed { kid: key.kid(), alg: key.algorithm().name(), state, since, until }
    }
}
