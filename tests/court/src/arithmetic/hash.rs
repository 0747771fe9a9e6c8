//! SHA-1 and SHA-2 by name.

use ring::{digest, hmac};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) fn digest(self, message: &[u8]) -> Vec<u8> {
        digest::digest(self.ring(), message).as_ref().to_vec()
    }

    pub(crate) fn length(self) -> usize {
        self.ring().output_len()
    }

    pub(crate) fn hmac(self, secret: &[u8], message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::sign(&hmac::Key::new(algorithm, secret), message).as_ref().to_vec()
    }

    /// The object identifier's content (RFC 8017 appendix B.1).
    pub(crate) fn oid(self) -> &'static [u8] {
        match self {
            Hash::Sha1 => b"\x2b\x0e\x03\x02\x1a",
            Hash::Sha256 => b"\x60\x86\x48\x01\x65\x03\x04\x02\x01",
            Hash::Sha384 => b"\x60\x86\x48\x01\x65\x03\x04\x02\x02",
            Hash::Sha512 => b"\x60\x86\x48\x01\x65\x03\x04\x02\x03",
        }
    }

    fn ring(self) -> &'static digest::Algorithm {
        match self {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        }
    }
}

/// `length` bytes derived from `label` and `data`.
pub(crate) fn expand(label: &str, data: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for counter in 0_u8.. {
        if bytes.len() >= length {
            break;
        }
        let mut message = vec![counter];
        message.extend(data);
        bytes.extend(Hash::Sha512.hmac(label.as_bytes(), &message));
    }
    bytes.truncate(length);
    bytes
}
