//! The messages of errors, and the secrets that `Debug` leaves out.

use std::error::Error;
use std::num::NonZeroU32;

use tollgate::apikeys::{Flaw, ForeignKey, KeyError, NativeKey, Pepper};
use tollgate::keys::{BadSignature, HmacKey, KeyType, NotAKeyFile, PublicKey, VerifyError, VerifyingKey};
use tollgate::{
    AddressBlock, Algorithm, ApiKey, ApiKeyTable, Engine, ForwardedField, Issuer, KeyFormat, KeyKind, KeyRecord,
    KeyRing, KeySet, KeyState, LastUse, NotAnAddressBlock, PrincipalKind, Rejection, Request, Revocations,
};
use tollgate_jwt::json::JsonError;
use tollgate_jwt::{ParseError, Part, base64url};
use tollgate_tests::{Draft, ISSUER, NOW, issuer, signing_key};

fn texts<E: Error, const N: usize>(errors: [E; N]) -> [String; N] {
    errors.map(|error| error.to_string())
}

#[test]
fn errors_of_api_keys_say_what_is_wrong() {
    let flaws = [
        (Flaw::Prefix, "wrong-prefix", "another prefix"),
        (Flaw::Length { bytes: 3, expected: 58 }, "wrong-length", "3 bytes instead of 58"),
        (Flaw::Version { found: b'\n' }, "unknown-version", "unknown version '\\n'"),
        (Flaw::Alphabet, "not-base62", "a character outside 0-9A-Za-z"),
        (Flaw::Range, "body-out-of-range", "a body of more than 256 bits"),
        (Flaw::Checksum, "wrong-checksum", "the checksum does not match"),
    ];
    for (flaw, code, text) in flaws {
        let error = KeyError::Malformed(flaw);
        assert_eq!((error.code(), error.to_string()), (code, format!("not an API key of this format: {text}")));
    }
    let errors = [
        (KeyError::Unknown, "unknown-key", "no such API key"),
        (
            KeyError::InvalidLabel,
            "invalid-label",
            "a prefix or environment is 1 to 16 lower-case letters and digits, a letter first",
        ),
        (KeyError::RandomnessUnavailable, "randomness-unavailable", "the operating system gave no random bytes"),
        (KeyError::ForeignLength { bytes: 5 }, "foreign-length", "a foreign key has 16 to 512 bytes, not 5"),
        (KeyError::ForeignLooksNative, "foreign-looks-native", "a foreign key may not start as keys of this format do"),
        (
            KeyError::ForeignGuessable { estimated_bits: 40 },
            "foreign-guessable",
            "a foreign key of at most 40 bits of entropy can be guessed; 112 are needed",
        ),
        (KeyError::PepperTooShort { bytes: 4 }, "pepper-too-short", "a pepper has at least 32 bytes, not 4"),
    ];
    for (error, code, text) in errors {
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
    }
}

#[test]
fn errors_of_keys_say_what_is_wrong() {
    use Algorithm::{ES256, RS256};
    let verify = [
        (VerifyError::UnknownAlgorithm, "unknown-algorithm", "`alg` names no signature algorithm"),
        (VerifyError::UnknownKey, "unknown-key", "no key of this `kid` and `alg`"),
        (
            VerifyError::AlgorithmMismatch { header: RS256, key: ES256 },
            "algorithm-mismatch",
            "the token names RS256, its key is for ES256",
        ),
        (
            VerifyError::AmbiguousKey { candidates: 9, max: 4 },
            "ambiguous-key",
            "9 keys come into question, at most 4 are tried",
        ),
        (
            VerifyError::MalformedSignature,
            "malformed-signature",
            "the signature has not the form that its algorithm gives",
        ),
        (VerifyError::BadSignature, "bad-signature", "the signature does not verify"),
        (
            VerifyError::NoKeyVerifies { tried: 1 },
            "bad-signature",
            "the signature is not of the one key that could be tried",
        ),
        (
            VerifyError::NoKeyVerifies { tried: 3 },
            "bad-signature",
            "the signature is of none of the 3 keys that could be tried",
        ),
    ];
    for (error, code, text) in verify {
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
    }
    assert_eq!(BadSignature.to_string(), "the signature does not verify");

    let file = [
        (NotAKeyFile::TooLarge { bytes: 9_999_999 }, "key-file-too-large", "9999999 bytes, at most "),
        (NotAKeyFile::TooManyKeys { keys: 5_000 }, "too-many-keys", "5000 keys, at most "),
        (NotAKeyFile::Json(JsonError::NotAnObject), "malformed-json", "not the JSON of a key: not an object"),
        (NotAKeyFile::NeitherKeyNorSet, "neither-jwk-nor-jwks", "a JSON object with neither `kty` nor an array `keys`"),
        (NotAKeyFile::NoPemBlock, "no-pem-block", "no PEM block"),
        (NotAKeyFile::UnknownDer, "unknown-der", "not a SubjectPublicKeyInfo, RSAPublicKey or certificate in DER"),
        (NotAKeyFile::UnknownFormat, "unknown-format", "not a JWK, JWK set, PEM or DER"),
    ];
    for (error, code, text) in file {
        assert_eq!(error.code(), code);
        assert!(error.to_string().starts_with(text), "{error}");
        assert_eq!(error.source().is_some(), matches!(error, NotAKeyFile::Json(_)));
    }
    for text in [&br#"{"kid":"a"}"#[..], br#"{"keys":{}}"#] {
        assert_eq!(KeySet::builder().jwks(text).unwrap_err(), NotAKeyFile::NeitherKeyNorSet);
        assert_eq!(KeySet::builder().jwk(text).unwrap_err(), NotAKeyFile::NeitherKeyNorSet);
    }
    let refused = PublicKey::ml_dsa(ES256, &[0; 1312]).unwrap_err();
    assert_eq!(refused.code(), "algorithm-contradicts-key");
    assert_eq!([KeyType::Oct, KeyType::Okp].map(|kty| kty.to_string()), ["oct", "OKP"]);
}

