//! The keys of one issuer, and their rotation with overlap.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tollgate_keys::{KeyRing, KeySet};
use zeroize::Zeroizing;

use crate::{
    error::IssuerError,
    limits::DEFAULT_OVERLAP_SECONDS,
    private_jwks,
    published_key::PublishedKey,
    rotation::{Rotation, check_overlap, check_time},
    signing_key::SigningKey,
};

/// The key that signs, and every other published key.
///
/// A rotation has three steps, one call each:
///
/// 1. [`announce`](Self::announce) publishes the next key. Wait until other verifiers have fetched the new JWKS: at
///    least as long as they may cache it.
/// 2. [`rotate`](Self::rotate) signs with that key. The old key stays published for the overlap, so that its tokens
///    keep verifying.
/// 3. [`prune`](Self::prune) drops old keys after their overlap. Call it from a timer;
///    [`next_retirement`](Self::next_retirement) returns the time of the next drop.
///
/// Readers take no lock: [`jwks`](Self::jwks), [`signing_key`](Self::signing_key) and minting load one immutable
/// snapshot. An engine in the same process that uses [`key_ring`](Self::key_ring) has applied each step before the call
/// returns. A key is in the ring before it signs, and is removed from the ring before the call that drops it returns.
///
/// ```
/// use tollgate_issuer::{SigningKey, SigningKeys};
/// use tollgate_keys::Algorithm;
///
/// let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES256)?).with_overlap(3_600)?;
/// let first = keys.signing_key().kid().to_owned();
///
/// let now = 1_700_000_000;
/// keys.announce(SigningKey::generate(Algorithm::EdDSA)?, now - 600)?;
/// assert_eq!(keys.rotate(now)?, now + 3_600);
/// assert_ne!(keys.signing_key().kid(), first);
/// assert!(keys.jwks().contains(&first));
///
/// assert_eq!(keys.prune(now + 3_599), 0);
/// assert_eq!(keys.prune(now + 3_600), 1);
/// assert!(!keys.jwks().contains(&first));
/// # Ok::<(), tollgate_issuer::IssuerError>(())
/// ```
pub struct SigningKeys {
    snapshot: ArcSwap<Snapshot>,
    /// The writers' lock. Readers never take it.
    rotation: Mutex<Rotation>,
    ring: KeyRing,
}

/// The readers' snapshot: one state of the rotation.
struct Snapshot {
    signing: Arc<SigningKey>,
    jwks: Arc<str>,
    overlap_seconds: i64,
}

impl SigningKeys {
    /// Publishes `signing` and signs with it; [`DEFAULT_OVERLAP_SECONDS`] is the overlap.
    #[must_use]
    pub fn new(signing: SigningKey) -> Self {
        Self::from_rotation(Rotation::new(signing, DEFAULT_OVERLAP_SECONDS))
    }

    /// Sets how long a key stays published after it has stopped signing, in seconds: at least the longest lifetime of a
    /// token, plus the verifiers' leeway. The minter refuses a longer lifetime. Applies to future rotations.
    ///
    /// # Errors
    /// [`IssuerError::InvalidOverlap`] if `seconds` is negative or longer than a claim can express.
    pub fn with_overlap(self, seconds: i64) -> Result<Self, IssuerError> {
        self.change(|rotation| {
            rotation.overlap_seconds = check_overlap(seconds)?;
            Ok(())
        })?;
        Ok(self)
    }

    /// Sets when the signing key began to sign, in seconds since the Unix epoch. [`rotate`](Self::rotate) sets it for the
    /// next key.
    ///
    /// # Errors
    /// [`IssuerError::InvalidTime`] if `time` is outside the range of a claim.
    pub fn with_signing_since(self, time: i64) -> Result<Self, IssuerError> {
        self.change(|rotation| {
            rotation.signing_since = Some(check_time(time)?);
            Ok(())
        })?;
        Ok(self)
    }

    /// Publishes `next`, which signs from the next [`rotate`](Self::rotate) on. `now`: seconds since the Unix epoch.
    ///
    /// # Errors
    /// [`IssuerError::AlreadyAnnounced`] if another key is announced, [`IssuerError::DuplicateKey`] if the key or its
    /// `kid` is already published, [`IssuerError::TooManyKeys`] if retired keys must be pruned first,
    /// [`IssuerError::InvalidTime`] if `now` is outside the range of a claim.
    pub fn announce(&self, next: SigningKey, now: i64) -> Result<(), IssuerError> {
        self.change(|rotation| rotation.announce(next, now))
    }

    /// Signs with the announced key from now on; the old key stays published. Returns the time when the old key
    /// retires: `now` plus the overlap. `now`: seconds since the Unix epoch.
    ///
    /// # Errors
    /// [`IssuerError::NothingAnnounced`]; [`IssuerError::InvalidTime`] if `now` is outside the range of a claim.
    pub fn rotate(&self, now: i64) -> Result<i64, IssuerError> {
        self.change(|rotation| rotation.rotate(now))
    }

    /// Drops the keys whose overlap has ended at `now` (seconds since the Unix epoch). Returns how many.
    ///
    /// After the return, no engine that uses [`key_ring`](Self::key_ring) accepts a token of these keys.
    pub fn prune(&self, now: i64) -> usize {
        let mut rotation = self.rotation.lock();
        let dropped = rotation.prune(now);
        if dropped > 0 {
            self.publish(&rotation);
        }
        dropped
    }

