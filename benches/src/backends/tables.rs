use tollgate::keys::{PublicKey, VerifyingKey};
use tollgate::{Algorithm, KeySet};

use super::Check;
use super::sample::{Key, Sample};

/// Keys get their tables in a set.
pub(super) fn check(sample: &Sample) -> Option<Check> {
    match &sample.key {
        Key::Encoded(bytes) if sample.algorithm == Algorithm::EdDSA => {
            let key = VerifyingKey::new(&PublicKey::ed25519(bytes).ok()?, Algorithm::EdDSA, None).ok()?;
            let key = KeySet::builder().key(key).build().ok()?.iter().next()?.clone();
            Some(Box::new(move |message, signature| key.verify(message, signature).is_ok()))
        }
        _ => None,
    }
}
