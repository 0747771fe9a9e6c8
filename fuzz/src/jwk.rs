use ring::digest;
use serde_json::Value;
use tollgate::KeySet;
use tollgate::jwt::{base64url, json};
use tollgate::keys::{KeySource, VerifyingKey};

/// A usable key agrees with its members: one `kty`, the algorithm of `alg`, for signatures, with the thumbprint of RFC
/// 7638. Its other members decide whether a remote source may have it.
pub fn jwk(data: &[u8]) {
    let Ok(builder) = KeySet::builder().jwk(data) else { return };
    let loaded = builder.build_with_reports();
    assert_eq!(loaded.reports.len(), 1);
    let report = &loaded.reports[0];
    assert_eq!(report.refused.is_none(), !loaded.set.is_empty());
    assert_eq!(report.algs.len(), loaded.set.len());
    let mut twin: Value = serde_json::from_slice(json::without_byte_order_mark(data)).expect("no JSON for serde_json");
    // A member that is null is absent.
    twin.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    for key in loaded.set.iter() {
        assert_says(key, &twin);
    }
    let remote = KeySet::builder().source(KeySource::Remote).jwk(data).expect("read once").build_with_reports().set;
    let brings_private_part = PRIVATE_MEMBERS.iter().any(|name| twin.get(name).is_some());
    let is_publishable = twin["kty"] != "oct" && !brings_private_part;
    assert_eq!(remote.len(), if is_publishable { loaded.set.len() } else { 0 });
}

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 9964.
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv", "k"];

/// The members that `jwk` needs to result in `key`.
fn assert_says(key: &VerifyingKey, jwk: &Value) {
    let algorithm = key.algorithm();
    assert_eq!(jwk["kty"], algorithm.key_type().name());
    assert_eq!(key.kid(), jwk["kid"].as_str());
    assert!(jwk.get("alg").is_none() || jwk["alg"] == algorithm.name());
    assert!(jwk.get("use").is_none() || jwk["use"] == "sig");
    let operations = jwk.get("key_ops").map(|operations| operations.as_array().expect("key_ops is an array"));
    assert!(operations.is_none_or(|operations| operations.contains(&"verify".into())));
    assert_eq!(*key.thumbprint(), *digest::digest(&digest::SHA256, canonical(jwk).as_bytes()).as_ref());
    assert!(key.verify(b"message", &vec![0; key.signature_bytes()]).is_err());
}

/// The members of the thumbprint by RFC 7638 section 3.2, RFC 8037 section 2 and RFC 9964, in the order of their names.
/// In an accepted key none of their values needs an escape.
fn canonical(jwk: &Value) -> String {
    let names: &[&str] = match jwk["kty"].as_str() {
        Some("RSA") => &["e", "kty", "n"],
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        Some("AKP") => &["alg", "kty", "pub"],
        _ => &["k", "kty"],
    };
    let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":\"{}\"", member(jwk, name))).collect();
    format!("{{{}}}", members.join(","))
}

/// A number of an RSA key has no leading zeros in its thumbprint, and may have some in the file.
fn member(jwk: &Value, name: &str) -> String {
    let text = jwk[name].as_str().expect("a member of a key that was taken");
    if jwk["kty"] != "RSA" || name == "kty" {
        return text.to_owned();
    }
    let mut number = Vec::new();
    base64url::decode(text, &mut number).expect("decoded once");
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    base64url::encode(&number[zeros..])
}
