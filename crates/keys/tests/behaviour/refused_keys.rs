//! Every reason for refusing a key, and the nearest key that is accepted.

use serde_json::{Value, json};
use tollgate_jwt::base64url;
use tollgate_keys::{
    Algorithm, Curve, HmacKey, KeyRefused, KeyReport, KeySet, KeySource, Loaded, PublicKey, VerifyingKey, limits,
};

#[test]
fn base_keys_are_taken() {
    for key in [rsa(), ec(), okp(), oct()] {
        assert_eq!(reason(&key), None, "{key}");
    }
}

#[test]
fn required_members() {
    for (key, members) in
        [(rsa(), &["n", "e"][..]), (ec(), &["crv", "x", "y"]), (okp(), &["crv", "x"]), (oct(), &["k"])]
    {
        for member in members {
            assert_eq!(reason(&without(&key, member)), Some("missing-member"), "{member} of {key}");
            assert_eq!(reason(&with(&key, member, json!(null))), Some("missing-member"), "{member} of {key}");
            for value in [json!(1), json!(true), json!(["AQAB"]), json!({})] {
                assert_eq!(reason(&with(&key, member, value.clone())), Some("malformed-member"), "{member} is {value}");
            }
        }
        for member in members.iter().filter(|member| **member != "crv") {
            for value in ["A", "AA==", "A+/A", "AQ AB", "AQAB\n", "AB"] {
                assert_eq!(
                    reason(&with(&key, member, json!(value))),
                    Some("malformed-member"),
                    "{member} is {value:?}"
                );
            }
        }
        for member in ["kid", "alg", "use"] {
            assert_eq!(reason(&with(&key, member, json!(7))), Some("malformed-member"), "{member} of {key}");
        }
    }
    assert_eq!(reason_in_set(&json!({"kid": "a"})), Some("missing-member"));
    assert_eq!(reason_in_set(&json!("a")), Some("malformed-member"));
    assert_eq!(reason_in_set(&json!({"kty": 1})), Some("malformed-member"));
}

#[test]
fn kinds_curves_and_algorithms() {
    assert_eq!(reason(&json!({"kty": "rsa"})), Some("unsupported-key-type"));
    assert_eq!(reason(&json!({"kty": ""})), Some("unsupported-key-type"));
    for curve in ["p-256", "P-224", "secp256r1", "Ed25519", ""] {
        assert_eq!(reason(&with(&ec(), "crv", json!(curve))), Some("unsupported-curve"), "{curve}");
    }
    for curve in ["X25519", "Ed448", "X448", "P-256"] {
        assert_eq!(reason(&with(&okp(), "crv", json!(curve))), Some("unsupported-curve"), "{curve}");
    }
    for algorithm in ["none", "es256", "ES521", "RSA-OAEP", "A256GCM", "Ed448", ""] {
        assert_eq!(reason(&with(&ec(), "alg", json!(algorithm))), Some("unsupported-algorithm"), "{algorithm}");
    }
}

#[test]
fn algorithm_contradicts_key() {
    for (key, takes) in [
        (rsa(), &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..]),
        (ec(), &["ES256"]),
        (okp(), &["EdDSA", "Ed25519"]),
        (oct(), &["HS256", "HS384", "HS512"]),
    ] {
        for algorithm in Algorithm::all() {
            let expected = (!takes.contains(&algorithm.name())).then_some("algorithm-contradicts-key");
            assert_eq!(reason(&with(&key, "alg", json!(algorithm.name()))), expected, "{algorithm} for {key}");
        }
    }
}

#[test]
fn algorithm_is_needed_where_the_key_does_not_tell() {
    assert_eq!(reason(&without(&oct(), "alg")), Some("missing-algorithm"));
    let akp = json!({"kty": "AKP", "pub": encode(&[5; 1312])});
    assert_eq!(reason(&akp), Some("missing-algorithm"));
    let supported = Algorithm::MlDsa44.is_supported();
    let expected = (!supported).then_some("unsupported-algorithm");
    assert_eq!(reason(&with(&akp, "alg", json!("ML-DSA-44"))), expected);
    assert_eq!(reason(&with(&akp, "alg", json!("ML-DSA-65"))), Some("ml-dsa-key-length"));
    assert_eq!(reason(&with(&akp, "alg", json!("ES256"))), Some("algorithm-contradicts-key"));
}

