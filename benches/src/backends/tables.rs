use tollgate::keys::{Curve, PublicKey, VerifyingKey};
use tollgate::{Algorithm, KeySet};

use super::Check;
use super::sample::{Key, Sample};

/// A key gets its tables when a set is built.
pub(super) fn check(sample: &Sample) -> Option<Check> {
    let Key::Encoded(bytes) = &sample.key else { return None };
    let key = match sample.algorithm {
        Algorithm::EdDSA => PublicKey::ed25519(bytes),
        Algorithm::ES256 => PublicKey::ec(Curve::P256, bytes),
        Algorithm::ES384 => PublicKey::ec(Curve::P384, bytes),
        _ => return None,
    };
    let key = VerifyingKey::new(&key.ok()?, sample.algorithm, None).ok()?;
    let key = KeySet::builder().key(key).build().ok()?.iter().next()?.clone();
    Some(Box::new(move |message, signature| key.verify(message, signature).is_ok()))
}
