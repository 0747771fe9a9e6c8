//! HMAC secrets in text encodings.

use tollgate_keys::{Algorithm, KeyRefused, KeySet, NotASecret, SecretEncoding};

use SecretEncoding::{Base64, Base64Url, Hex, Utf8};

#[test]
fn texts_stand_for_their_bytes() {
    let table: [(SecretEncoding, &str, &[u8]); 12] = [
        (Utf8, "pässword", "pässword".as_bytes()),
        (Utf8, " a ", b" a "),
        (Base64, "+/8=", &[0xfb, 0xff]),
        (Base64, "+/8", &[0xfb, 0xff]),
        (Base64, "AA==", &[0]),
        (Base64, "AAAA", &[0; 3]),
        (Base64Url, "-_8=", &[0xfb, 0xff]),
        (Base64Url, "-_8", &[0xfb, 0xff]),
        (Hex, "00Ff", &[0, 0xff]),
        (Hex, "", b""),
        (Base64, "", b""),
        (Utf8, "", b""),
    ];
    for (encoding, text, secret) in table {
        for end in ["", "\n"] {
            let decoded = encoding.decode(format!("{text}{end}").as_bytes());
            assert_eq!(decoded.as_ref().map(|secret| &***secret), Ok(secret), "{encoding:?} {text:?}");
        }
    }
    assert_eq!(**Utf8.decode(b"a\r\n\n").as_ref().unwrap(), *b"a\r\n");
}

#[test]
fn texts_that_their_encoding_does_not_write_are_errors() {
    for (encoding, text) in [
        (Base64, "-_8"),
        (Base64Url, "+/8"),
        // Non-zero trailing bits, incomplete padding, white space.
        (Base64, "+/9"),
        (Base64, "AA="),
        (Base64, "A==="),
        (Base64, "AAAA="),
        (Base64, "AA\nAA"),
        (Base64, "AAAA\r\n"),
        (Base64Url, " AAAA"),
        (Base64, "A"),
        (Hex, "0"),
        (Hex, "0x"),
        (Hex, "00 00"),
        (Hex, "00\n\n"),
    ] {
        assert_eq!(encoding.decode(text.as_bytes()), Err(NotASecret::Encoding(encoding)), "{text:?}");
    }
    assert_eq!(Utf8.decode(b"\xff"), Err(NotASecret::Encoding(Utf8)));
    for encoding in [Utf8, Base64, Base64Url, Hex] {
        assert_eq!(encoding.decode("\u{feff}00".as_bytes()), Err(NotASecret::ByteOrderMark));
        assert_eq!(NotASecret::Encoding(encoding).to_string().split([' ', ':']).nth(4), Some(encoding.name()));
    }
}

#[test]
fn a_secret_that_is_too_short_is_an_error_and_not_left_out() {
    let secret = Hex.decode(b"00112233445566778899aabbccddeeff").unwrap();
    let good = [7; 32];
    let keys = KeySet::builder().hmac(None, Algorithm::HS256, &secret).hmac(Some("good"), Algorithm::HS256, &good);
    let error = keys.build().unwrap_err();
    assert_eq!(error.refused[0].refused, Some(KeyRefused::HmacSecretTooShort { bytes: 16, min: 32 }));
}
