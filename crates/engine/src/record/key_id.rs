//! A key's id in 16 bytes.

/// The form of an id, which says how its text is made of the 16 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum IdForm {
    /// At most 16 bytes of text, followed by U+0000.
    Text = 1,
    /// A prefix, then 128 bits as 26 digits of lower-case Crockford base32: what the store makes.
    Base32 = 2,
    /// A prefix, then a UUID in lower-case hexadecimal (RFC 9562 section 4).
    Uuid = 3,
}

/// An id in its parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct KeyId<'t> {
    pub(super) form: IdForm,
    pub(super) prefix: &'t str,
    pub(super) number: u128,
}

/// The longest prefix, so that an id has an upper bound. Our own choice.
const MAX_PREFIX_BYTES: usize = 16;

/// Bytes of the longest id: a prefix and a UUID.
pub(super) const MAX_ID_BYTES: usize = MAX_PREFIX_BYTES + UUID_BYTES;

impl<'t> KeyId<'t> {
    /// `None` when the id has none of the forms.
    pub(super) fn read(id: &'t str) -> Option<Self> {
        let with_suffix = |form: IdForm, bytes: usize, read: fn(&str) -> Option<u128>| {
            let at = id.len().checked_sub(bytes).filter(|at| *at <= MAX_PREFIX_BYTES)?;
            let (prefix, suffix) = id.split_at_checked(at)?;
            Some(KeyId { form, prefix, number: read(suffix)? })
        };
        with_suffix(IdForm::Base32, BASE32_DIGITS, read_base32)
            .or_else(|| with_suffix(IdForm::Uuid, UUID_BYTES, read_uuid))
            .or_else(|| Some(KeyId { form: IdForm::Text, prefix: "", number: read_text(id)? }))
    }

    /// Writes the id's text. Returns it.
    pub(super) fn write<'b>(&self, buffer: &'b mut [u8; MAX_ID_BYTES]) -> &'b str {
        let mut bytes = 0;
        let mut push = |byte: u8| {
            if let Some(place) = buffer.get_mut(bytes) {
                *place = byte;
                bytes += 1;
            }
        };
        self.prefix.bytes().for_each(&mut push);
        match self.form {
            IdForm::Text => self.number.to_be_bytes().into_iter().take_while(|byte| *byte != 0).for_each(push),
            IdForm::Base32 => (0..BASE32_DIGITS as u32)
                .rev()
                .map(|place| BASE32[(self.number >> (5 * place)) as usize % BASE32.len()])
                .for_each(push),
            IdForm::Uuid => {
                for digit in 0..32 {
                    if HYPHENS_BEFORE.contains(&digit) {
                        push(b'-');
                    }
                    push(HEX[(self.number >> (124 - 4 * digit)) as usize % HEX.len()]);
                }
            }
        }
        std::str::from_utf8(&buffer[..bytes]).unwrap_or_default()
    }
}

/// The least number that holds 128 bits.
const BASE32_DIGITS: usize = 26;

const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

const HEX: &[u8; 16] = b"0123456789abcdef";

const UUID_BYTES: usize = 36;

const HYPHENS_BEFORE: [usize; 4] = [8, 12, 16, 20];

fn read_base32(digits: &str) -> Option<u128> {
    digits.bytes().try_fold(0_u128, |number, digit| {
        let value = BASE32.iter().position(|one| *one == digit)?;
        // Of 130 bits the first two have to be 0.
        if number >> 123 == 0 { Some((number << 5) | value as u128) } else { None }
    })
}

fn read_uuid(text: &str) -> Option<u128> {
    let mut digits = 0;
    let mut number = 0;
    for (at, byte) in text.bytes().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        number = (number << 4) | HEX.iter().position(|one| *one == byte)? as u128;
        digits += 1;
    }
    Some(number).filter(|_| digits == 32)
}

fn read_text(text: &str) -> Option<u128> {
    let mut bytes = [0; 16];
    bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    Some(u128::from_be_bytes(bytes)).filter(|_| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::{IdForm, KeyId, MAX_ID_BYTES};

    #[test]
    fn an_id_is_written_as_it_was_read() {
        for (id, form) in [
            ("", IdForm::Text),
            ("k", IdForm::Text),
            ("key-123456789012", IdForm::Text),
            ("schl\u{fc}ssel", IdForm::Text),
            ("key_01kam9v3h2f7xq0d8zr5n4wbtc", IdForm::Base32),
            ("7zzzzzzzzzzzzzzzzzzzzzzzzz", IdForm::Base32),
            ("00000000000000000000000000", IdForm::Base32),
            ("client_secret_01kam9v3h2f7xq0d8zr5n4wbtc", IdForm::Base32),
            ("9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52", IdForm::Uuid),
            ("k\u{e9}y:00000000-0000-0000-0000-00000000000f", IdForm::Uuid),
            ("sixteen bytes___ffffffff-ffff-ffff-ffff-ffffffffffff", IdForm::Uuid),
        ] {
            let read = KeyId::read(id).unwrap();
            assert_eq!((read.form, read.write(&mut [0; MAX_ID_BYTES])), (form, id));
        }
    }

    #[test]
    fn an_id_of_another_form_is_not_taken() {
        for id in [
            "seventeen bytes__",
            "nul\0",
            "8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "01KAM9V3H2F7XQ0D8ZR5N4WBTC",
            "01kam9v3h2f7xq0d8zr5n4wbtu",
            "seventeen bytes__01kam9v3h2f7xq0d8zr5n4wbtc",
            "9B2F64F1-6F0E-4C0E-9D0A-6A1F0C9B7D52",
            "9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d5",
            "9b2f64f106f0e-4c0e-9d0a-6a1f0c9b7d52",
            "9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b-d52",
        ] {
            assert_eq!(KeyId::read(id), None, "{id}");
        }
    }
}
