//! The service's own signing keys: kept in the store, published, and rotated by whichever process first sees that it is time.

use crate::audit;
use crate::error::ServerError;
use crate::limits::SIGNING_KEY_ANNOUNCED_SECONDS;
use crate::sealing::{self, Opened, SealingKeys};
use crate::store::StoreUrl;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tollgate::Algorithm;
use tollgate_issuer::{KeyRole, SigningKey, SigningKeys};
use tollgate_storage::accounts::StoredSigningKeys;
use tollgate_storage::{AccountStore, Actor, AuditRecord};
use zeroize::Zeroizing;

/// The signing keys in the store, encrypted under the keys of a file.
pub(crate) struct SigningKeyStore {
    store: Arc<dyn AccountStore>,
    /// `None`: the signing keys are kept in clear.
    sealing: Option<SealingKeys>,
    /// Of the stored keys that this process uses.
    version: AtomicI64,
    /// For whom keys are changed, as the audit log has it; otherwise for the caller of the present request.
    by: Option<Actor>,
}

/// When signing keys are rotated, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// How long a key signs.
    pub(crate) lifetime: i64,
    /// How long a key stays published after it stopped signing.
    pub(crate) overlap: i64,
}

/// Where the sealing keys are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SealingKeyFile {
    /// In this file, which has to be there.
    Named(PathBuf),
    /// In this file beside the database, which is made with the first signing keys.
    Own(PathBuf),
    /// Nowhere.
    None,
}

impl SealingKeyFile {
    /// The file that was named, or else that of the store.
    pub(crate) fn of(url: &StoreUrl, named: Option<&Path>) -> Self {
        match named {
            Some(file) => Self::Named(file.to_owned()),
            None => url.sealing_key_file().map_or(Self::None, Self::Own),
        }
    }
}

impl SigningKeyStore {
    /// Reads the sealing keys, and encrypts what is in the store in clear or under a key that is not the file's first.
    pub(crate) async fn open(store: Arc<dyn AccountStore>, file: &SealingKeyFile) -> Result<Self, ServerError> {
        let sealing = match file {
            SealingKeyFile::Named(file) => Some(SealingKeys::read(file)?),
            SealingKeyFile::Own(file) => Self::own_sealing_keys(&*store, file).await?,
            SealingKeyFile::None => None,
        };
        let opened = Self { store, sealing, version: AtomicI64::new(0), by: None };
        opened.reseal().await?;
        Ok(opened)
    }

    /// A lost file is not replaced: the signing keys are then to be had from no other.
    async fn own_sealing_keys(store: &dyn AccountStore, file: &Path) -> Result<Option<SealingKeys>, ServerError> {
        if file.exists() {
            return Ok(Some(SealingKeys::read(file)?));
        }
        let is_sealed = store.signing_keys().await?.is_some_and(|stored| sealing::is_sealed(&stored.private_jwks));
        if is_sealed { Ok(None) } else { SealingKeys::make(file).map(Some) }
    }

    /// For whom keys are changed, as the audit log has it.
    pub(crate) fn by(self, by: Actor) -> Self {
        Self { by: Some(by), ..self }
    }

    /// The keys in the store, or new ones. `now`: seconds since the Unix epoch.
    pub(crate) async fn signing_keys(&self, schedule: Schedule, now: i64) -> Result<SigningKeys, ServerError> {
        for _ in 0..ATTEMPTS {
            if let Some((version, keys)) = self.stored().await? {
                self.version.store(version, Ordering::Relaxed);
                return Ok(keys.with_overlap(schedule.overlap)?);
            }
            let keys = SigningKeys::new(new_key()?).with_overlap(schedule.overlap)?.with_signing_since(now)?;
            if self.replace(0, &keys.to_private_jwks(), WRITE).await? {
                self.version.store(1, Ordering::Relaxed);
                return Ok(keys);
            }
            // Another process was first: take its keys.
        }
        Err(ServerError::SigningKeysContended)
    }

    /// Takes the step of the rotation that is due at `now`, if any, and applies to `keys` every step that was taken since the
    /// last call, by this process or another. `now`: seconds since the Unix epoch.
    ///
    /// The store decides which process takes a step. Each has published the next key before any signs with it, if it calls this
    /// at least every [`SIGNING_KEY_ANNOUNCED_SECONDS`].
    pub(crate) async fn upkeep(&self, keys: &SigningKeys, schedule: Schedule, now: i64) -> Result<(), ServerError> {
        for _ in 0..ATTEMPTS {
            let Some((mut version, next)) = self.stored().await? else { return Ok(()) };
            let next = next.with_overlap(schedule.overlap)?;
            if let Some(action) = schedule.step(&next, now)? {
                if !self.replace(version, &next.to_private_jwks(), action).await? {
                    continue;
                }
                version += 1;
                tracing::info!(action, kid = next.signing_key().kid(), "the signing keys were changed");
            }
            if self.version.swap(version, Ordering::Relaxed) != version {
                keys.replace_by_private_jwks(&next.to_private_jwks())?;
            }
            return Ok(());
        }
        Err(ServerError::SigningKeysContended)
    }

