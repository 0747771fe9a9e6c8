//! The public half of a signing key, vetted by tollgate-keys: a key that no verifier accepts must not sign.

use tollgate_keys::{Algorithm, HmacKey, PublicKey, VerifyingKey};

use crate::{
    error::IssuerError,
    material::Material,
    scheme::{Signer, uncompressed_point},
};

/// The message that a key signs before it is used; any message would do.
const PROBE: &[u8] = b"tollgate-issuer";

/// The key that verifies the signatures of `material`.
pub(crate) fn verifying_key(
    algorithm: Algorithm,
    kid: Option<&str>,
    material: &Material,
) -> Result<VerifyingKey, IssuerError> {
    let public = match material {
        Material::Oct { secret } => {
            return Ok(VerifyingKey::hmac(HmacKey::new(algorithm, secret)?, kid)?);
        }
        Material::Rsa(parts) => PublicKey::rsa(&parts.n, &parts.e)?,
        Material::Ec { curve, x, y, .. } => PublicKey::ec(curve.id, &uncompressed_point(x, y))?,
        Material::Okp { public, .. } => PublicKey::ed25519(public)?,
    };
    Ok(VerifyingKey::new(&public, algorithm, kid)?)
}

/// Signs and verifies once: ring checks some of an RSA key's numbers only while it signs.
pub(crate) fn probe(signer: &Signer, verifying: &VerifyingKey) -> Result<(), IssuerError> {
    let signature = signer.sign(PROBE)?;
    verifying.verify(PROBE, &signature).map_err(|_| IssuerError::SigningFailed)
}
