use subtle::ConstantTimeEq;
use tollgate_jwt::base64url;
use tollgate_keys::sha256;

use crate::limits::NONCE_SECONDS;

/// Nonces without stored state: the nonce of a period is a MAC of its number (RFC 9449 section 9).
pub(super) struct Nonces {
    secret: [u8; 32],
}

impl Nonces {
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        Nonces { secret: sha256(&[secret, &b"nonce"[..]].concat()) }
    }

    /// The nonce of the time `now`, in seconds since the Unix epoch.
    pub(super) fn at(&self, now: i64) -> String {
        self.of_period(now.div_euclid(NONCE_SECONDS))
    }

    /// Whether `nonce` is that of the time `now`, or of the period before.
    pub(super) fn admit(&self, nonce: &str, now: i64) -> bool {
        let period = now.div_euclid(NONCE_SECONDS);
        let is_of = |period| self.of_period(period).as_bytes().ct_eq(nonce.as_bytes());
        (is_of(period) | is_of(period.saturating_sub(1))).into()
    }

    fn of_period(&self, period: i64) -> String {
        base64url::encode(&sha256(&[&self.secret, &period.to_be_bytes()[..]].concat())[..16])
    }
}
