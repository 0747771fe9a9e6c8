use zeroize::Zeroizing;

use crate::rejection::Rejection;

/// The id and secret of a client in `Basic` credentials (RFC 7617 section 2).
///
/// RFC 6749 section 2.3.1 has a client form-encode both before it joins them by a colon. RFC 7617 does not, and many
/// clients do not either. So there are up to two readings, and both are looked up: first the decoded one, then the text
/// as sent. In both, the first colon as sent separates id and secret: a colon in the id is sent as `%3A`.
pub(crate) struct BasicCredentials {
    decoded: Option<Reading>,
    as_sent: Reading,
}

/// Id and secret in one string, which is wiped on drop.
struct Reading {
    text: Zeroizing<String>,
    id_end: usize,
    secret_start: usize,
}

impl BasicCredentials {
    /// Decodes canonical base64, with padding, of UTF-8 without control characters.
    pub(crate) fn decode(credentials: &[u8]) -> Result<Self, Rejection> {
        let bytes = base64_simd::STANDARD.decode_to_vec(credentials).map_err(|_| Rejection::MalformedBasic)?;
        let text = text(bytes).ok_or(Rejection::MalformedBasic)?;
        let colon = text.find(':').ok_or(Rejection::MalformedBasic)?;
        let decoded = Reading::decoded(&text[..colon], &text[colon + 1..]);
        Ok(BasicCredentials { decoded, as_sent: Reading { text, id_end: colon, secret_start: colon + 1 } })
    }

    /// Id and secret as they were sent.
    pub(crate) fn as_sent(&self) -> (&[u8], &[u8]) {
        self.as_sent.parts()
    }

    /// Id and secret of each reading, in the order to try them.
    pub(crate) fn readings(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.decoded.iter().chain([&self.as_sent]).map(Reading::parts)
    }
}

impl Reading {
    /// Form-decodes both (`application/x-www-form-urlencoded`, RFC 6749 appendix B). `None` if decoding changes
    /// nothing, or if no encoder writes such a text: a `%` without two hexadecimal digits, or a decoded text that is
    /// not UTF-8 or has a control character.
    fn decoded(id: &str, secret: &str) -> Option<Self> {
        if ![id, secret].iter().any(|part| part.contains(['%', '+'])) {
            return None;
        }
        // Decoding never lengthens, so the buffer is not reallocated, which would leave an unwiped copy.
        let mut bytes = Zeroizing::new(Vec::with_capacity(id.len() + secret.len()));
        decode_value(id, &mut bytes)?;
        let id_end = bytes.len();
        decode_value(secret, &mut bytes)?;
        let text = text(std::mem::take(&mut *bytes))?;
        text.is_char_boundary(id_end).then_some(Reading { text, id_end, secret_start: id_end })
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        let text = self.text.as_bytes();
        (&text[..self.id_end], &text[self.secret_start..])
    }
}

pub(crate) fn decode_value(value: &str, decoded: &mut Vec<u8>) -> Option<()> {
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => (hex_digit(bytes.next()?)? << 4) | hex_digit(bytes.next()?)?,
            other => other,
        });
    }
    Some(())
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The bytes as UTF-8 without control characters. Other bytes are wiped.
fn text(bytes: Vec<u8>) -> Option<Zeroizing<String>> {
    let text = String::from_utf8(bytes).map(Zeroizing::new).map_err(|error| drop(Zeroizing::new(error.into_bytes())));
    text.ok().filter(|text| has_no_control(text))
}

/// Whether `text` can be an id or a secret in Basic credentials, in either reading.
pub(crate) fn is_text(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(has_no_control)
}

fn has_no_control(text: &str) -> bool {
    !text.chars().any(char::is_control)
}