    /// Announces a next signing key, unless one is announced, and has it sign as soon as verifiers elsewhere can know it; `at_once`:
    /// now, so that verifiers that have not fetched it yet reject its first tokens. Returns when it signs, in seconds since the Unix
    /// epoch.
    pub(crate) async fn rotate(&self, now: i64, at_once: bool) -> Result<i64, ServerError> {
        for _ in 0..ATTEMPTS {
            let (version, keys) = self.stored().await?.ok_or(ServerError::NoSigningKeys)?;
            let announced_at = announced_at(&keys);
            if let Some(announced_at) = announced_at
                && !at_once
            {
                return Ok(announced_at.saturating_add(SIGNING_KEY_ANNOUNCED_SECONDS));
            }
            if announced_at.is_none() {
                keys.prune(now);
                keys.announce(new_key()?, now)?;
            }
            let (action, signs_at) = if at_once {
                keys.rotate(now)?;
                (ROTATE, now)
            } else {
                (ANNOUNCE, now.saturating_add(SIGNING_KEY_ANNOUNCED_SECONDS))
            };
            if self.replace(version, &keys.to_private_jwks(), action).await? {
                return Ok(signs_at);
            }
        }
        Err(ServerError::SigningKeysContended)
    }

    /// The keys in the store, with the version of the row.
    pub(crate) async fn stored(&self) -> Result<Option<(i64, SigningKeys)>, ServerError> {
        let Some(stored) = self.store.signing_keys().await? else { return Ok(None) };
        let Opened { private_jwks, .. } = self.opened(&stored)?;
        Ok(Some((stored.version, SigningKeys::from_private_jwks(&private_jwks)?)))
    }

    async fn reseal(&self) -> Result<(), ServerError> {
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.store.signing_keys().await? else { return Ok(()) };
            let Opened { private_jwks, is_current } = self.opened(&stored)?;
            if is_current || self.replace(stored.version, &private_jwks, WRITE).await? {
                return Ok(());
            }
        }
        Err(ServerError::SigningKeysContended)
    }

    fn opened(&self, stored: &StoredSigningKeys) -> Result<Opened, ServerError> {
        Ok(sealing::open(self.sealing.as_ref(), stored.version, &stored.private_jwks)?)
    }

    /// Writes the keys in the place of that version, and returns whether the store still had it.
    async fn replace(&self, version: i64, private_jwks: &str, action: &str) -> Result<bool, ServerError> {
        let sealed = match &self.sealing {
            Some(sealing) => sealing.seal(version + 1, private_jwks)?,
            None => Zeroizing::new(private_jwks.to_owned()),
        };
        let by = self.by.clone().unwrap_or_else(audit::caller);
        let record = AuditRecord::new(&by, action, &(version + 1).to_string())?;
        Ok(self.store.replace_signing_keys(version, &sealed, &record).await?)
    }
}

impl Schedule {
    /// Takes the step that is due, and returns what it is called in the audit log.
    fn step(self, keys: &SigningKeys, now: i64) -> Result<Option<&'static str>, ServerError> {
        if keys.prune(now) > 0 {
            return Ok(Some(DROP));
        }
        if let Some(announced_at) = announced_at(keys) {
            if now < announced_at.saturating_add(SIGNING_KEY_ANNOUNCED_SECONDS) {
                return Ok(None);
            }
            keys.rotate(now)?;
            return Ok(Some(ROTATE));
        }
        // A key that does not say since when it signs has signed for long enough.
        let signs_until = signing_since(keys).map_or(now, |since| since.saturating_add(self.lifetime));
        if now < signs_until.saturating_sub(SIGNING_KEY_ANNOUNCED_SECONDS) {
            return Ok(None);
        }
        keys.announce(new_key()?, now)?;
        Ok(Some(ANNOUNCE))
    }
}

/// Of every signing key. `at_hash` of ID tokens relies on its hash, SHA-256.
pub(crate) const SIGNING_ALGORITHM: Algorithm = Algorithm::ES256;

fn new_key() -> Result<SigningKey, ServerError> {
    Ok(SigningKey::generate(SIGNING_ALGORITHM)?)
}

fn announced_at(keys: &SigningKeys) -> Option<i64> {
    keys.published().iter().find_map(|key| match key.role {
        KeyRole::Announced { since } => Some(since),
        _ => None,
    })
}

fn signing_since(keys: &SigningKeys) -> Option<i64> {
    keys.published().iter().find_map(|key| match key.role {
        KeyRole::Signing { since } => since,
        _ => None,
    })
}

