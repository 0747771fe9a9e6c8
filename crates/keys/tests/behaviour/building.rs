//! The builder's errors about keys that cannot be used.

use tollgate_keys::{Algorithm, KeyRefused, KeySet, KeySetBuilder, KeySource, NoUsableKey, VerifyingKey};

const GOOD: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"good","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const BAD: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"bad","x":"AA"}"#;

#[test]
fn refused_secret_is_an_error_also_beside_usable_keys() {
    let alone = KeySet::builder().hmac(Some("h"), Algorithm::HS256, b"too short");
    assert_eq!(refused(alone), ["hmac-secret-too-short"]);
    let beside = KeySet::builder().jwks(jwks(&[GOOD]).as_bytes()).unwrap().hmac(None, Algorithm::HS256, b"");
    assert_eq!(refused(beside), ["hmac-secret-empty"]);
}

#[test]
fn document_without_a_usable_key_is_an_error_also_beside_another() {
    assert_eq!(refused(builder(&[&jwks(&[BAD, BAD])])), ["ed25519-key-length", "ed25519-key-length"]);
    assert_eq!(refused(builder(&[&jwks(&[GOOD]), &jwks(&[BAD])])), ["ed25519-key-length"]);
    assert_eq!(refused(builder(&[GOOD, BAD])), ["ed25519-key-length"]);
    assert!(refused(builder(&[&jwks(&[GOOD]), &jwks(&[])])).is_empty());
    let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(refused(builder(&[GOOD, private])), ["private-key"]);
}

#[test]
fn refused_neighbour_in_a_document_is_reported_and_no_error() {
    let document = jwks(&[BAD, GOOD]);
    assert_eq!(builder(&[&document]).build().unwrap().len(), 2);
    let loaded = builder(&[&document]).build_with_reports();
    assert_eq!(loaded.reports[0].refused.as_ref().map(KeyRefused::code), Some("ed25519-key-length"));
    assert_eq!(loaded.into_set().unwrap().len(), 2);
}

#[test]
fn nothing_at_all_is_an_error() {
    assert_eq!(KeySet::builder().build().unwrap_err().to_string(), "no usable key: none was given");
    assert!(KeySet::builder().build_with_reports().into_set().unwrap_err().refused.is_empty());
}

#[test]
fn key_that_is_refused_as_a_ready_one_is_an_error() {
    let keys: Vec<VerifyingKey> = builder(&[GOOD]).build().unwrap().iter().cloned().collect();
    assert_eq!(keys.into_iter().fold(KeySet::builder(), KeySetBuilder::key).build().unwrap().len(), 2);
    let oct = r#"{"kty":"oct","alg":"HS256","k":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#;
    assert_eq!(refused(builder(&[GOOD, oct]).source(KeySource::Remote)), ["symmetric-key-in-remote-set"]);
}

#[test]
fn message_names_the_keys_and_stays_short() {
    let long = BAD.replace("\"bad\"", &format!("\"{}\"", "k".repeat(1000)));
    let hostile = BAD.replace("\"bad\"", r#""a\u001b[31m\n""#);
    let nameless = BAD.replace(r#""kid":"bad","#, "");
    let error = builder(&[&jwks(&[&hostile, &nameless, &long, BAD, BAD, BAD])]).build().unwrap_err();
    let (text, length) = (error.to_string(), "the Ed25519 key (`x`) is not 32 bytes long");
    let expected = format!(
        r#"no usable key: the OKP key "a\u{{1b}}[31m\n" is refused ({length}); the OKP key without kid is refused ({length}); the OKP key "{}" is refused ({length}); the OKP key "bad" is refused ({length}); and 2 more"#,
        tollgate_jwt::excerpt(&"k".repeat(1000))
    );
    assert_eq!(text, expected);
    let used = builder(&[GOOD]).build_with_reports().reports.remove(0);
    assert_eq!(used.to_string(), r#"the OKP key "good" is used"#);
}

#[test]
fn filtered_set_holds_what_was_asked_for_and_nothing_else() {
    let set = builder(&[GOOD]).build().unwrap();
    let one = set.filter(|key| key.algorithm() == Algorithm::EdDSA);
    assert_eq!(one.iter().map(VerifyingKey::algorithm).collect::<Vec<_>>(), [Algorithm::EdDSA]);
    assert!(set.filter(|_| false).is_empty());
}

fn builder(files: &[&str]) -> KeySetBuilder {
    files.iter().fold(KeySet::builder(), |keys, file| keys.file(file.as_bytes()).unwrap())
}

fn jwks(keys: &[&str]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn refused(keys: KeySetBuilder) -> Vec<&'static str> {
    let NoUsableKey { refused, .. } = keys.build().unwrap_err();
    refused.iter().map(|report| report.refused.as_ref().unwrap().code()).collect()
}
