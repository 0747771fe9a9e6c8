//! The blocks of a PEM file (RFC 7468).

use x509_cert::der::pem;
use zeroize::Zeroizing;

use crate::key_refused::KeyRefused;
use crate::spki::{DerKey, DerKind};

/// Reads every block of `text`. Text between blocks is ignored (RFC 7468 section 2).
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
    // Check the label before decoding: a private key must not be copied around in memory.
    let label = block[BEGIN.len()..].split(|&byte| byte == b'-').next().unwrap_or_default();
    let expected = match label {
        b"PUBLIC KEY" => DerKind::SubjectPublicKeyInfo,
        b"RSA PUBLIC KEY" => DerKind::RsaPublicKey,
        b"CERTIFICATE" => DerKind::Certificate,
        _ if label.ends_with(b"PRIVATE KEY") => return DerKey::refused(KeyRefused::PrivateKey),
        _ => return DerKey::refused(KeyRefused::UnsupportedPemLabel),
    };
    match decode(block) {
        Some(der) if DerKind::of(&der) == Some(expected) => DerKey::read(expected, &der),
        Some(_) => DerKey::refused(KeyRefused::MalformedDer),
        None if find(block, br"\n").is_some() => DerKey::refused(KeyRefused::PemWithEscapedLineFeeds),
        None => DerKey::refused(KeyRefused::MalformedPem),
    }
}

/// Whether `text` is the base64 between the two lines of a PEM block of some key.
pub(crate) fn is_bare_base64(text: &[u8]) -> bool {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    // Wiped: it may be a private key.
    let (text, mut der) = (Zeroizing::new(text), Zeroizing::new(Vec::new()));
    der.reserve_exact(text.len());
    base64_simd::STANDARD.decode_append(&*text, &mut *der).is_ok() && DerKind::of(&der).is_some()
}

/// Decodes a block with lines of any length (RFC 7468 section 3, "lax"). The decoder requires equal lengths, so the
/// lines are joined.
fn decode(block: &[u8]) -> Option<Vec<u8>> {
    let (begin, rest) = block.split_at(BEGIN.len() + find(&block[BEGIN.len()..], DASHES)? + DASHES.len());
    let (text, end) = rest.split_at(find(rest, END)?);
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let block = [begin, b"\n", &text, b"\n", end].concat();
    let mut der = Vec::new();
    pem::Decoder::new_detect_wrap(&block).ok()?.decode_to_end(&mut der).ok()?;
    Some(der)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