/// What is done to signing keys, as the audit log has it.
const WRITE: &str = "signing-keys.write";
const ANNOUNCE: &str = "signing-keys.announce";
const ROTATE: &str = "signing-keys.rotate";
const DROP: &str = "signing-keys.drop";

/// Each failed attempt means that another process wrote in between, which happens once in a rotation.
const ATTEMPTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SIGNING_KEY_MARGIN_SECONDS;
    use tollgate::{Engine, Issuer};
    use tollgate_issuer::Minter;
    use tollgate_sqlite::SqliteAccountStore;

    const START: i64 = 1_700_000_000;
    const HOUR: i64 = 60 * 60;
    /// The overlap as in the service: a process that has not applied a rotation yet mints tokens that expire after it.
    const SCHEDULE: Schedule = Schedule { lifetime: 4 * HOUR, overlap: HOUR + SIGNING_KEY_MARGIN_SECONDS };
    /// Of [`Config::upkeep_interval`](crate::Config::upkeep_interval).
    const UPKEEP_SECONDS: i64 = 60;
    const ISSUER: &str = "https://auth.example";

    /// One process of the service, on a store that it shares.
    struct Process {
        store: SigningKeyStore,
        keys: Arc<SigningKeys>,
        engine: Engine,
        minter: Minter,
    }

    impl Process {
        async fn start(folder: &Path) -> Self {
            let accounts = Arc::new(SqliteAccountStore::open(folder).unwrap());
            let store = SigningKeyStore::open(accounts, &SealingKeyFile::None).await.unwrap();
            let keys = Arc::new(store.signing_keys(SCHEDULE, START).await.unwrap());
            let issuer = Issuer::new(ISSUER).audience(ISSUER).keys(keys.key_ring());
            let engine = Engine::builder().issuer(issuer).build().unwrap();
            let minter = Minter::new(ISSUER, Arc::clone(&keys)).unwrap().with_lifetime(HOUR).unwrap();
            Self { store, keys, engine, minter }
        }

        fn token(&self, now: i64) -> String {
            self.minter.token().subject("user-7").audience(ISSUER).mint_at(now).unwrap()
        }

        fn accepts(&self, token: &str, now: i64) -> bool {
            self.engine.verify_at(token, now).is_ok()
        }
    }

    /// Attack 85, on a clock of the test's own.
    #[tokio::test]
    async fn a85_no_token_fails_while_three_processes_rotate_and_every_old_key_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut processes = Vec::new();
        for _ in 0..3 {
            processes.push(Process::start(folder.path()).await);
        }
        let (mut tokens, mut kids) = (Vec::new(), Vec::new());
        // One process after the other, each once in its interval.
        let seconds = (START..START + 27 * HOUR / 2).step_by(UPKEEP_SECONDS as usize / processes.len());
        for (now, turn) in seconds.zip((0..processes.len()).cycle()) {
            let process = &processes[turn];
            process.store.upkeep(&process.keys, SCHEDULE, now).await.unwrap();
            assert!(process.keys.published().len() <= 3);
            tokens.extend(processes.iter().map(|process| (now, process.token(now))));
            for process in &processes {
                let kid = process.keys.signing_key().kid().to_owned();
                if !kids.contains(&kid) {
                    kids.push(kid);
                }
            }
            // The newest, and the oldest that has not expired.
            tokens.retain(|(made, _)| now < made + HOUR);
            let newest = tokens.len() - processes.len();
            for (made, token) in tokens[newest..].iter().chain(tokens.first()) {
                for (number, process) in processes.iter().enumerate() {
                    assert!(process.accepts(token, now), "{number} rejects at {now} what was made at {made}");
                }
            }
        }
        assert_eq!(kids.len(), 4, "three rotations in thirteen hours");
        for process in &processes {
            assert_eq!(process.keys.published().len(), 1, "each old key is gone");
        }
    }

    #[tokio::test]
    async fn a_key_that_was_announced_by_command_signs_when_it_has_been_published_for_long_enough() {
        let folder = tempfile::tempdir().unwrap();
        let Process { store, keys, .. } = Process::start(folder.path()).await;
        let first = keys.signing_key().kid().to_owned();
        let signs_at = store.rotate(START + 5, false).await.unwrap();
        assert_eq!(signs_at, START + 5 + SIGNING_KEY_ANNOUNCED_SECONDS);
        assert_eq!(store.rotate(START + 9, false).await.unwrap(), signs_at, "it is announced already");
        store.upkeep(&keys, SCHEDULE, signs_at - 1).await.unwrap();
        assert_eq!((keys.signing_key().kid(), keys.published().len()), (first.as_str(), 2));
        store.upkeep(&keys, SCHEDULE, signs_at).await.unwrap();
        assert_ne!(keys.signing_key().kid(), first);
        store.upkeep(&keys, SCHEDULE, signs_at + SCHEDULE.overlap).await.unwrap();
        assert!(!keys.jwks().contains(&first));
    }
}
