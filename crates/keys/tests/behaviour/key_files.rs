//! Key files of each kind, detected from their first bytes.

use proptest::prelude::*;
use tollgate_keys::{Algorithm, HmacKey, KeyRefused, KeySet, Loaded, NotAKeyFile, key_file, limits};

const JWK: &[u8] = br#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const P256: &[u8] = include_bytes!("../data/p256_public.pem");
const P256_CERTIFICATE: &[u8] = include_bytes!("../data/p256_certificate.pem");

#[test]
fn jwk_and_jwk_set() {
    let set = [br#"{"keys":["#, JWK, b"]}"].concat();
    for file in [JWK, &set, &[b"\n\t ", JWK, b"\r\n"].concat(), &[b"\xef\xbb\xbf", JWK].concat()] {
        let loaded = load(file);
        assert_eq!(loaded.reports[0].kid.as_deref(), Some("a"));
        assert_eq!(loaded.reports[0].algs, [Algorithm::EdDSA, Algorithm::Ed25519]);
    }
    assert!(load(br#"{"keys":[]}"#).reports.is_empty());
}

#[test]
fn a_byte_order_mark_is_skipped_whatever_reads_the_document() {
    let bom = |document: &[u8]| [b"\xef\xbb\xbf", document].concat();
    let (set, builder) = ([br#"{"keys":["#, JWK, b"]}"].concat(), KeySet::builder);
    for loaded in [
        builder().jwk(&bom(JWK)),
        builder().jwks(&bom(&set)),
        builder().file(&bom(JWK)),
        builder().file(&bom(&set)),
        builder().file(&bom(&[b"\n", JWK].concat())),
    ] {
        assert_eq!(loaded.unwrap().build().unwrap().len(), 2);
    }
    for loaded in [builder().pem(&bom(P256)), builder().file(&bom(P256)), builder().file(&bom(P256_CERTIFICATE))] {
        assert_eq!(loaded.unwrap().build().unwrap().len(), 1);
    }
    // Only one mark, at the start.
    assert_eq!(builder().jwk(&bom(&bom(JWK))).unwrap_err().code(), "malformed-json");
    assert_eq!(builder().jwk(&[JWK, b"\xef\xbb\xbf"].concat()).unwrap_err().code(), "malformed-json");
    // A text that is refused as a secret without the mark is refused with it.
    let refused = HmacKey::new(Algorithm::HS256, &bom(JWK)).unwrap_err();
    assert_eq!(refused, KeyRefused::HmacSecretIsJwk);
}

#[test]
fn a25_duplicate_members_in_a_jwk_or_a_set_are_refused() {
    let key = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
    for twin in [
        r#""kty":"OKP""#,
        r#""\u006bty":"OKP""#,
        r#""x":"AAAA""#,
        r#""\u0078":"AAAA""#,
        r#""alg":"EdDSA","\u0061lg":"Ed25519""#,
        r#""unknown":{"a":1,"\u0061":2}"#,
    ] {
        for jwk in [format!("{{{key},{twin}}}"), format!("{{{twin},{key}}}")] {
            let in_set = format!(r#"{{"keys":[{jwk}]}}"#);
            for file in [jwk, in_set] {
                assert_eq!(
                    key_file::load(file.as_bytes(), KeySet::builder()).unwrap_err().code(),
                    "malformed-json",
                    "{file}"
                );
            }
        }
    }
    let jwk = format!("{{{key}}}");
    for twin in [r#""keys":[]"#, r#""\u006beys":[]"#] {
        let file = format!(r#"{{"keys":[{jwk}],{twin}}}"#);
        assert_eq!(key_file::load(file.as_bytes(), KeySet::builder()).unwrap_err().code(), "malformed-json", "{file}");
    }
    // A member name with escapes is the same name.
    let escaped = load(format!("{{{}}}", key.replace("\"kty\"", "\"k\\u0074y\"")).as_bytes());
    assert_eq!(escaped.reports[0].algs, [Algorithm::EdDSA, Algorithm::Ed25519]);
}

#[test]
fn public_keys_in_pem() {
    for (file, kty, algorithms) in [
        (P256, "EC", &[Algorithm::ES256][..]),
        (include_bytes!("../data/p384_public.pem"), "EC", &[Algorithm::ES384]),
        (include_bytes!("../data/ed25519_public.pem"), "OKP", &[Algorithm::EdDSA, Algorithm::Ed25519]),
        (include_bytes!("../data/rsa_public.pem"), "RSA", &[Algorithm::RS256]),
        (include_bytes!("../data/rsa_public_pkcs1.pem"), "RSA", &[Algorithm::RS256]),
        (include_bytes!("../data/pss_sha256.pem"), "RSA", &[Algorithm::PS256]),
        (include_bytes!("../data/pss_sha384.pem"), "RSA", &[Algorithm::PS384]),
    ] {
        for loaded in [load(file), load(&der(file))] {
            let report = &loaded.reports[0];
            assert_eq!((report.kty.as_str(), &report.algs[..], &report.refused), (kty, algorithms, &None));
            assert_eq!(loaded.set.len(), algorithms.len());
        }
    }
}

#[test]
fn public_keys_that_need_the_second_backend() {
    for (file, algorithm) in [
        (&include_bytes!("../data/p521_public.pem")[..], Algorithm::ES512),
        (include_bytes!("../data/secp256k1_public.pem"), Algorithm::ES256K),
    ] {
        let found = algorithm.name().into();
        let expected = (!algorithm.is_supported()).then_some(KeyRefused::UnsupportedAlgorithm { found });
        assert_eq!(load(file).reports[0].refused, expected);
    }
}

#[test]
fn pss_key_is_for_pss_only() {
    let options = |algorithms: &[Algorithm]| KeySet::builder().algorithms(algorithms);
    let loaded = |file: &[u8], algorithms: &[Algorithm]| {
        options(algorithms).file(file).unwrap().build_with_reports().reports.remove(0)
    };
    let open = include_bytes!("../data/pss_public.pem");
    assert_eq!(loaded(open, &[Algorithm::RS256]).refused, Some(KeyRefused::NoAdmittedAlgorithm));
    assert_eq!(loaded(open, &[Algorithm::RS256, Algorithm::PS384]).algs, [Algorithm::PS384]);
    // A key's parameters determine its algorithm, whatever is configured.
    assert_eq!(loaded(include_bytes!("../data/pss_sha256.pem"), &[Algorithm::PS512]).algs, [Algorithm::PS256]);
}

#[test]
fn keys_refused_in_pem() {
    for (file, code) in [
        (&include_bytes!("../data/pss_salt20.pem")[..], "unsupported-parameters"),
        (include_bytes!("../data/p256_public_explicit.pem"), "unsupported-parameters"),
        (include_bytes!("../data/p256_public_compressed.pem"), "ec-coordinate-length"),
        (include_bytes!("../data/p224_public.pem"), "unsupported-curve"),
        (include_bytes!("../data/x25519_public.pem"), "unsupported-key-type"),
        (include_bytes!("../data/rsa1024_public.pem"), "rsa-modulus-too-small"),
    ] {
        assert_eq!(code_of(file), code);
        assert_eq!(code_of(&der(file)), code);
    }
}

#[test]
fn parameters_are_those_of_the_algorithm_and_no_others() {
    // RFC 8410 section 3: none, and here NULL.
    let key = der(include_bytes!("../data/ed25519_public.pem"));
    assert!(load(&key).reports[0].refused.is_none());
    let (identifier, bits) = key[4..].split_at(5);
    let with_null = [&[0x30, 0x2c, 0x30, 0x07], identifier, &[0x05, 0x00], bits].concat();
    assert_eq!(code_of(&with_null), "unsupported-parameters");

    // RFC 3279 section 2.3.1: NULL, which some encoders leave out; and here an octet string.
    let key = der(include_bytes!("../data/rsa_public.pem"));
    assert_eq!(key[17..19], [0x05, 0x00]);
    let mut with_octets = key.clone();
    with_octets[17] = 0x04;
    assert_eq!(code_of(&with_octets), "unsupported-parameters");
    let mut without = [&key[..17], &key[19..]].concat();
    (without[3], without[5]) = (without[3] - 2, without[5] - 2);
    assert!(load(&without).reports[0].refused.is_none());
}

#[test]
fn certificate_gives_its_key_and_its_dates() {
    for file in [P256_CERTIFICATE.to_vec(), der(P256_CERTIFICATE)] {
        let loaded = load(&file);
        let validity = loaded.reports[0].validity.map(|validity| (validity.not_before, validity.not_after));
        assert_eq!(validity, Some((1_795_284_747, 2_110_644_747)));
        assert_eq!((loaded.reports[0].kty.as_str(), &loaded.reports[0].algs[..]), ("EC", &[Algorithm::ES256][..]));
        let key = load(P256);
        assert_eq!(loaded.set.iter().next().unwrap().thumbprint(), key.set.iter().next().unwrap().thumbprint());
        assert_eq!(key.reports[0].validity, None);
    }
}

#[test]
fn many_blocks_with_text_between_them() {
    let file = [b"# today's\n", P256, b"\n# and tomorrow's\r\n", P256_CERTIFICATE, b"trailing"].concat();
    let loaded = load(&file);
    assert_eq!(loaded.reports.len(), 2);
    assert!(loaded.reports.iter().all(|report| report.refused.is_none()));
    // The certificate contains this key.
    assert_eq!(loaded.set.len(), 1);
    let crlf = String::from_utf8(file).unwrap().replace('\n', "\r\n");
    assert_eq!(load(crlf.as_bytes()).reports, loaded.reports);
}

/// `openssl s_client` writes the chain as `0 s:CN=...`, and 0 is also the first byte of DER.
#[test]
fn text_before_a_block_may_begin_as_der_does() {
    for file in [P256, P256_CERTIFICATE] {
        assert_eq!(load(&[b"0 s:CN=example\n", file].concat()).reports, load(file).reports);
    }
}

#[test]
fn pem_lines_of_any_length() {
    let body: String = base64_of(P256);
    for width in [1, 7, 48, 64, 76, body.len()] {
        let lines: Vec<&str> = body.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let file = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        assert_eq!(load(file.as_bytes()).reports[0].refused, None, "{width}");
        let indented = file.replace('\n', "\n    ");
        assert_eq!(load(indented.as_bytes()).reports[0].refused, None, "{width}, indented");
    }
}

#[test]
fn private_keys_in_pem_are_refused_unread() {
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
        let file = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let file = [file.as_bytes(), P256].concat();
        let loaded = load(&file);
        assert_eq!(loaded.reports[0].refused, Some(KeyRefused::PrivateKey), "{label}");
        assert_eq!(loaded.reports[1].refused, None);
    }
}

#[test]
fn private_keys_in_der_are_refused() {
    let rng = ring::rand::SystemRandom::new();
    let pkcs8 = ring::signature::Ed25519KeyPair::generate_pkcs8(&rng).unwrap();
    // The outlines of SEC 1, PKCS #1 and encrypted PKCS #8.
    let sec1 = [0x30, 6, 2, 1, 1, 4, 1, 7];
    let pkcs1 = [0x30, 9, 2, 1, 0, 2, 1, 7, 2, 1, 7];
    let encrypted = [0x30, 7, 0x30, 2, 6, 0, 4, 1, 7];
    for file in [pkcs8.as_ref(), &sec1, &pkcs1, &encrypted] {
        assert_eq!(code_of(file), "private-key");
    }
}

#[test]
fn broken_pem_blocks() {
    for (file, code) in [
        ("-----BEGIN PUBLIC KEY-----\nMCow", "malformed-pem"),
        ("-----BEGIN PUBLIC KEY-----\nMC*w\n-----END PUBLIC KEY-----", "malformed-pem"),
        ("-----BEGIN PUBLIC KEY-----\nMCow\n-----END CERTIFICATE-----", "malformed-pem"),
        ("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", "malformed-der"),
        ("-----BEGIN EC PARAMETERS-----\nMCow\n-----END EC PARAMETERS-----", "unsupported-pem-label"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nMCow\n-----END CERTIFICATE REQUEST-----", "unsupported-pem-label"),
    ] {
        assert_eq!(code_of(file.as_bytes()), code, "{file}");
    }
    // The label and the content have to agree.
    let relabelled = String::from_utf8(P256.to_vec()).unwrap().replace("PUBLIC KEY", "CERTIFICATE");
    assert_eq!(code_of(relabelled.as_bytes()), "malformed-der");
}

#[test]
fn pem_with_the_text_of_line_feeds_is_told_so() {
    let pem = String::from_utf8(P256.to_vec()).unwrap();
    for text in [pem.replace('\n', r"\n"), pem.replacen('\n', r"\n", 1)] {
        let refused = load(text.as_bytes()).reports.remove(0).refused.unwrap();
        assert_eq!(refused, KeyRefused::PemWithEscapedLineFeeds);
        assert!(refused.to_string().contains(r"the two characters \n where its lines end"), "{refused}");
    }
}

#[test]
fn base64_without_the_lines_of_pem_is_told_so() {
    let code = |text: &str| key_file::load(text.as_bytes(), KeySet::builder()).unwrap_err().code();
    for pem in [P256, P256_CERTIFICATE] {
        let base64 = base64_of(pem);
        let wrapped: String =
            base64.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect();
        for text in [&base64, &wrapped] {
            assert_eq!(code(text), "bare-base64");
        }
        assert_eq!(code(&format!("{base64}!")), "unknown-format");
    }
    // Base64 of something that is not a key.
    assert_eq!(code("aGVsbG8="), "unknown-format");
}

#[test]
fn files_that_are_no_key_files() {
    for (file, code) in [
        (&b""[..], "unknown-format"),
        (b"   \n", "unknown-format"),
        (b"hello", "unknown-format"),
        (b"[]", "unknown-format"),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA", "unknown-format"),
        (b"{", "malformed-json"),
        (b"{}", "neither-jwk-nor-jwks"),
        (br#"{"keys":{}}"#, "neither-jwk-nor-jwks"),
        (br#"{"keys":null}"#, "neither-jwk-nor-jwks"),
        (br#"{"kty":"oct","\u006bty":"RSA"}"#, "malformed-json"),
        (br#"{"keys":[{"kty":"oct","kty":"RSA"}]}"#, "malformed-json"),
        (br#"{"kty":"oct"} {}"#, "malformed-json"),
        (b"\x30\x00", "unknown-der"),
        (b"\x30\x03\x02\x01\x01", "unknown-der"),
        (b"\x30\x82\xff\xff", "unknown-der"),
        (b"-----", "no-pem-block"),
        (b"-----END PUBLIC KEY-----", "no-pem-block"),
    ] {
        let error = key_file::load(file, KeySet::builder()).unwrap_err();
        assert_eq!(error.code(), code, "{:?}", String::from_utf8_lossy(file));
    }
    // One byte too many.
    let trailing = [&der(P256)[..], &[0]].concat();
    assert_eq!(key_file::load(&trailing, KeySet::builder()).unwrap_err(), NotAKeyFile::UnknownDer);
}

#[test]
fn file_too_large_is_not_read() {
    let bytes = limits::MAX_KEY_FILE_BYTES + 1;
    let padding = vec![b' '; bytes - JWK.len()];
    for file in [
        [JWK, &padding].concat(),
        [P256, &vec![b' '; bytes - P256.len()]].concat(),
        vec![0x30; bytes],
        vec![b'a'; bytes],
    ] {
        assert_eq!(key_file::load(&file, KeySet::builder()).unwrap_err(), NotAKeyFile::TooLarge { bytes });
    }
    let largest = [JWK, &padding[1..]].concat();
    assert_eq!(load(&largest).reports.len(), 1);
}

#[test]
fn too_many_keys() {
    let set = |keys: usize| format!(r#"{{"keys":[{}]}}"#, vec![r#"{"kty":"?"}"#; keys].join(",")).into_bytes();
    assert_eq!(load(&set(limits::MAX_KEYS)).reports.len(), limits::MAX_KEYS);
    let keys = limits::MAX_KEYS + 1;
    assert_eq!(key_file::load(&set(keys), KeySet::builder()).unwrap_err(), NotAKeyFile::TooManyKeys { keys });
    let full = KeySet::builder().jwks(&set(limits::MAX_KEYS)).unwrap();
    assert_eq!(full.pem(P256).unwrap_err(), NotAKeyFile::TooManyKeys { keys });
}

#[test]
fn several_files_make_one_set() {
    let builder = KeySet::builder().file(JWK).unwrap().file(P256).unwrap().hmac(Some("h"), Algorithm::HS256, &[7; 32]);
    let loaded = builder.build_with_reports();
    assert_eq!(loaded.reports.len(), 3);
    assert_eq!(loaded.set.len(), 4);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = key_file::load(&bytes, KeySet::builder());
        let _ = key_file::load(&[&[0x30], &bytes[..]].concat(), KeySet::builder());
        let _ = key_file::load(&[b"{", &bytes[..]].concat(), KeySet::builder());
        let _ = key_file::load(&[b"-----BEGIN PUBLIC KEY-----\n", &bytes[..]].concat(), KeySet::builder());
    }

    #[test]
    fn damaged_der_gives_no_other_key(index in 0..500_usize, bit in 0..8_u32, certificate: bool) {
        let mut file = der(if certificate { P256_CERTIFICATE } else { P256 });
        let index = index % file.len();
        file[index] ^= 1 << bit;
        let original = load(P256);
        if let Ok(loaded) = key_file::load(&file, KeySet::builder()) {
            // If the damage is in parts of a certificate that are not read (names, signature), the key is unchanged.
            // The P-256 key with one bit changed is on no curve.
            for key in loaded.set.iter() {
                prop_assert_eq!(key.thumbprint(), original.set.iter().next().unwrap().thumbprint());
            }
        }
    }
}

fn load(file: &[u8]) -> Loaded {
    key_file::load(file, KeySet::builder()).unwrap()
}

fn code_of(file: &[u8]) -> &'static str {
    let loaded = load(file);
    assert!(loaded.set.is_empty());
    loaded.reports[0].refused.as_ref().unwrap().code()
}

/// The content of the first block.
fn der(pem: &[u8]) -> Vec<u8> {
    let body = base64_of(pem).replace('+', "-").replace('/', "_");
    let mut der = Vec::new();
    tollgate_jwt::base64url::decode(body.trim_end_matches('='), &mut der).unwrap();
    der
}

fn base64_of(pem: &[u8]) -> String {
    let text = std::str::from_utf8(pem).unwrap();
    text.lines().filter(|line| !line.starts_with("-----")).collect()
}