#[test]
fn rsa_key_without_algorithm_takes_what_is_configured() {
    let loaded = |algorithms: &[Algorithm]| {
        KeySet::builder()
            .algorithms(algorithms)
            .jwk(rsa().to_string().as_bytes())
            .unwrap()
            .build_with_reports()
            .reports
            .remove(0)
    };
    assert_eq!(report(&rsa()).algs, [Algorithm::RS256]);
    assert_eq!(loaded(&[Algorithm::PS384, Algorithm::ES256]).algs, [Algorithm::PS384]);
    assert_eq!(loaded(&[Algorithm::PS256, Algorithm::RS256]).algs, [Algorithm::RS256, Algorithm::PS256]);
    assert_eq!(loaded(&[Algorithm::ES256]).refused, Some(KeyRefused::NoAdmittedAlgorithm));
    assert_eq!(report(&with(&rsa(), "alg", json!("RS512"))).algs, [Algorithm::RS512]);
}

#[test]
fn purpose() {
    assert_eq!(reason(&with(&ec(), "use", json!("sig"))), None);
    for public_key_use in ["enc", "SIG", "", "sig "] {
        assert_eq!(reason(&with(&ec(), "use", json!(public_key_use))), Some("use-not-sig"), "{public_key_use:?}");
    }
    let key_ops = |operations: Value| reason(&with(&ec(), "key_ops", operations));
    assert_eq!(key_ops(json!(["verify"])), None);
    assert_eq!(key_ops(json!(["sign", "verify"])), None);
    assert_eq!(key_ops(json!([])), Some("key-ops-without-verify"));
    assert_eq!(key_ops(json!(["sign"])), Some("key-ops-without-verify"));
    assert_eq!(key_ops(json!(["sign, verify"])), Some("key-ops-without-verify"));
    assert_eq!(key_ops(json!(["encrypt"])), Some("key-ops-without-verify"));
    assert_eq!(key_ops(json!(["verify", "verify"])), Some("key-ops-contradictory"));
    assert_eq!(key_ops(json!("verify")), Some("malformed-member"));
    assert_eq!(key_ops(json!(["verify", 1])), Some("malformed-member"));
    let contradictory = with(&with(&ec(), "use", json!("sig")), "key_ops", json!(["verify", "wrapKey"]));
    assert_eq!(reason(&contradictory), Some("key-ops-contradictory"));
}

#[test]
fn kid_of_any_content_up_to_its_limit() {
    for kid in ["", "../../etc/passwd", "'; DROP TABLE keys", "\u{0}", &"k".repeat(limits::MAX_KEY_ID_BYTES)] {
        assert_eq!(report(&with(&ec(), "kid", json!(kid))).kid.as_deref(), Some(kid));
        assert_eq!(reason(&with(&ec(), "kid", json!(kid))), None);
    }
    let long = "k".repeat(limits::MAX_KEY_ID_BYTES + 1);
    assert_eq!(reason(&with(&ec(), "kid", json!(long))), Some("kid-too-long"));
}

#[test]
fn a09_rsa_modulus() {
    let modulus = |bits: usize| {
        let mut modulus = vec![0xc5; bits.div_ceil(8)];
        modulus[0] = 0xff >> ((8 - bits % 8) % 8);
        reason(&with(&rsa(), "n", json!(encode(&modulus))))
    };
    assert_eq!(modulus(1024), Some("rsa-modulus-too-small"));
    assert_eq!(modulus(2047), Some("rsa-modulus-too-small"));
    for bits in [2048, 2049, 3072, 4095, 8192] {
        assert_eq!(modulus(bits), None, "{bits} bits");
    }
    assert_eq!(modulus(8193), Some("rsa-modulus-too-large"));
    assert_eq!(reason(&with(&rsa(), "n", json!(""))), Some("rsa-modulus-too-small"));
    let mut even = [0xc5; 256];
    even[255] = 0xc4;
    assert_eq!(reason(&with(&rsa(), "n", json!(encode(&even)))), Some("rsa-modulus-even"));
}

