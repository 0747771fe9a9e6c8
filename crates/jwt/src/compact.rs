use crate::base64url;
use crate::bytes::{contains_byte, find_byte, rfind_byte};
use crate::claims::{ClaimLimits, Claims};
use crate::error::{ParseError, Part};
use crate::header::Header;
use crate::json;
use crate::limits::{MAX_JSON_MEMBERS, MAX_TOKEN_BYTES};

/// A JWS in compact serialisation (RFC 7515 section 7.1), split into its parts and borrowed.
///
/// Guarantees: there are three parts, and the token is within the length limit. The methods decode the parts. The token
/// is **not verified**.
#[derive(Clone, Copy)]
pub struct CompactJws<'t> {
    token: &'t str,
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> CompactJws<'t> {
    /// Splits `token`, of at most [`MAX_TOKEN_BYTES`].
    ///
    /// # Errors
    /// [`ParseError::TooLong`], [`ParseError::NotCompact`], [`ParseError::Encrypted`].
    pub fn parse(token: &'t str) -> Result<Self, ParseError> {
        Self::parse_within(token, MAX_TOKEN_BYTES)
    }

    /// Splits `token`, of at most `max_bytes`.
    ///
    /// # Errors
    /// The errors of [`CompactJws::parse`].
    pub fn parse_within(token: &'t str, max_bytes: usize) -> Result<Self, ParseError> {
        if token.len() > max_bytes {
            return Err(ParseError::TooLong { length: token.len(), max: max_bytes });
        }
        // Searched from both ends, so that the payload, the longest part, is scanned only once.
        let bytes = token.as_bytes();
        let (Some(first), Some(last)) = (find_byte(bytes, b'.'), rfind_byte(bytes, b'.')) else {
            return Err(ParseError::NotCompact);
        };
        match token.get(first + 1..last) {
            Some(payload) if !contains_byte(payload.as_bytes(), b'.') => {
                Ok(CompactJws { token, header: &token[..first], payload, signature: &token[last + 1..] })
            }
            _ => Err(not_three_parts(token)),
        }
    }

    /// The whole token.
    #[must_use]
    pub fn token(&self) -> &'t str {
        self.token
    }

    /// The header as it was sent: base64url.
    #[must_use]
    pub fn header(&self) -> &'t str {
        self.header
    }

    /// The payload as it was sent: base64url.
    #[must_use]
    pub fn payload(&self) -> &'t str {
        self.payload
    }

    /// The signature as it was sent: base64url.
    #[must_use]
    pub fn signature(&self) -> &'t str {
        self.signature
    }

    /// The signed bytes: header, dot and payload as they were sent (RFC 7515 section 5.1 step 5).
    #[must_use]
    pub fn signing_input(&self) -> &'t [u8] {
        &self.token.as_bytes()[..self.header.len() + 1 + self.payload.len()]
    }

    /// Decodes the header into `buffer`.
    ///
    /// # Errors
    /// Every [`ParseError`] about the header.
    pub fn decode_header<'s>(&self, buffer: &'s mut json::Buffer) -> Result<Header<'s>, ParseError> {
        Header::new(&decode_object(self.header, Part::Header, MAX_JSON_MEMBERS, buffer)?)
    }

    /// Decodes the header into `buffer` and also returns all its members. For a JWS that carries its own key and is
    /// trusted by that key alone, such as a DPoP proof (RFC 9449).
    ///
    /// # Errors
    /// The errors of [`CompactJws::decode_header`].
    pub fn decode_header_members<'s>(
        &self,
        buffer: &'s mut json::Buffer,
    ) -> Result<(Header<'s>, json::Document<'s>), ParseError> {
        let members = decode_object(self.header, Part::Header, MAX_JSON_MEMBERS, buffer)?;
        Ok((Header::new(&members)?, members))
    }

    /// Decodes the payload into `buffer` and reads it as a JWT's claims.
    ///
    /// # Errors
    /// Every [`ParseError`] about the payload or a claim.
    pub fn decode_claims<'s>(&self, buffer: &'s mut json::Buffer) -> Result<Claims<'s>, ParseError> {
        self.decode_claims_within(&ClaimLimits::default(), buffer)
    }

    /// Decodes the payload into `buffer` and reads it as a JWT's claims, within `limits`.
    ///
    /// # Errors
    /// The errors of [`CompactJws::decode_claims`].
    pub fn decode_claims_within<'s>(
        &self,
        limits: &ClaimLimits,
        buffer: &'s mut json::Buffer,
    ) -> Result<Claims<'s>, ParseError> {
        Claims::new(decode_object(self.payload, Part::Payload, limits.max_members, buffer)?, limits)
    }

    /// Decodes the payload, which need not be JSON, and appends it to `out`.
    ///
    /// # Errors
    /// [`ParseError::Base64`].
    pub fn append_payload(&self, out: &mut Vec<u8>) -> Result<(), ParseError> {
        base64url::append(self.payload, out).map_err(|_| ParseError::Base64 { part: Part::Payload })
    }

    /// Decodes the signature into `out`, replacing the content.
    ///
    /// # Errors
    /// [`ParseError::Base64`].
    pub fn decode_signature(&self, out: &mut Vec<u8>) -> Result<(), ParseError> {
        base64url::decode(self.signature, out).map_err(|_| ParseError::Base64 { part: Part::Signature })
    }
}

impl std::fmt::Debug for CompactJws<'_> {
    /// Omits the signature: header and payload alone are no credential.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompactJws")
            .field("header", &self.header)
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}

fn decode_object<'s>(
    text: &str,
    part: Part,
    max_members: usize,
    buffer: &'s mut json::Buffer,
) -> Result<json::Document<'s>, ParseError> {
    buffer.fill(|bytes| base64url::append(text, bytes)).map_err(|_| ParseError::Base64 { part })?;
    buffer.parse(max_members).map_err(|error| ParseError::Json { part, error })
}

#[cold]
fn not_three_parts(token: &str) -> ParseError {
    match token.bytes().filter(|byte| *byte == b'.').count() {
        4 => ParseError::Encrypted,
        _ => ParseError::NotCompact,
    }
}
