//! The secrets of DPoP nonces. They are derived from the signing keys of the store: so every process has the same, they are encrypted in
//! the store as the signing keys are, and change with them.

use ring::hkdf::{HKDF_SHA256, Salt};
use tollgate::NonceSecrets;
use tollgate_issuer::{KeyRole, SigningKey, SigningKeys};
use zeroize::Zeroizing;

pub(crate) fn of(keys: &SigningKeys) -> NonceSecrets {
    NonceSecrets::new(&secret_of(&keys.signing_key()))
}

/// After a step of the rotation. Nonces are made with the signing key's secret. Those of the announced key are known already, which another
/// process may sign with by now, and those of retired keys still.
pub(crate) fn renew(secrets: &NonceSecrets, keys: &SigningKeys) {
    let published = keys.published();
    let others = published.iter().filter(|published| !matches!(published.role, KeyRole::Signing { .. }));
    let others: Vec<_> = others.map(|published| *secret_of(&published.key)).collect();
    secrets.replace(&secret_of(&keys.signing_key()), &others);
}

/// HKDF (RFC 5869): it tells nothing about the key, nor about what is derived from the key for another purpose.
fn secret_of(key: &SigningKey) -> Zeroizing<[u8; 32]> {
    let mut secret = Zeroizing::new([0; 32]);
    let pseudorandom_key = Salt::new(HKDF_SHA256, b"tollgate").extract(key.to_private_jwk().as_bytes());
    let material =
        pseudorandom_key.expand(&[b"DPoP nonces"], HKDF_SHA256).and_then(|okm| okm.fill(secret.as_mut_slice()));
    material.expect("HKDF gives as many bytes as its hash has");
    secret
}