#[test]
fn a09_rsa_exponent() {
    let exponent = |bytes: &[u8]| reason(&with(&rsa(), "e", json!(encode(bytes))));
    assert_eq!(exponent(&[]), Some("rsa-exponent-too-small"));
    assert_eq!(exponent(&[0]), Some("rsa-exponent-too-small"));
    assert_eq!(exponent(&[1]), Some("rsa-exponent-too-small"));
    assert_eq!(exponent(&[2]), Some("rsa-exponent-even"));
    assert_eq!(exponent(&[1, 0, 0]), Some("rsa-exponent-even"));
    assert_eq!(exponent(&[3]), None);
    assert_eq!(exponent(&[1, 0xff, 0xff, 0xff, 0xff]), None);
    assert_eq!(exponent(&[2, 0, 0, 0, 1]), Some("rsa-exponent-too-large"));
}

#[test]
fn a09_roca_fingerprint() {
    assert_eq!(reason(&with(&rsa(), "n", json!(ROCA_MODULUS))), Some("rsa-modulus-roca"));
    let mut modulus = Vec::new();
    base64url::decode(ROCA_MODULUS, &mut modulus).unwrap();
    // The next odd numbers do not have the fingerprint.
    for _ in 0..20 {
        let last = modulus.len() - 1;
        modulus[last] = modulus[last].wrapping_add(2);
        assert_eq!(reason(&with(&rsa(), "n", json!(encode(&modulus)))), None);
    }
}

#[test]
fn a12_ec_coordinates() {
    let point = |x: &[u8], y: &[u8]| reason(&json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)}));
    let (x, y) = (decode(&ec(), "x"), decode(&ec(), "y"));
    assert_eq!(point(&x, &y), None);
    assert_eq!(point(&x[1..], &y), Some("ec-coordinate-length"));
    assert_eq!(point(&x, &y[..31]), Some("ec-coordinate-length"));
    assert_eq!(point(&[&[0], &x[..]].concat(), &y), Some("ec-coordinate-length"));
    assert_eq!(point(&[&[0], &x[..]].concat(), &y[1..]), Some("ec-coordinate-length"));
    assert_eq!(point(&[], &[]), Some("ec-coordinate-length"));
    assert_eq!(point(&[0; 32], &[0; 32]), Some("ec-point-at-infinity"));
    assert_eq!(point(&y, &x), Some("ec-point-not-on-curve"));
    assert_eq!(point(&[0xff; 32], &y), Some("ec-point-not-on-curve"));
    for curve in ["P-384", "P-521"] {
        assert_eq!(reason(&with(&ec(), "crv", json!(curve))), Some("ec-coordinate-length"));
    }
    assert_eq!(reason(&with(&ec(), "crv", json!("secp256k1"))), Some("ec-point-not-on-curve"));
}

#[test]
fn a12_ec_points_in_sec_1_encoding() {
    assert_eq!(PublicKey::ec(Curve::P256, &[0]).unwrap_err(), KeyRefused::EcPointAtInfinity);
    let compressed = [&[2][..], &decode(&ec(), "x")].concat();
    assert_eq!(PublicKey::ec(Curve::P256, &compressed).unwrap_err(), KeyRefused::EcCoordinateLength);
    assert_eq!(PublicKey::ec(Curve::P256, &[]).unwrap_err(), KeyRefused::EcCoordinateLength);
    let hybrid = [&[6][..], &decode(&ec(), "x"), &decode(&ec(), "y")].concat();
    assert_eq!(PublicKey::ec(Curve::P256, &hybrid).unwrap_err(), KeyRefused::EcCoordinateLength);
}

#[test]
fn a08_a12_ed25519_points_that_are_refused() {
    let key = |bytes: &[u8]| reason(&with(&okp(), "x", json!(encode(bytes))));
    let x = decode(&okp(), "x");
    assert_eq!(key(&x[1..]), Some("ed25519-key-length"));
    assert_eq!(key(&[&x[..], &[0]].concat()), Some("ed25519-key-length"));
    let mut y_two = [0; 32];
    y_two[0] = 2;
    assert_eq!(key(&y_two), Some("ed25519-not-on-curve"));
    // "Taming the many EdDSAs" (2020), table 1 and appendix: all encodings of the points of small order.
    for (hex, code) in [
        ("0100000000000000000000000000000000000000000000000000000000000000", "ed25519-small-order"),
        ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "ed25519-small-order"),
        ("0000000000000000000000000000000000000000000000000000000000000080", "ed25519-small-order"),
        ("0000000000000000000000000000000000000000000000000000000000000000", "ed25519-small-order"),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "ed25519-small-order"),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "ed25519-small-order"),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "ed25519-small-order"),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "ed25519-small-order"),
        ("0100000000000000000000000000000000000000000000000000000000000080", "ed25519-small-order"),
        ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "ed25519-small-order"),
        ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "ed25519-not-canonical"),
        ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "ed25519-not-canonical"),
        ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "ed25519-not-canonical"),
        ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "ed25519-not-canonical"),
    ] {
        let bytes: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        assert_eq!(key(&bytes), Some(code), "{hex}");
    }
    assert_eq!(key(&[0xff; 32]), Some("ed25519-not-canonical"));
}

