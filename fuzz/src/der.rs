use tollgate::keys::{KeySource, Loaded, key_file};
use tollgate::{Algorithm, KeySet};

/// A key in DER is the same key as in PEM, with any text around it, and no key if a byte is missing or left over. Only
/// public keys are accepted.
pub fn der(data: &[u8]) {
    let Some(loaded) = load(data) else { return };
    assert_sound(&loaded);
    // DER of an accepted key; text with a PEM boundary may begin with the first byte of DER.
    let has_boundary = data.windows(5).any(|window| window == b"-----");
    if data.starts_with(&[0x30]) && !has_boundary && !loaded.set.is_empty() {
        for wrong in [&data[..data.len() - 1], &[data, &[0]].concat()] {
            assert!(load(wrong).is_none_or(|loaded| loaded.set.is_empty()), "a key of another length");
        }
        let armoured =
            [label(&loaded, data), "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"].map(|label| pem(label, data));
        let of_label = load(armoured[0].as_bytes()).expect("PEM");
        assert_same(&loaded, &of_label);
        // Another label contradicts the contents of the block.
        let keys = armoured[1..].iter().filter(|text| load(text.as_bytes()).is_some_and(|other| !other.set.is_empty()));
        assert_eq!(keys.count(), 1);
    }
    if data.starts_with(b"-----BEGIN ") {
        for text in ["# two keys\n", "0 s:CN=example\n   i:CN=example\n"] {
            let explained = load(&[text.as_bytes(), data].concat()).expect("PEM after text");
            assert_same(&loaded, &explained);
        }
    }
}

fn load(data: &[u8]) -> Option<Loaded> {
    let algorithms: Vec<_> = Algorithm::all().collect();
    key_file::load(data, KeySet::builder().source(KeySource::Local).algorithms(&algorithms)).ok()
}

fn assert_sound(loaded: &Loaded) {
    for report in &loaded.reports {
        assert_eq!(report.refused.is_none(), !report.algs.is_empty(), "{report:?}");
    }
    for key in loaded.set.iter().take(4) {
        assert!(key.verify(b"message", &vec![0; key.signature_bytes()]).is_err());
    }
}

fn assert_same(one: &Loaded, other: &Loaded) {
    assert_eq!(one.reports, other.reports);
    assert_eq!(one.set.len(), other.set.len());
    assert!(one.set.iter().all(|key| other.set.contains(key)));
}

/// The RFC 7468 label for the contents of `der`, an accepted key.
fn label(loaded: &Loaded, der: &[u8]) -> &'static str {
    // A SEQUENCE of two INTEGERs is a PKCS #1 key, and only a certificate has a validity.
    let length_bytes = if der[1] & 0x80 == 0 { 0 } else { usize::from(der[1] & 0x7f) };
    match (loaded.reports[0].validity, der[2 + length_bytes]) {
        (Some(_), _) => "CERTIFICATE",
        (None, 2) => "RSA PUBLIC KEY",
        _ => "PUBLIC KEY",
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (index, three) in der.chunks(3).enumerate() {
        if index % 16 == 0 {
            text.push('\n');
        }
        let number = three.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let value = number >> (18 - 6 * digit) & 63;
            text.push(if digit <= three.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    format!("-----BEGIN {label}-----{text}\n-----END {label}-----\n")
}
