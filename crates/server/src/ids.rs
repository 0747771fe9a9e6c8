use crate::error::ServerError;
use crate::limits::{ID_BYTES, SECRET_BYTES};
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::Digest;
use tollgate::jwt::base64url;
use zeroize::Zeroizing;

/// A new public id: the prefix, then lower-case hexadecimal digits of 128 random bits.
pub(crate) fn new_id(prefix: &str) -> Result<String, ServerError> {
    let mut id = format!("{prefix}_");
    for byte in random::<ID_BYTES>()?.iter() {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    Ok(id)
}

/// A new secret of 256 random bits in base64url, and the digest under which it is kept.
pub(crate) fn new_secret() -> Result<(Zeroizing<String>, [u8; 32]), ServerError> {
    let secret = Zeroizing::new(base64url::encode(random::<SECRET_BYTES>()?.as_slice()));
    let digest = digest(&secret);
    Ok((secret, digest))
}

/// SHA-256 of the text.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    *Digest::of(text.as_bytes()).as_bytes()
}

/// Seconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, ServerError> {
    let mut bytes = Zeroizing::new([0; N]);
    SystemRandom::new().fill(bytes.as_mut_slice()).map_err(|_| ServerError::NoRandomness)?;
    Ok(bytes)
}
