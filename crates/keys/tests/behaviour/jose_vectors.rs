//! Published JOSE vectors, read from `../shared/vectors` where that folder exists.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tollgate_jwt::{CompactJws, json};
use tollgate_keys::{Algorithm, KeyRefused, KeyReport, KeySet, Loaded};

#[test]
fn wycheproof_json_web_signatures() {
    let Some(file) = vectors("wycheproof/json_web_signature_test.json") else { return };
    let checked = wycheproof(&file, "json_web_signature_test.json");
    assert_eq!(checked, 401);
}

#[test]
fn wycheproof_json_web_keys() {
    let Some(file) = vectors("wycheproof/json_web_key_test.json") else { return };
    let checked = wycheproof(&file, "json_web_key_test.json");
    assert_eq!(checked, 26);
}

#[test]
fn wycheproof_private_keys_verify_as_their_public_halves() {
    let Some(file) = vectors("wycheproof/json_web_signature_test.json") else { return };
    let mut verified = 0;
    for group in file["testGroups"].as_array().unwrap() {
        // In one group the private key's `key_ops` is the single string "sign, verify".
        if group["public"].is_null() || group["comment"] == "rfc7520WithKeyOps" {
            continue;
        }
        let (public, private) = (load(&group["public"], &[]), load(&group["private"], &[]));
        for test in group["tests"].as_array().unwrap() {
            let token = test["jws"].as_str().unwrap();
            let outcome = verify(token, &public.set);
            assert_eq!(outcome, verify(token, &private.set), "tcId {}", test["tcId"]);
            verified += usize::from(outcome.is_ok());
        }
    }
    assert!(verified > 20);
}

#[test]
fn rfc_7520_signatures() {
    let mut verified = 0;
    for name in
        ["4_1.rsa_v15_signature", "4_2.rsa-pss_signature", "4_3.ecdsa_signature", "4_4.hmac-sha2_integrity_protection"]
    {
        let Some(file) = vectors(&format!("ietf-jose-cookbook/jws/{name}.json")) else { return };
        verified += usize::from(cookbook(&file));
    }
    assert_eq!(verified, if Algorithm::ES512.is_supported() { 4 } else { 3 });

    // The content is detached: as a compact JWS it has an empty payload, which was not signed.
    let file = vectors("ietf-jose-cookbook/jws/4_5.signature_with_detached_content.json").unwrap();
    let keys = load(&file["input"]["key"], &[]);
    assert_eq!(verify(file["output"]["compact"].as_str().unwrap(), &keys.set), Err("bad-signature"));
}

#[test]
fn rfc_7520_keys() {
    for (name, code) in [
        ("3_1.ec_public_key", if Algorithm::ES512.is_supported() { None } else { Some("unsupported-algorithm") }),
        ("3_2.ec_private_key", if Algorithm::ES512.is_supported() { None } else { Some("unsupported-algorithm") }),
        ("3_3.rsa_public_key", None),
        ("3_4.rsa_private_key", None),
        ("3_5.symmetric_key_mac_computation", None),
        ("3_6.symmetric_key_encryption", Some("use-not-sig")),
    ] {
        let Some(key) = vectors(&format!("ietf-jose-cookbook/jwk/{name}.json")) else { return };
        assert_eq!(load(&key, &[]).reports[0].refused.as_ref().map(KeyRefused::code), code, "{name}");
    }
}

#[test]
fn rfc_8037_signature() {
    let Some(file) = vectors("ietf-jose-cookbook/curve25519/jws.json") else { return };
    assert!(cookbook(&file));
}

#[test]
fn rfc_7797_unencoded_payloads_are_rejected() {
    for name in ["4.2.hmac-sha2_b64_false", "hmac-sha2_b64_false"] {
        let Some(file) = vectors(&format!("ietf-jose-cookbook/rfc7797/{name}.json")) else { return };
        let keys = load(&file["input"]["key"], &[]);
        assert_eq!(keys.set.len(), 1);
        let flattened = &file["output"]["json_flat"];
        let [protected, payload, signature] =
            ["protected", "payload", "signature"].map(|part| flattened[part].as_str().unwrap());
        let encoded = tollgate_jwt::base64url::encode(payload);
        for payload in [payload, &encoded] {
            assert_eq!(verify(&format!("{protected}.{payload}.{signature}"), &keys.set), Err("malformed-token"));
        }
        if let Some(compact) = file["output"]["compact"].as_str() {
            assert_eq!(verify(compact, &keys.set), Err("malformed-token"));
        }
    }
}

