//! Tokens that may be signed by a key that their issuer has published since: the refresher is told of these only.

use std::sync::{Arc, Mutex};

use tollgate::jwt::UnverifiedText;
use tollgate::keys::{KeyRefresher, Refreshed, VerifyingKey};
use tollgate::{Algorithm, Engine, KeyRing, KeySet, Rejection};
use tollgate_issuer::SigningKey;
use tollgate_keys::KeySetBuilder;
use tollgate_tests::{Draft, NOW, issuer, signing_key};

#[test]
fn a64_a_token_that_names_no_key_of_the_issuer_leads_to_a_hint_whatever_else_is_tried() {
    let [one, two, new] = [0, 1, 2].map(|index| signing_key(Algorithm::ES256, index));
    let of_new = Some("ES256-2");
    for (keys, expected) in [
        (vec![named(&one)], "unknown-key"),
        (vec![named(&one), nameless(&two)], "bad-signature"),
        (vec![nameless(&one)], "bad-signature"),
        (vec![nameless(&one), nameless(&two)], "bad-signature"),
        ((0..5).map(|index| nameless(&signing_key(Algorithm::ES256, index + 9))).collect(), "ambiguous-key"),
    ] {
        let (engine, hints) = engine(keys);
        let rejection = engine.verify_at(Draft::new(&new).sign(&new), NOW).unwrap_err();
        let missing = rejection.missing_key().map(|missing| missing.kid.map(UnverifiedText::as_str));
        assert_eq!((rejection.code(), missing), (expected, Some(of_new)));
        assert_eq!(*hints.0.lock().unwrap(), [of_new.map(str::to_owned)], "{rejection}");
    }
}

#[test]
fn a64_a_token_without_kid_that_no_key_verifies_leads_to_a_hint() {
    let [one, new] = [0, 1].map(|index| signing_key(Algorithm::ES256, index));
    let other = signing_key(Algorithm::EdDSA, 0);
    let token = Draft::new(&new).without_header("kid").sign(&new);
    for (keys, expected) in [
        (vec![named(&one)], "bad-signature"),
        (vec![nameless(&one)], "bad-signature"),
        (vec![named(&other)], "unknown-key"),
        (vec![], "unknown-key"),
    ] {
        let (engine, hints) = engine(keys);
        let rejection = engine.verify_at(&token, NOW).unwrap_err();
        assert_eq!((rejection.code(), rejection.missing_key().map(|missing| missing.kid)), (expected, Some(None)));
        assert_eq!(*hints.0.lock().unwrap(), [None], "{rejection}");
    }
}

/// Like AD FS: more keys than are tried, each named by the thumbprint of its certificate.
#[test]
fn a64_a_thumbprint_that_none_of_many_keys_has_leads_to_a_hint() {
    let crowd: Vec<_> = (0..5).map(|index| named(&signing_key(Algorithm::ES256, index))).collect();
    let new = signing_key(Algorithm::ES256, 9);
    for name in ["x5t", "x5t#S256"] {
        let (engine, hints) = engine(crowd.clone());
        let token = Draft::new(&new).without_header("kid").header(name, "new").sign(&new);
        let rejection = engine.verify_at(token, NOW).unwrap_err();
        assert_eq!(rejection.code(), "ambiguous-key");
        assert_eq!(rejection.missing_key().map(|missing| missing.kid), Some(None));
        assert!(
            rejection.to_string().starts_with("the issuer has no key with the thumbprint that the header names, and 5")
        );
        assert_eq!(*hints.0.lock().unwrap(), [None]);
    }
}

#[test]
fn a64_an_rsa_key_of_another_length_may_be_missing_too() {
    let (small, large) = (signing_key(Algorithm::RS256, 0), [7; 512]);
    for draft in [Draft::new(&small).header("kid", "new"), Draft::new(&small).without_header("kid")] {
        let (engine, hints) = engine(vec![nameless(&small)]);
        let rejection = engine.verify_at(draft.with_signature(large), NOW).unwrap_err();
        assert_eq!((rejection.code(), hints.0.lock().unwrap().len()), ("unknown-key", 1));
    }
}

