use std::error::Error;
use std::{fmt, str};

use base16ct::mixed;
use base64_simd::{Base64, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// The encoding of an HMAC secret as text.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SecretEncoding {
    /// The bytes of the text itself.
    #[default]
    Utf8,
    /// Base64 (RFC 4648 section 4), with or without padding.
    Base64,
    /// Base64url (RFC 4648 section 5), with or without padding.
    Base64Url,
    /// Hexadecimal digits, two per byte.
    Hex,
}

impl SecretEncoding {
    /// Decodes the secret in `text`. One line feed at the end, as editors and shells leave it, is not part of the text;
    /// everything else is.
    ///
    /// # Errors
    /// [`NotASecret`]. [`HmacKey::new`](crate::HmacKey::new) checks whether the secret is long enough.
    ///
    /// ```
    /// use tollgate_keys::{NotASecret, SecretEncoding};
    ///
    /// assert_eq!(*SecretEncoding::Hex.decode(b"00ff\n")?, [0x00, 0xff]);
    /// assert_eq!(SecretEncoding::Hex.decode(b"00ff\n\n"), Err(NotASecret::Encoding(SecretEncoding::Hex)));
    /// # Ok::<(), NotASecret>(())
    /// ```
    pub fn decode(self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotASecret> {
        if text.starts_with(BYTE_ORDER_MARK) {
            return Err(NotASecret::ByteOrderMark);
        }
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let invalid = || NotASecret::Encoding(self);
        // Allocated at full size: reallocation would leave an unwiped copy.
        let mut secret = Zeroizing::new(Vec::with_capacity(text.len()));
        match self {
            SecretEncoding::Utf8 => secret.extend(str::from_utf8(text).map_err(|_| invalid())?.as_bytes()),
            SecretEncoding::Base64 => decode_base64(STANDARD_NO_PAD, text, &mut secret).ok_or_else(invalid)?,
            SecretEncoding::Base64Url => decode_base64(URL_SAFE_NO_PAD, text, &mut secret).ok_or_else(invalid)?,
            SecretEncoding::Hex => {
                secret.resize(text.len() / 2, 0);
                mixed::decode(text, &mut secret).map_err(|_| invalid())?;
            }
        }
        Ok(secret)
    }

    /// The encoding's name in a configuration file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SecretEncoding::Utf8 => "utf8",
            SecretEncoding::Base64 => "base64",
            SecretEncoding::Base64Url => "base64url",
            SecretEncoding::Hex => "hex",
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Accepts complete padding or none.
fn decode_base64(alphabet: Base64, text: &[u8], secret: &mut Vec<u8>) -> Option<()> {
    let padding = match text {
        [.., b'=', b'='] => 2,
        [.., b'='] => 1,
        _ => 0,
    };
    if padding > 0 && !text.len().is_multiple_of(4) {
        return None;
    }
    alphabet.decode_append(&text[..text.len() - padding], secret).ok()
}

/// The text is not the encoding of a secret. The error does not show the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NotASecret {
    /// The text is not valid in this encoding.
    Encoding(SecretEncoding),
    /// The text begins with a byte order mark: it is unclear whether that is part of the secret.
    ByteOrderMark,
}

impl fmt::Display for NotASecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotASecret::Encoding(encoding) => {
                write!(
                    f,
                    "the secret is not {}: one line feed may follow it, and no other white space",
                    encoding.name()
                )
            }
            NotASecret::ByteOrderMark => f.write_str("the secret begins with a byte order mark: save it without"),
        }
    }
}

impl Error for NotASecret {}