#[test]
fn a13_hmac_secrets() {
    for (algorithm, min) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let secret = |bytes: &[u8]| reason(&json!({"kty": "oct", "alg": algorithm, "k": encode(bytes)}));
        assert_eq!(secret(&[]), Some("hmac-secret-empty"));
        assert_eq!(secret(&vec![7; min - 1]), Some("hmac-secret-too-short"));
        assert_eq!(secret(&vec![7; min]), None);
        assert_eq!(secret(&[7; limits::MAX_HMAC_SECRET_BYTES]), None);
        assert_eq!(secret(&[7; limits::MAX_HMAC_SECRET_BYTES + 1]), Some("hmac-secret-too-long"));
    }
    let secret = |bytes: &[u8]| HmacKey::new(Algorithm::HS256, bytes).err().map(|refused| refused.code());
    let pem = include_bytes!("../data/p256_public.pem");
    assert_eq!(secret(pem), Some("hmac-secret-is-pem"));
    assert_eq!(secret(&[b"\n \t", &pem[..]].concat()), Some("hmac-secret-is-pem"));
    assert_eq!(secret(&pem[..100]), Some("hmac-secret-is-pem"));
    let body: String = std::str::from_utf8(pem).unwrap().lines().filter(|line| !line.starts_with("-----")).collect();
    let mut der = Vec::new();
    base64url::decode(body.replace('+', "-").replace('/', "_").trim_end_matches('='), &mut der).unwrap();
    assert_eq!(secret(&der), Some("hmac-secret-is-der"));
    assert_eq!(secret(&der[1..]), None);
    assert_eq!(secret(ec().to_string().as_bytes()), Some("hmac-secret-is-jwk"));
    assert_eq!(secret(format!("\n{}\n", json!({"keys": [ec()]})).as_bytes()), Some("hmac-secret-is-jwk"));
    assert_eq!(secret(br#"{"a":"an object that is no key may be a secret"}"#), None);
    assert_eq!(HmacKey::new(Algorithm::ES256, &[7; 32]).unwrap_err().code(), "algorithm-contradicts-key");
}

#[test]
fn key_for_an_algorithm_that_it_does_not_admit() {
    let key = PublicKey::ed25519(&decode(&okp(), "x")).unwrap();
    for algorithm in Algorithm::all() {
        let bound = VerifyingKey::new(&key, algorithm, None);
        if matches!(algorithm, Algorithm::EdDSA | Algorithm::Ed25519) {
            assert!(bound.is_ok());
        } else {
            assert_eq!(bound.unwrap_err(), KeyRefused::AlgorithmContradictsKey { algorithm });
        }
    }
}

#[test]
fn algorithm_without_backend() {
    // The generator of P-521 (NIST SP 800-186 section 3.2.1.5).
    let x = "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66";
    let y = "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650";
    let bytes =
        |hex: &str| (0..66).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect::<Vec<_>>();
    let key = json!({"kty": "EC", "crv": "P-521", "x": encode(&bytes(x)), "y": encode(&bytes(y))});
    let expected = (!Algorithm::ES512.is_supported()).then_some("unsupported-algorithm");
    assert_eq!(reason(&key), expected);
    assert_eq!(reason(&with(&key, "alg", json!("ES512"))), expected);
    assert_eq!(reason(&with(&key, "y", json!(encode(&bytes(x))))), Some("ec-point-not-on-curve"));
}

#[test]
fn private_members_in_a_remote_set() {
    for (key, members) in [(rsa(), &["d", "p", "q", "dp", "dq", "qi", "oth", "k"][..]), (ec(), &["d"]), (okp(), &["d"])]
    {
        for member in members {
            let private = with(&key, member, json!("AQ"));
            assert_eq!(reason(&private), None, "{member} of {key}");
            assert_eq!(remote(&json!({"keys": [private]})), [Some("private-key")], "{member} of {key}");
        }
        assert_eq!(remote(&json!({"keys": [key]})), [None]);
    }
}

#[test]
fn symmetric_keys_in_sets() {
    let mixed = json!({"keys": [oct(), with(&ec(), "kid", json!("e")), with(&oct(), "kid", json!("o"))]});
    let beside = Some("symmetric-key-beside-public-keys");
    assert_eq!(local(&mixed), [beside, None, beside]);
    let secrets = json!({"keys": [oct(), with(&oct(), "kid", json!("o"))]});
    assert_eq!(local(&secrets), [None, None]);
    let in_remote = Some("symmetric-key-in-remote-set");
    assert_eq!(remote(&mixed), [in_remote, None, in_remote]);
    assert_eq!(remote(&secrets), [in_remote, in_remote]);
    // Also next to a public key that is itself refused.
    assert_eq!(local(&json!({"keys": [oct(), {"kty": "RSA"}]})), [beside, Some("missing-member")]);
    // Added on its own, it is the operator's decision.
    let explicit = KeySet::builder().jwk(ec().to_string().as_bytes()).unwrap().hmac(None, Algorithm::HS256, &[7; 32]);
    assert_eq!(explicit.build().unwrap().len(), 2);
}

#[test]
fn duplicate_kid_and_algorithm() {
    let ec = |kid: &str| with(&ec(), "kid", json!(kid));
    let rsa = |kid: &str| with(&rsa(), "kid", json!(kid));
    let duplicate = Some("duplicate-kid");
    let other = |kid: &str| with(&with(&ec(kid), "x", json!(OTHER_POINT[0])), "y", json!(OTHER_POINT[1]));
    assert_eq!(local(&json!({"keys": [ec("a"), ec("b"), other("a")]})), [duplicate, None, duplicate]);
    // Without a `kid` they are tried one after the other.
    let nameless = without(&other("a"), "kid");
    assert_eq!(local(&json!({"keys": [self::ec(), nameless]})), [None, None]);
    assert_eq!(local(&json!({"keys": [ec("a"), rsa("a")]})), [None, None]);
    assert_eq!(local(&json!({"keys": [ec("a"), ec("A")]})), [None, None]);
}

#[test]
fn a64_the_same_key_twice_is_one_key() {
    for key in [rsa(), ec(), okp(), oct()] {
        let (nameless, named) = (key.clone(), with(&key, "kid", json!("a")));
        for twice in [[&nameless, &nameless], [&named, &named]] {
            let loaded = load(&json!({"keys": twice}), KeySource::Local);
            assert_eq!(loaded.reports[0], loaded.reports[1]);
            assert_eq!(loaded.reports[0].refused, None, "{key}");
            assert_eq!(loaded.set.len(), loaded.reports[0].algs.len(), "{key}");
        }
    }
    // Equal by thumbprint (RFC 7638): other members are ignored, and so are leading zeros of an RSA key's numbers.
    let key = with(&rsa(), "kid", json!("a"));
    let padded = with(&with(&key, "e", json!("AAEAAQ")), "x5t", json!("AAAA"));
    let loaded = load(&json!({"keys": [key, padded, with(&key, "alg", json!("RS256"))]}), KeySource::Local);
    assert!(loaded.reports.iter().all(|report| report.algs == [Algorithm::RS256]), "{:?}", loaded.reports);
    assert_eq!(loaded.set.len(), 1);
    // A third key under the name makes both unusable.
    let other = with(&key, "n", json!(encode(&[0xc7; 256])));
    let duplicate = Some("duplicate-kid");
    assert_eq!(local(&json!({"keys": [key, key, other]})), [duplicate; 3]);
    // The same holds across two documents.
    let keys = KeySet::builder().jwk(key.to_string().as_bytes()).unwrap().jwk(key.to_string().as_bytes()).unwrap();
    assert_eq!(keys.build().unwrap().len(), 1);
}

#[test]
fn a64_a_key_that_is_refused_takes_no_usable_key_along() {
    for good in [rsa(), ec(), okp()] {
        let good = with(&good, "kid", json!("a"));
        let algorithm = report(&good).algs[0].name();
        let good = with(&good, "alg", json!(algorithm));
        let other = if good["kty"] == "RSA" {
            with(&good, "n", json!(encode(&[0xc7; 256])))
        } else {
            with(&good, "x", json!("AA"))
        };
        for (bad, code) in [
            (with(&good, "use", json!("enc")), "use-not-sig"),
            (with(&other, "use", json!("enc")), "use-not-sig"),
            (with(&good, "key_ops", json!(["sign"])), "key-ops-without-verify"),
            (with(&good, "alg", json!("RSA-OAEP")), "unsupported-algorithm"),
            (with(&good, "kty", json!("Unheard-of")), "unsupported-key-type"),
            (with(&good, if good["kty"] == "RSA" { "n" } else { "x" }, json!(7)), "malformed-member"),
        ] {
            for (keys, codes) in [([&good, &bad], [None, Some(code)]), ([&bad, &good], [Some(code), None])] {
                for source in [KeySource::Local, KeySource::Remote] {
                    assert_eq!(self::codes(&json!({"keys": keys}), source), codes, "{bad}");
                }
            }
        }
    }
}

/// As in Wycheproof's test vectors (json_web_key_test.json, 4).
#[test]
fn a_secret_that_cannot_be_used_takes_those_of_its_kid_and_algorithm_along() {
    let secret = |member: &str, value: Value| with(&with(&oct(), "kid", json!("a")), member, value);
    let duplicate = Some("duplicate-kid");
    for (bad, code) in
        [(secret("k", json!("A=")), "malformed-member"), (secret("k", json!("AAAA")), "hmac-secret-too-short")]
    {
        assert_eq!(local(&json!({"keys": [secret("kid", json!("a")), bad]})), [duplicate, Some(code)]);
        assert_eq!(local(&json!({"keys": [bad, secret("alg", json!("HS384"))]})), [Some(code), None]);
    }
    let of_unknown_type = secret("kty", json!("Unheard-of"));
    let codes = local(&json!({"keys": [of_unknown_type, secret("kid", json!("a"))]}));
    assert_eq!(codes, [Some("unsupported-key-type"), None]);
    let for_encryption = secret("use", json!("enc"));
    assert_eq!(local(&json!({"keys": [for_encryption, secret("kid", json!("a"))]})), [Some("use-not-sig"), None]);
}

#[test]
fn a64_a_public_key_whose_private_part_is_published_beside_it_is_refused() {
    let private = with(&with(&okp(), "d", json!("AQ")), "kid", json!("a"));
    let (twin, alias) = (with(&okp(), "kid", json!("a")), with(&okp(), "kid", json!("b")));
    let exposed = Some("private-key");
    for private in [private.clone(), with(&private, "use", json!("enc")), with(&private, "alg", json!("none"))] {
        let keys = json!({"keys": [twin, private, alias, with(&ec(), "kid", json!("c"))]});
        assert_eq!(remote(&keys), [exposed, exposed, exposed, None]);
        let reports = load(&keys, KeySource::Remote).reports;
        assert!(reports[0].thumbprint.is_some() && reports[0].thumbprint == reports[1].thumbprint);
    }
    assert_eq!(local(&json!({"keys": [twin, private, alias]})), [None; 3]);
}

#[test]
fn a_member_that_is_null_is_absent() {
    let members = ["kid", "alg", "use", "key_ops", "x5c", "x5t", "x5t#S256", "x5u", "d", "p", "q", "oth", "k", "ext"];
    for key in [rsa(), ec(), okp()] {
        let plain = report(&key);
        for member in members {
            let with_null = with(&key, member, json!(null));
            assert_eq!(report(&with_null), plain, "{member} of {key}");
            assert_eq!(remote(&json!({"keys": [with_null]})), [None], "{member} of {key}");
        }
    }
    assert_eq!(reason(&with(&oct(), "alg", json!(null))), Some("missing-algorithm"));
    assert_eq!(reason_in_set(&with(&ec(), "kty", json!(null))), Some("missing-member"));
    assert_eq!(KeySet::builder().jwk(br#"{"kty":null}"#).unwrap_err().code(), "neither-jwk-nor-jwks");
    assert_eq!(KeySet::builder().file(br#"{"kty":null,"keys":[]}"#).unwrap().build_with_reports().reports, []);
    // Inside an array, null is an element of the wrong type.
    assert_eq!(reason(&with(&ec(), "key_ops", json!(["verify", null]))), Some("malformed-member"));
}

#[test]
fn a_secret_without_alg_is_for_the_configured_algorithms_that_it_is_long_enough_for() {
    let secret = |bytes: usize| json!({"kty": "oct", "kid": "a", "k": encode(&vec![7; bytes])});
    let with_algorithms = |jwk: Value, algorithms: &[Algorithm]| {
        KeySet::builder()
            .algorithms(algorithms)
            .jwk(jwk.to_string().as_bytes())
            .unwrap()
            .build_with_reports()
            .reports
            .remove(0)
    };
    let all = [Algorithm::RS256, Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    assert_eq!(with_algorithms(secret(64), &all).algs, all[1..]);
    assert_eq!(with_algorithms(secret(48), &all).algs, all[1..3]);
    assert_eq!(with_algorithms(secret(32), &[Algorithm::HS384]).refused.unwrap().code(), "hmac-secret-too-short");
    assert_eq!(with_algorithms(secret(64), &[Algorithm::RS256]).refused, Some(KeyRefused::MissingAlgorithm));
    assert_eq!(with_algorithms(with(&secret(64), "alg", json!("HS512")), &all).algs, [Algorithm::HS512]);
}

#[test]
fn a_refusal_names_the_member_and_what_it_should_be() {
    let long = "x".repeat(1000);
    let cut = tollgate_jwt::excerpt(&long).into_owned();
    for (key, text) in [
        (with(&ec(), "kid", json!(7)), "the member `kid` has to be a string"),
        (with(&ec(), "use", json!([])), "the member `use` has to be a string"),
        (with(&ec(), "alg", json!({})), "the member `alg` has to be a string"),
        (with(&ec(), "key_ops", json!("verify")), "the member `key_ops` has to be an array of strings"),
        (with(&ec(), "x", json!("A=")), "the member `x` has to be canonical base64url without padding"),
        (without(&rsa(), "n"), "the member `n` is missing"),
        (with(&ec(), "kid", json!("k".repeat(1025))), "`kid` is 1025 bytes long; at most 1024 are taken"),
        (with(&ec(), "kty", json!("e\n")), r#"the key type (`kty`) "e\n" is not known"#),
        (with(&ec(), "crv", json!("P-224")), r#"the curve (`crv`) "P-224" is not known, or not for signatures"#),
        (
            with(&ec(), "alg", json!("ECDH-ES")),
            r#"the algorithm (`alg`) "ECDH-ES" is not a signature algorithm that this build has"#,
        ),
        (with(&ec(), "alg", json!("")), r#"the algorithm (`alg`) "" is not a signature algorithm that this build has"#),
        (with(&ec(), "alg", json!("ES384")), "`alg` is ES384, which is no algorithm for this key"),
        (with(&ec(), "use", json!("")), r#"`use` is "", and has to be "sig""#),
        (with(&ec(), "use", json!(long)), &format!(r#"`use` is "{cut}", and has to be "sig""#)),
        (with(&ec(), "key_ops", json!([])), r#"`key_ops` does not hold "verify""#),
        (without(&oct(), "alg"), "the member `alg` is missing: a key of this type needs it"),
    ] {
        let refused = report_in_set(&key).refused.map(|refused| refused.to_string()).unwrap_or_default();
        assert_eq!(refused, text, "{key}");
    }
    assert_eq!(
        report_in_set(&json!(7)).refused.unwrap().to_string(),
        "the member `keys` has to be an array of objects"
    );
}

#[test]
fn all_messages_fit_into_one_line_of_a_log() {
    let hostile = "\u{1b}\n\u{202e}".repeat(100);
    for (member, value) in
        [("kty", json!(hostile)), ("alg", json!(hostile)), ("crv", json!(hostile)), ("use", json!(hostile))]
    {
        let text = report_in_set(&with(&with(&ec(), "kid", json!(hostile)), member, value)).to_string();
        assert!(text.chars().all(|character| !character.is_control()), "{text}");
        assert!(text.contains(r"\u{1b}\n\u{202e}") && text.len() < 2000, "{text}");
    }
}

#[test]
fn duplicate_for_one_algorithm_serves_for_the_other() {
    let rsa = with(&rsa(), "kid", json!("a"));
    let other = with(&with(&rsa, "n", json!(encode(&[0xc7; 256]))), "alg", json!("RS256"));
    let keys = json!({"keys": [rsa, other]});
    let options = KeySet::builder().algorithms(&[Algorithm::RS256, Algorithm::PS256]);
    let loaded = options.jwks(keys.to_string().as_bytes()).unwrap().build_with_reports();
    assert_eq!(loaded.reports[0].algs, [Algorithm::PS256]);
    assert_eq!(loaded.reports[1].refused, Some(KeyRefused::DuplicateKeyId));
    assert_eq!(loaded.set.len(), 1);
}

#[test]
fn refused_keys_leave_their_neighbours() {
    let keys = json!({"keys": [{"kty": "Unheard-of", "kid": 7}, ec(), 5, null, [], {"kty": "RSA"}, okp()]});
    let codes = local(&keys);
    assert_eq!(codes.iter().filter(|code| code.is_none()).count(), 2);
    assert_eq!(codes[0], Some("unsupported-key-type"));
}

#[test]
fn embedded_certificates_and_urls_are_ignored() {
    let key = with(&ec(), "x5c", json!(["not a certificate"]));
    let key = with(&key, "x5u", json!("https://attacker.example/"));
    assert_eq!(reason(&with(&key, "x5t", json!(5))), None);
}

#[test]
fn codes_are_kebab_case_and_messages_say_more() {
    let refused = KeyRefused::HmacSecretTooShort { bytes: 6, min: 32 };
    assert_eq!(refused.to_string(), "the HMAC secret (`k`) has 6 bytes; at least 32 are needed");
    let refused = KeyRefused::RsaModulusTooSmall { bits: 1024 };
    assert_eq!(refused.to_string(), "the RSA modulus (`n`) has 1024 bits; at least 2048 are needed");
}

/// The modulus k M + (65537^123457 mod M), M the product of the primes up to 167.
const ROCA_MODULUS: &str = "gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAG48iKc85In7aJepoVj8-YmsU2m82w8Y_nlmLI82w";

fn rsa() -> Value {
    json!({"kty": "RSA", "n": encode(&[0xc5; 256]), "e": "AQAB"})
}

/// RFC 7517 appendix A.1.
fn ec() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    })
}

/// The key of RFC 7515 appendix A.3.1.
const OTHER_POINT: [&str; 2] =
    ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"];

/// RFC 8037 appendix A.2.
fn okp() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn oct() -> Value {
    json!({"kty": "oct", "alg": "HS256", "k": encode(&[7; 64])})
}

fn with(key: &Value, member: &str, value: Value) -> Value {
    let mut key = key.clone();
    key[member] = value;
    key
}

fn without(key: &Value, member: &str) -> Value {
    let mut key = key.clone();
    key.as_object_mut().unwrap().remove(member);
    key
}

fn reason(jwk: &Value) -> Option<&'static str> {
    report(jwk).refused.map(|refused| refused.code())
}

fn report(jwk: &Value) -> KeyReport {
    let loaded = KeySet::builder().jwk(jwk.to_string().as_bytes()).unwrap().build_with_reports();
    let [report] = loaded.reports.try_into().unwrap();
    // A key is either used or refused.
    assert_eq!(report.refused.is_some(), report.algs.is_empty());
    assert_eq!(loaded.set.len(), report.algs.len());
    report
}

fn reason_in_set(jwk: &Value) -> Option<&'static str> {
    local(&json!({"keys": [jwk]}))[0]
}

fn report_in_set(jwk: &Value) -> KeyReport {
    load(&json!({"keys": [jwk]}), KeySource::Local).reports.remove(0)
}

fn local(keys: &Value) -> Vec<Option<&'static str>> {
    codes(keys, KeySource::Local)
}

fn remote(keys: &Value) -> Vec<Option<&'static str>> {
    codes(keys, KeySource::Remote)
}

fn codes(keys: &Value, source: KeySource) -> Vec<Option<&'static str>> {
    load(keys, source).reports.iter().map(|report| report.refused.as_ref().map(KeyRefused::code)).collect()
}

fn load(keys: &Value, source: KeySource) -> Loaded {
    let loaded = KeySet::builder().source(source).jwks(keys.to_string().as_bytes()).unwrap().build_with_reports();
    assert!(loaded.set.len() <= loaded.reports.iter().map(|report| report.algs.len()).sum::<usize>());
    loaded
}

fn encode(bytes: &[u8]) -> String {
    base64url::encode(bytes)
}

fn decode(key: &Value, member: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    base64url::decode(key[member].as_str().unwrap(), &mut bytes).unwrap();
    bytes
}
