use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::fmt;
use zeroize::Zeroizing;

/// A key in clear, or its base64. Zeroized on drop; `Debug` shows nothing of it.
#[derive(Clone)]
pub(super) struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The field of a row; an empty field is absent.
    pub(super) fn given(field: &[u8]) -> Option<Self> {
        (!field.is_empty()).then(|| Self(Zeroizing::new(field.to_owned())))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Decodes base64. No two alphabets decode one text differently.
    pub(super) fn decoded(&self) -> Option<Self> {
        use base64_simd::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
        let decoded = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
            .iter()
            .find_map(|form| form.decode_to_vec(&*self.0).ok());
        decoded.map(|bytes| Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret(Zeroizing::new(text.as_bytes().to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}
