use std::fmt;

use ring::hmac;
use ring::rand::SystemRandom;

/// The digest by which a token is known: HMAC-SHA-256 under a secret of the engine, so that nobody can find two tokens
/// with one digest, or a token with a given digest.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct TokenDigest([u8; DIGEST_BYTES]);

pub(crate) const DIGEST_BYTES: usize = 32;

impl TokenDigest {
    pub(crate) fn as_bytes(&self) -> &[u8; DIGEST_BYTES] {
        &self.0
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest")
    }
}

/// Computes digests under one secret.
pub(super) struct Digester(hmac::Key);

impl Digester {
    /// `None` if the system has no randomness.
    pub(super) fn new() -> Option<Self> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok().map(Digester)
    }

    pub(super) fn digest(&self, token: &[u8]) -> TokenDigest {
        let mut digest = [0; DIGEST_BYTES];
        digest.copy_from_slice(hmac::sign(&self.0, token).as_ref());
        TokenDigest(digest)
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester")
    }
}