#[test]
fn errors_of_tokens_say_what_is_wrong() {
    let errors = texts([
        ParseError::Base64 { part: Part::Payload },
        ParseError::Base64 { part: Part::Signature },
        ParseError::MissingMember { name: "alg" },
        ParseError::InvalidMember { name: "typ", expected: "a string" },
        ParseError::TooLong { length: 9, max: 8 },
    ]);
    assert_eq!(
        errors,
        [
            "the payload is not canonical base64url",
            "the signature is not canonical base64url",
            "the header has no alg",
            "the header's typ is not a string",
            "the token is 9 bytes long; at most 8 are taken",
        ]
    );
    let errors = texts([
        Rejection::SenderConstrained { member: "jwe\n".into() },
        Rejection::InvalidConfirmation { member: "x5t#S256" },
        Rejection::UnknownKey { kid: None },
        Rejection::UnknownKey { kid: Some("\u{1b}[2J".into()) },
        Rejection::UnknownIssuer { issuer: "\n".into() },
        Rejection::MissingClaim { name: "exp".into() },
        Rejection::NotYetValid { not_before: 2, now: 1 },
        Rejection::AmbiguousKey { kid: None, has_thumbprint: false, candidates: 9, max: 4 },
        Rejection::AmbiguousKey { kid: Some("k\n".into()), has_thumbprint: false, candidates: 9, max: 4 },
        Rejection::NoKeyVerifies { kid: None, tried: 3 },
        Rejection::NoKeyVerifies { kid: Some("k\n".into()), tried: 1 },
        Rejection::AlgorithmMismatch { header: Algorithm::RS256, key: Algorithm::ES256 },
    ]);
    assert_eq!(
        errors,
        [
            r#"the token is bound to its sender by the member "jwe\n" of cnf, which is not checked here"#,
            r#"the member "x5t#S256" of cnf is not the base64url of a SHA-256"#,
            "the issuer has no key for a token without kid",
            r#"the issuer has no key with the kid "\u{1b}[2J""#,
            r#"the issuer "\n" is not configured"#,
            r#"the required claim "exp" is absent"#,
            "not valid before 2; it is 1",
            "the token has no kid, and 9 keys would have to be tried; at most 4 are",
            r#"the issuer has no key with the kid "k\n", and 9 keys would have to be tried; at most 4 are"#,
            "the token has no kid, and none of the 3 keys tried verifies it",
            r#"the issuer has no key with the kid "k\n", and the one key tried does not verify it"#,
            "the header's alg is RS256, and the key is for ES256",
        ]
    );
}

#[test]
fn names_and_addresses_are_read_as_they_are_written() {
    for kind in [KeyKind::ApiKey, KeyKind::ClientSecret, KeyKind::AccessToken] {
        assert_eq!(KeyKind::from_name(kind.as_str()), Some(kind));
    }
    for state in [KeyState::Active, KeyState::Disabled, KeyState::Revoked] {
        assert_eq!(KeyState::from_name(state.as_str()), Some(state));
    }
    for kind in PrincipalKind::ALL {
        assert_eq!(PrincipalKind::from_name(kind.as_str()), Some(kind));
    }
    for field in [ForwardedField::XForwardedFor, ForwardedField::Forwarded] {
        assert_eq!(ForwardedField::from_name(field.as_str()), Some(field));
    }
    assert_eq!((KeyKind::from_name("key"), KeyState::from_name("")), (None, None));
    assert_eq!((PrincipalKind::from_name("JWT"), ForwardedField::from_name("via")), (None, None));
    let block: AddressBlock = "192.0.2.0/24".parse().unwrap();
    assert_eq!(block.to_string(), "192.0.2.0/24");
    let error: NotAnAddressBlock = "192.0.2.0/33".parse::<AddressBlock>().unwrap_err();
    assert_eq!(error.to_string(), "not a block of addresses in CIDR notation, such as 192.0.2.0/24");
}

