//! The two forms of base64 (RFC 4648 sections 4 and 5), only in canonical form (section 3.5).

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};

/// As in JWS: no padding (RFC 7515 section 2), no bits after the last byte.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// Decodes base64url without padding.
pub(crate) fn decode_url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE.decode(text).ok()
}

/// Encodes base64url without padding.
pub(crate) fn encode_url(bytes: &[u8]) -> String {
    URL_SAFE.encode(bytes)
}

/// Decodes base64 with mandatory padding, as in Basic (RFC 7617 section 2).
pub(crate) fn decode_standard(text: &str) -> Option<Vec<u8>> {
    general_purpose::STANDARD.decode(text).ok()
}

/// Encodes base64 with padding.
pub(crate) fn encode_standard(bytes: &[u8]) -> String {
    general_purpose::STANDARD.encode(bytes)
}