#[test]
fn a14_ml_dsa_signatures_of_rfc_9964() {
    for (name, algorithm) in [("44", Algorithm::MlDsa44), ("65", Algorithm::MlDsa65), ("87", Algorithm::MlDsa87)] {
        let path = format!("ietf-ml-dsa-jose/examples/jose/examples/ML_DSA_{name}.jose.json");
        let Some(file) = vectors(&path) else { return };
        let keys = load(&file["jwk"], &[]);
        if !algorithm.is_supported() {
            assert!(is_unsupported(&keys.reports[0]));
            continue;
        }
        let key = keys.set.iter().next().unwrap();
        assert_eq!(tollgate_jwt::base64url::encode(key.thumbprint()), file["jwk"]["kid"].as_str().unwrap());
        let token = file["jws"].as_str().unwrap();
        assert_eq!(verify(token, &keys.set), Ok(()));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(verify(&format!("{signed}A.{signature}"), &keys.set), Err("bad-signature"));
    }
}

fn is_unsupported(report: &KeyReport) -> bool {
    matches!(report.refused, Some(KeyRefused::UnsupportedAlgorithm { .. }))
}

/// Runs every test of a file; returns how many there were.
fn wycheproof(file: &Value, name: &str) -> usize {
    let overrides = vectors("wycheproof/strict_overrides.json").unwrap();
    let mut checked = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let keys = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        let loaded = load(keys, &[]);
        let unsupported = loaded.reports.iter().all(is_unsupported);
        for test in group["tests"].as_array().unwrap() {
            let stricter = overrides
                .as_array()
                .unwrap()
                .iter()
                .find(|entry| entry["file"] == name && entry["tcId"] == test["tcId"]);
            let result = stricter.map_or(&test["result"], |entry| &entry["strict"]);
            let expected = result == "valid" && !unsupported;
            let outcome = verify(test["jws"].as_str().unwrap(), &loaded.set);
            assert_eq!(outcome.is_ok(), expected, "{name} tcId {}: {outcome:?}", test["tcId"]);
            checked += 1;
        }
    }
    checked
}

/// Verifies a cookbook example; false if this build lacks its algorithm.
fn cookbook(file: &Value) -> bool {
    let input = &file["input"];
    let algorithm = Algorithm::from_name(input["alg"].as_str().unwrap()).unwrap();
    let keys = load(&input["key"], &[algorithm]);
    let token = file["output"]["compact"].as_str().unwrap();
    if !algorithm.is_supported() {
        assert_eq!(verify(token, &keys.set), Err("unknown-key"));
        return false;
    }
    assert_eq!(verify(token, &keys.set), Ok(()), "{}", file["title"]);
    true
}

fn load(keys: &Value, algorithms: &[Algorithm]) -> Loaded {
    let options = KeySet::builder();
    let options = if algorithms.is_empty() { options } else { options.algorithms(algorithms) };
    options.file(keys.to_string().as_bytes()).unwrap().build_with_reports()
}

/// Verifies at the JWS level: claims are not read, but each part must be well-formed.
fn verify(token: &str, keys: &KeySet) -> Result<(), &'static str> {
    let jws = CompactJws::parse(token).map_err(|_| "malformed-token")?;
    let mut buffer = json::Buffer::default();
    let header = jws.decode_header(&mut buffer).map_err(|_| "malformed-token")?;
    keys.verify(&jws, &header, &mut Vec::new()).map_err(|error| error.code())?;
    jws.append_payload(&mut Vec::new()).map_err(|_| "malformed-token")
}

fn vectors(path: &str) -> Option<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    if !root.is_dir() {
        println!("skipped: the test vectors in ../shared/vectors were not found");
        return None;
    }
    Some(serde_json::from_slice(&fs::read(root.join(path)).unwrap()).unwrap())
}