/// Rule: nothing secret in `Debug`.
#[test]
fn debug_shows_no_secret() {
    const SECRET: &[u8] = b"a secret of thirty-two bytes, or more of them";
    let format = KeyFormat::new("tg", "live").unwrap();
    let key = ApiKey::generate(&format).unwrap();
    let table = ApiKeyTable::<KeyRecord>::builder(format.clone()).pepper(Pepper::new(SECRET).unwrap()).build();
    assert_eq!((table.format(), table.format().head()), (&format, "tg_live_"));
    let record = KeyRecord::api_key("key-1", "user-1").scopes(["read:sites"]).metadata(b"a note").build();
    table.insert(&key, record.clone());
    let entry = table.get(&key.digest()).unwrap();
    let proof = table.find(key.as_str().as_bytes()).unwrap();

    let hmac = HmacKey::new(Algorithm::HS256, SECRET).unwrap();
    assert_eq!(hmac.algorithm(), Algorithm::HS256);
    let hmac_text = format!("{hmac:?}");
    let verifying = VerifyingKey::hmac(hmac, Some("k")).unwrap();
    let set = KeySet::builder().key(verifying.clone()).build().unwrap();
    let ring = KeyRing::new(set.clone());

    let signing = signing_key(Algorithm::ES256, 0);
    let token = Draft::new(&signing).sign(&signing);
    let engine = Engine::builder()
        .issuer(issuer([&signing]))
        .api_keys(table)
        .last_use(LastUse::one_in(NonZeroU32::MIN))
        .build()
        .unwrap();
    let jwt = engine.verify_at(token.as_bytes(), NOW).unwrap();
    let by_key = engine.verify_at(key.as_str().as_bytes(), NOW).unwrap();
    assert!(jwt.key_record().is_none() && by_key.key_record().is_some());
    assert_eq!(by_key.claim::<String>("sub").unwrap(), None);
    assert!(jwt.claim::<u8>("sub").unwrap_err().to_string().starts_with("the claim sub has another shape: "));
    let public = PublicKey::ed25519(&[
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1,
        0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ]);

    let shown = [
        format!("{key:?} {:?}", key.digest()),
        format!("{record:?}"),
        format!("{proof:?} {entry:?} {:?}", NativeKey::parse(key.as_str().as_bytes()).unwrap()),
        format!("{:?}", Pepper::new(SECRET).unwrap()),
        format!("{:?}", ForeignKey::danger_guessable(&format, SECRET).unwrap()),
        hmac_text,
        format!("{verifying:?} {set:?} {ring:?} {:?}", ring.load()),
        format!("{public:?}"),
        format!("{engine:?}"),
        format!("{jwt:?} {by_key:?}"),
        format!("{:?} {:?}", Revocations::new(), LastUse::one_in(NonZeroU32::MIN)),
    ];
    let signature = token.rsplit('.').next().unwrap();
    let digest = key.digest().to_hex();
    let secrets = [key.as_str(), &key.as_str()[9..], signature, &digest, std::str::from_utf8(SECRET).unwrap()];
    let encoded = base64url::encode(SECRET);
    let bytes = format!("{SECRET:?}");
    for text in shown {
        assert!(!text.is_empty());
        for secret in secrets.into_iter().chain([&*encoded, &bytes[1..bytes.len() - 1]]) {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn whoever_fetches_keys_is_told_whose_they_are() {
    let key = signing_key(Algorithm::ES256, 0);
    let ring = KeyRing::new(KeySet::default());
    let engine = Engine::builder()
        .issuer(Issuer::new(ISSUER).audience("a").keys(ring.clone()))
        .api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap()))
        .build()
        .unwrap();
    let token = Draft::new(&key).sign(&key);
    ring.replace(KeySet::default());
    let found = engine.key_ring_of(&Request::new().authorization(&format!("Bearer {token}"))).unwrap();
    assert_eq!(found.generation(), ring.generation());
    let other = Draft::new(&key).claim("iss", "https://other.example").sign(&key);
    let rejected = |header: &str| engine.key_ring_of(&Request::new().authorization(header)).unwrap_err();
    assert_eq!(rejected(&other).code(), "unknown-issuer");
    assert_eq!(rejected("Bearer abc"), Rejection::CredentialNotAccepted);
}