    /// Drops an announced or retired key at once, for example after a leak. If the signing key has leaked, announce
    /// another key and rotate first.
    ///
    /// # Errors
    /// [`IssuerError::UnknownKey`], [`IssuerError::KeyInUse`].
    pub fn withdraw(&self, kid: &str) -> Result<(), IssuerError> {
        self.change(|rotation| rotation.withdraw(kid))
    }

    /// Every published key with its role: the signing one, the announced one, and the retired ones, the oldest first.
    #[must_use]
    pub fn published(&self) -> Vec<PublishedKey> {
        self.rotation.lock().roles().collect()
    }

    /// The earliest time at which a published key retires, in seconds since the Unix epoch.
    #[must_use]
    pub fn next_retirement(&self) -> Option<i64> {
        self.rotation.lock().next_retirement()
    }

    /// The key that signs now.
    #[must_use]
    pub fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.snapshot.load().signing)
    }

    /// How long a key stays published after it has stopped signing, in seconds.
    #[must_use]
    pub fn overlap(&self) -> i64 {
        self.snapshot.load().overlap_seconds
    }

    /// The JWKS to publish (RFC 7517 section 5): the public part of every key, the signing one first. HMAC keys have no
    /// public part and are left out. Built once per step of the rotation.
    #[must_use]
    pub fn jwks(&self) -> Arc<str> {
        Arc::clone(&self.snapshot.load().jwks)
    }

    /// The current verification keys, including HMAC keys: for use in this process only.
    #[must_use]
    pub fn key_set(&self) -> KeySet {
        KeySet::clone(&self.ring.load())
    }

    /// The ring with the current keys, including HMAC keys, for an engine in the same process.
    #[must_use]
    pub fn key_ring(&self) -> KeyRing {
        self.ring.clone()
    }

    /// Increases with each step of the rotation. Suitable as an `ETag` for the JWKS.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.ring.generation()
    }

    /// Writes the whole rotation as one private JWKS: each key's private JWK with its state (`tollgate_state`:
    /// `signing`, `announced` or `retired`), the retired ones with their time (`tollgate_retires_at`), and the overlap
    /// (`tollgate_overlap`). Wiped when dropped; store it like a password.
    ///
    /// ```
    /// use tollgate_issuer::{SigningKey, SigningKeys};
    /// use tollgate_keys::Algorithm;
    ///
    /// let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES256)?);
    /// keys.announce(SigningKey::generate(Algorithm::ES256)?, 1_700_000_000)?;
    /// let restored = SigningKeys::from_private_jwks(&keys.to_private_jwks())?;
    /// assert_eq!(restored.jwks(), keys.jwks());
    /// # Ok::<(), tollgate_issuer::IssuerError>(())
    /// ```
    #[must_use]
    pub fn to_private_jwks(&self) -> Zeroizing<String> {
        private_jwks::write(&self.rotation.lock())
    }

    /// Reads the text of [`to_private_jwks`](Self::to_private_jwks). A plain private JWKS with one key is accepted too:
    /// that key signs.
    ///
    /// # Errors
    /// [`IssuerError::NotAPrivateKey`] if the text is not such a JWKS, or does not contain exactly one signing key and
    /// at most one announced one. Otherwise the errors of [`SigningKey::from_jwk`], [`announce`](Self::announce) and
    /// [`with_overlap`](Self::with_overlap).
    pub fn from_private_jwks(json: &str) -> Result<Self, IssuerError> {
        Ok(Self::from_rotation(private_jwks::read(json)?))
    }

    /// Replaces every key and its role by those of a text of [`to_private_jwks`](Self::to_private_jwks), for example after
    /// another process has rotated; keeps the overlap of these keys. Engines that use [`key_ring`](Self::key_ring) have
    /// applied it before the call returns.
    ///
    /// # Errors
    /// As [`from_private_jwks`](Self::from_private_jwks); nothing has changed then.
    pub fn replace_by_private_jwks(&self, json: &str) -> Result<(), IssuerError> {
        let read = private_jwks::read(json)?;
        self.change(|rotation| {
            let overlap_seconds = rotation.overlap_seconds;
            *rotation = Rotation { overlap_seconds, ..read };
            Ok(())
        })
    }

    fn from_rotation(rotation: Rotation) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(Snapshot::of(&rotation)),
            ring: KeyRing::new(rotation.key_set()),
            rotation: Mutex::new(rotation),
        }
    }

    fn change<T>(&self, step: impl FnOnce(&mut Rotation) -> Result<T, IssuerError>) -> Result<T, IssuerError> {
        let mut rotation = self.rotation.lock();
        let result = step(&mut rotation)?;
        self.publish(&rotation);
        Ok(result)
    }

    /// The ring first: a token minted with the new snapshot must find its key in the ring.
    fn publish(&self, rotation: &Rotation) {
        self.ring.replace(rotation.key_set());
        self.snapshot.store(Arc::new(Snapshot::of(rotation)));
    }
}

impl Snapshot {
    fn of(rotation: &Rotation) -> Self {
        Self {
            signing: Arc::clone(&rotation.signing),
            jwks: rotation.jwks().into(),
            overlap_seconds: rotation.overlap_seconds,
        }
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys")
            .field("signing", &self.snapshot.load().signing)
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}