#[test]
fn a_token_that_no_new_key_could_verify_leads_to_no_hint() {
    let [one, two] = [0, 1].map(|index| signing_key(Algorithm::ES256, index));
    let crowd: Vec<_> = (0..5).map(|index| named(&signing_key(Algorithm::ES256, index))).collect();
    let forged = Draft::new(&two).header("kid", one.kid()).sign(&two);
    let nameless_token = Draft::new(&one).without_header("kid");
    for (keys, token, expected) in [
        (vec![named(&one)], forged.clone(), "bad-signature"),
        (vec![named(&one), nameless(&two)], forged, "bad-signature"),
        (vec![named(&one)], nameless_token.with_signature([7; 63]), "malformed-signature"),
        (vec![nameless(&one)], Draft::new(&two).with_signature([7; 65]), "malformed-signature"),
        (crowd, nameless_token.sign(&one), "ambiguous-key"),
        (vec![named(&one)], Draft::new(&two).claim("exp", 1).sign(&two), "expired"),
    ] {
        let (engine, hints) = engine(keys);
        let rejection = engine.verify_at(&token, NOW).unwrap_err();
        assert_eq!((rejection.code(), rejection.missing_key()), (expected, None));
        assert!(hints.0.lock().unwrap().is_empty(), "{rejection}");
    }
}

#[test]
fn the_refresher_is_told_the_whole_kid() {
    let [one, new] = [0, 1].map(|index| signing_key(Algorithm::ES256, index));
    let (engine, hints) = engine(vec![named(&one), nameless(&one)]);
    let kids = [1, 128, 129, 1024, 5000].map(|length| format!("{}\u{1}", "k".repeat(length - 1)));
    for kid in &kids {
        let rejection = engine.verify_at(Draft::new(&new).header("kid", &**kid).sign(&new), NOW).unwrap_err();
        let missing = rejection.missing_key().and_then(|missing| missing.kid.map(UnverifiedText::as_str));
        assert_eq!(missing, Some(&**kid));
    }
    assert_eq!(*hints.0.lock().unwrap(), kids.map(Some));
}

#[test]
fn messages_of_missing_keys_are_bounded() {
    let kid = Some(UnverifiedText::from(&*"\u{1}".repeat(8000)));
    for rejection in [
        Rejection::NoKeyVerifies { kid: kid.clone(), tried: 4 },
        Rejection::AmbiguousKey { kid: kid.clone(), has_thumbprint: false, candidates: 1024, max: 4 },
        Rejection::UnknownKey { kid },
    ] {
        for text in [rejection.to_string(), format!("{rejection:?} {:?}", rejection.missing_key().map(|key| key.kid))] {
            assert!(text.len() <= 512 && text.contains(r"\u{1}"), "{text}");
        }
        assert!(rejection.to_string().len() <= 256, "{rejection}");
    }
}

fn engine(keys: Vec<VerifyingKey>) -> (Engine, Arc<Hints>) {
    let hints = Arc::new(Hints::default());
    let keys = keys.into_iter().fold(KeySet::builder(), KeySetBuilder::key).build_with_reports().set;
    let ring = KeyRing::with_refresher(keys, hints.clone());
    (Engine::builder().issuer(issuer([]).keys(ring)).build().unwrap(), hints)
}

fn named(key: &SigningKey) -> VerifyingKey {
    key.verifying_key().clone()
}

/// The same key as from PEM, without a kid.
fn nameless(key: &SigningKey) -> VerifyingKey {
    let mut jwk: serde_json::Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
    jwk["kid"] = serde_json::Value::Null;
    let keys = KeySet::builder().jwk(jwk.to_string().as_bytes()).unwrap().build().unwrap();
    keys.iter().next().unwrap().clone()
}

#[derive(Default)]
struct Hints(Mutex<Vec<Option<String>>>);

impl KeyRefresher for Hints {
    fn unknown_key(&self, kid: Option<&str>) {
        self.0.lock().unwrap().push(kid.map(str::to_owned));
    }

    fn refreshed<'r>(&'r self, _: Option<&'r str>) -> Option<Refreshed<'r>> {
        None
    }
}
