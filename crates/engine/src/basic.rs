use zeroize::Zeroizing;

use crate::rejection::Rejection;

/// The user-id and password of `Basic` (RFC 7617 section 2); for a client, its id and secret.
pub(crate) struct BasicCredentials {
    text: Zeroizing<String>,
    colon: usize,
}

impl BasicCredentials {
    /// Decodes base64 with padding, in its one canonical form, of UTF-8 without control characters.
    pub(crate) fn decode(credentials: &[u8]) -> Result<Self, Rejection> {
        let bytes = base64_simd::STANDARD.decode_to_vec(credentials).map_err(|_| Rejection::MalformedBasic)?;
        let text = String::from_utf8(bytes).map(Zeroizing::new).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            Rejection::MalformedBasic
        })?;
        if text.chars().any(char::is_control) {
            return Err(Rejection::MalformedBasic);
        }
        let colon = text.find(':').ok_or(Rejection::MalformedBasic)?;
        Ok(BasicCredentials { text, colon })
    }

    /// All before the first colon.
    pub(crate) fn user_id(&self) -> &str {
        &self.text[..self.colon]
    }

    /// All after the first colon.
    pub(crate) fn password(&self) -> &[u8] {
        &self.text.as_bytes()[self.colon + 1..]
    }
}
