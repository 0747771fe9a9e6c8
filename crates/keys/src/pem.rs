//! The blocks of a PEM file (RFC 7468).

use x509_cert::der::pem;

use crate::key_refused::KeyRefused;
use crate::spki::{DerKey, DerKind};

/// Reads every block of `text`. What lies between blocks is passed over (RFC 7468 section 2).
pub(crate) fn read_blocks(text: &[u8]) -> Vec<DerKey> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(start) = find(rest, BEGIN) {
        let block = &rest[start..];
        let end = find(block, END).and_then(|end| {
            let after_label = end + END.len();
            find(&block[after_label..], DASHES).map(|dashes| after_label + dashes + DASHES.len())
        });
        let Some(end) = end else {
            keys.push(DerKey::refused(KeyRefused::MalformedPem));
            break;
        };
        keys.push(read_block(&block[..end]));
        rest = &block[end..];
    }
    keys
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

fn read_block(block: &[u8]) -> DerKey {
    // The label first, without decoding: a private key is not to be copied around in memory.
    let label = block[BEGIN.len()..].split(|&byte| byte == b'-').next().unwrap_or_default();
    let expected = match label {
        b"PUBLIC KEY" => DerKind::SubjectPublicKeyInfo,
        b"RSA PUBLIC KEY" => DerKind::RsaPublicKey,
        b"CERTIFICATE" => DerKind::Certificate,
        _ if label.ends_with(b"PRIVATE KEY") => return DerKey::refused(KeyRefused::PrivateKey),
        _ => return DerKey::refused(KeyRefused::UnsupportedPemLabel),
    };
    match pem::decode_vec(block) {
        Ok((_, der)) if DerKind::of(&der) == Some(expected) => DerKey::read(expected, &der),
        Ok(_) => DerKey::refused(KeyRefused::MalformedDer),
        Err(_) => DerKey::refused(KeyRefused::MalformedPem),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
