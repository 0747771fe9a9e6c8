use std::str;

use base64_simd::STANDARD;
use http::HeaderValue;
use tokio::task;
use zeroize::Zeroizing;

use crate::error::FetchError;
use crate::headers::HeaderSource;

/// How this resource server shows to the endpoint who it is.
#[derive(Clone, Debug)]
pub(super) struct Authentication {
    /// Encoded.
    id: String,
    secret: HeaderSource,
}

impl Authentication {
    /// `client_secret_basic` (RFC 6749 section 2.3.1).
    pub(super) fn basic(id: &str, secret: HeaderSource) -> Self {
        Authentication { id: form_encoded(id.as_bytes()).to_string(), secret }
    }

    /// The value of the Authorization field.
    pub(super) async fn authorization(&self) -> Result<HeaderValue, FetchError> {
        let secret = match &self.secret {
            HeaderSource::Value(secret) => secret.clone(),
            file => {
                let file = file.clone();
                task::spawn_blocking(move || file.read()).await.unwrap_or(Err(FetchError::Interrupted))?
            }
        };
        // Both are encoded as in a form before they are joined.
        let secret = form_encoded(secret.as_bytes());
        let joined = Zeroizing::new([self.id.as_bytes(), b":", secret.as_bytes()].concat());
        let encoded = Zeroizing::new(STANDARD.encode_to_string(&*joined));
        let value = Zeroizing::new(["Basic ", &encoded].concat());
        // Base64 is no more than a header may hold.
        let mut value = HeaderValue::from_str(&value).map_err(|_| FetchError::Interrupted)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// `application/x-www-form-urlencoded` (RFC 6749 appendix B).
pub(super) fn form_encoded(bytes: &[u8]) -> Zeroizing<String> {
    // At full size from the start: what a reallocation left behind would not be wiped.
    let mut encoded = Zeroizing::new(String::with_capacity(3 * bytes.len()));
    encoded.extend(form_urlencoded::byte_serialize(bytes));
    encoded
}
