//! The algorithms that ring lacks and the second backend supplies, with published examples if they are available.

use std::fs;
use std::path::Path;

use crate::support::{Folder, run};
use serde_json::{Value, json};

#[test]
fn es512_signature_of_rfc_7520_verifies() {
    let Some(example) = vectors("ietf-jose-cookbook/jws/4_3.ecdsa_signature.json") else { return };
    check("ES512", &example["input"]["key"], example["output"]["compact"].as_str().unwrap());
}

#[test]
fn ml_dsa_signatures_of_rfc_9964_verify() {
    for (name, algorithm) in [("44", "ML-DSA-44"), ("65", "ML-DSA-65"), ("87", "ML-DSA-87")] {
        let file = format!("ietf-ml-dsa-jose/examples/jose/examples/ML_DSA_{name}.jose.json");
        let Some(example) = vectors(&file) else { return };
        check(algorithm, &example["jwk"], example["jws"].as_str().unwrap());
    }
}

#[test]
fn es256k_key_is_usable() {
    // The base point, SEC 2 section 2.4.1.
    let key = json!({
        "kty": "EC", "crv": "secp256k1",
        "x": "eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g", "y": "SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg",
    });
    let keys = run(&["keys", &Folder::new().write("key", key.to_string())], "");
    assert_eq!((keys.status, keys.answers()[0]["algs"].clone()), (0, json!(["ES256K"])), "{keys:?}");
}

/// The key is for `algorithm`; the token verifies under it, but not with a changed bit.
fn check(algorithm: &str, key: &Value, token: &str) {
    let folder = Folder::new();
    let key = folder.write("key", key.to_string());
    let keys = run(&["keys", &key], "");
    assert_eq!((keys.status, keys.answers()[0]["algs"].clone()), (0, json!([algorithm])), "{keys:?}");

    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let changed = format!("{signing_input}.{first}{}", &signature[1..]);
    let verified = run(&["jws", "--key", &key], format!("{token}\n{changed}\n"));
    let answers = verified.answers();
    assert_eq!(verified.status, 1);
    assert_eq!((&answers[0]["ok"], &answers[0]["alg"]), (&json!(true), &json!(algorithm)), "{answers:?}");
    assert_eq!(
        answers[1],
        json!({"ok": false, "error": "bad-signature", "detail": "the signature does not verify"}),
        "{algorithm}"
    );
}

fn vectors(file: &str) -> Option<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    if !folder.is_dir() {
        eprintln!("skipped: ../shared/vectors is not there");
        return None;
    }
    Some(serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap())
}
