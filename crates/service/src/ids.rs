use crate::error::ServerError;
use crate::limits::SECRET_BYTES;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::jwt::base64url;
use zeroize::Zeroizing;

/// A new secret of 256 random bits in base64url, and the digest under which it is kept.
pub(crate) fn new_secret() -> Result<(Zeroizing<String>, [u8; 32]), ServerError> {
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    SystemRandom::new().fill(bytes.as_mut_slice()).map_err(|_| ServerError::NoRandomness)?;
    let secret = Zeroizing::new(base64url::encode(bytes.as_slice()));
    let digest = digest(&secret);
    Ok((secret, digest))
}

/// SHA-256 of the text.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    bytes
}

/// Seconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}
