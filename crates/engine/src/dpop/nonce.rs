use std::fmt;
use std::sync::Arc;

use ring::hmac::{self, HMAC_SHA256};
use subtle::ConstantTimeEq;
use tollgate_jwt::base64url;

use crate::limits::{NONCE_RENEWAL_SECONDS, NONCE_SECONDS};
use crate::sync::ArcSwap;

/// The secrets of DPoP nonces (RFC 9449 sections 8 and 9), which engines share: clones are the same secrets.
///
/// A nonce is the time at which it was made, and a MAC of it. So nothing is stored, and every engine that has the secret
/// knows the nonces of the others, also those of other processes and hosts.
///
/// ```
/// use tollgate::{Dpop, NonceSecrets};
///
/// let secrets = NonceSecrets::new(&[7; 32]);
/// let dpop = Dpop::new().require_nonce_of(&secrets);
/// secrets.replace(&[8; 32], &[[7; 32]]);
/// ```
#[derive(Clone)]
pub struct NonceSecrets(Arc<ArcSwap<Secrets>>);

struct Secrets {
    /// With which nonces are made.
    current: hmac::Key,
    /// With which else they may have been made.
    others: Vec<hmac::Key>,
}

impl NonceSecrets {
    /// One secret of 32 random bytes.
    #[must_use]
    pub fn new(current: &[u8; 32]) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Secrets::new(current, &[]))))
    }

    /// Makes nonces with `current` from now on, and knows those that were made with it or with one of `others`. For a
    /// rotation without a rejected nonce `others` has the last secret, and first of all the next one, until every engine
    /// has it.
    pub fn replace(&self, current: &[u8; 32], others: &[[u8; 32]]) {
        self.0.store(Arc::new(Secrets::new(current, others)));
    }

    /// The nonce of the time `now`, in seconds since the Unix epoch.
    pub(super) fn at(&self, now: i64) -> String {
        let (secrets, time) = (self.0.load(), now.to_be_bytes());
        let mac = hmac::sign(&secrets.current, &time);
        base64url::encode([&time, &mac.as_ref()[..MAC_BYTES]].concat())
    }

    /// When the nonce was made, in seconds since the Unix epoch. `None` if it was not made with these secrets, is
    /// [too old](NONCE_SECONDS), or is one of a later time: another host's, whose clock is ahead.
    pub(super) fn made_at(&self, nonce: &str, earliest: i64, latest: i64) -> Option<i64> {
        let mut bytes = [0; TIME_BYTES + MAC_BYTES];
        base64url::decode_exactly(nonce, &mut bytes).ok()?;
        let (time, mac) = bytes.split_first_chunk::<TIME_BYTES>()?;
        let made_at = i64::from_be_bytes(*time);
        let is_of_now = made_at <= earliest && latest.saturating_sub(made_at) < NONCE_SECONDS;
        (is_of_now && self.0.load().have_made(time, mac)).then_some(made_at)
    }

    /// Whether a client whose nonce was made at `made_at` should have the next one.
    pub(super) fn is_to_be_renewed(made_at: i64, now: i64) -> bool {
        now.saturating_sub(made_at) >= NONCE_RENEWAL_SECONDS
    }
}

impl Secrets {
    fn new(current: &[u8; 32], others: &[[u8; 32]]) -> Self {
        let key = |secret: &[u8; 32]| hmac::Key::new(HMAC_SHA256, secret);
        Self { current: key(current), others: others.iter().map(key).collect() }
    }

    fn have_made(&self, time: &[u8], mac: &[u8]) -> bool {
        [&self.current].into_iter().chain(&self.others).any(|key| {
            let whole = hmac::sign(key, time);
            whole.as_ref()[..MAC_BYTES].ct_eq(mac).into()
        })
    }
}

/// Omits the secrets.
impl fmt::Debug for NonceSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceSecrets").finish_non_exhaustive()
    }
}

const TIME_BYTES: usize = 8;

/// 128 bits: guessing one is hopeless, and the nonce stays short.
const MAC_BYTES: usize = 16;
