use tollgate_jwt::json;

use crate::key_refused::KeyRefused;
use crate::limits::MAX_HMAC_SECRET_BYTES;
use crate::spki::DerKind;

/// Vets an HMAC secret for a hash whose output is `min` bytes long (RFC 7518 section 3.2).
///
/// The text of a public key is refused too: everyone who knows the key could sign (CVE-2015-9235).
pub(crate) fn vet_secret(secret: &[u8], min: usize) -> Result<(), KeyRefused> {
    let bytes = secret.len();
    if bytes == 0 {
        return Err(KeyRefused::HmacSecretEmpty);
    }
    if bytes < min {
        return Err(KeyRefused::HmacSecretTooShort { bytes, min });
    }
    if bytes > MAX_HMAC_SECRET_BYTES {
        return Err(KeyRefused::HmacSecretTooLong { bytes });
    }
    if secret.windows(PEM_BOUNDARY.len()).any(|window| window == PEM_BOUNDARY) {
        return Err(KeyRefused::HmacSecretIsPem);
    }
    if is_jwk(secret) {
        return Err(KeyRefused::HmacSecretIsJwk);
    }
    if DerKind::of(secret).is_some() {
        return Err(KeyRefused::HmacSecretIsDer);
    }
    Ok(())
}

const PEM_BOUNDARY: &[u8] = b"-----BEGIN ";

/// Whether the secret is the text of a JWK or a JWK set.
fn is_jwk(secret: &[u8]) -> bool {
    let mut buffer = json::Buffer::default();
    let text = json::without_byte_order_mark(secret);
    text.trim_ascii_start().starts_with(b"{")
        && json::parse(text, &mut buffer).is_ok_and(|document| {
            let object = document.root();
            object.get("kty").is_some() || object.get("keys").is_some()
        })
}
