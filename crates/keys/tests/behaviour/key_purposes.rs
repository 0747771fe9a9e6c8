//! The purpose of a JWK: which keys are accepted, and what is known of them.

use std::slice::from_ref;

use serde_json::{Value, json};
use tollgate_keys::{
    Algorithm, InvalidKeyUses, KeyPurpose, KeyRefused, KeyReport, KeySet, KeySource, KeyUses, PublicKey, VerifyingKey,
};

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn okp(kid: &str, key_use: Value) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": X, "use": key_use })
}

fn uses(accepted: &[&str]) -> KeyUses {
    KeyUses::new(accepted.iter().copied()).unwrap()
}

fn reports(uses: KeyUses, keys: &[Value]) -> Vec<KeyReport> {
    let jwks = json!({ "keys": keys }).to_string();
    let before = KeySet::builder().key_uses(uses.clone()).jwks(jwks.as_bytes()).unwrap().build_with_reports();
    let after = KeySet::builder().source(KeySource::Remote).jwks(jwks.as_bytes()).unwrap().key_uses(uses);
    assert_eq!(after.build_with_reports().reports, before.reports, "it depends on when it is said");
    before.reports
}

fn codes(uses: KeyUses, keys: &[Value]) -> Vec<Option<&'static str>> {
    reports(uses, keys).iter().map(|report| report.refused.as_ref().map(KeyRefused::code)).collect()
}

#[test]
fn keys_of_the_uses_that_are_accepted_are_taken_and_no_others() {
    let keys = ["sig", "jwt-svid", "x509-svid", "enc", "JWT-SVID", "jwt-svid ", ""].map(|one| okp(one, json!(one)));
    let (not_sig, not_accepted) = (Some("use-not-sig"), Some("use-not-accepted"));
    let by_default = [None, not_sig, not_sig, not_sig, not_sig, not_sig, not_sig];
    assert_eq!(codes(KeyUses::default(), &keys), by_default);
    assert_eq!(codes(uses(&["sig"]), &keys), by_default);
    let of_both = [None, None, not_accepted, not_accepted, not_accepted, not_accepted, not_accepted];
    assert_eq!(codes(uses(&["sig", "jwt-svid"]), &keys), of_both);
    let of_one = [not_accepted, None, not_accepted, not_accepted, not_accepted, not_accepted, not_accepted];
    assert_eq!(codes(uses(&["jwt-svid"]), &keys), of_one);
}

#[test]
fn a_jwk_without_use_is_taken_unless_one_is_required() {
    let absent = okp("a", json!(null));
    for accepted in [KeyUses::default(), uses(&["jwt-svid"])] {
        assert_eq!(codes(accepted.clone(), from_ref(&absent)), [None]);
        assert_eq!(codes(accepted.required(), from_ref(&absent)), [Some("use-not-accepted")]);
    }
    assert_eq!(codes(KeyUses::default().required(), &[okp("a", json!("sig"))]), [None]);
    assert_eq!(codes(uses(&["jwt-svid"]).required(), &[okp("a", json!(5))]), [Some("use-not-accepted")]);
    assert_eq!(codes(uses(&["jwt-svid"]), &[okp("a", json!(5))]), [Some("malformed-member")]);
    // A key that is not a JWK has no `use`.
    let pem = include_bytes!("../data/p256_public.pem");
    assert_eq!(KeySet::builder().key_uses(uses(&["x"]).required()).pem(pem).unwrap().build().unwrap().len(), 1);
}

#[test]
fn a_refused_use_is_named_with_those_that_are_accepted() {
    let message = |uses, key| reports(uses, &[key]).remove(0).refused.unwrap().to_string();
    assert_eq!(message(KeyUses::default(), okp("a", json!("enc"))), r#"`use` is "enc", and has to be "sig""#);
    let two = uses(&["sig", "jwt-svid"]);
    assert_eq!(message(two.clone(), okp("a", json!("enc"))), r#"`use` is "enc", and has to be "sig" or "jwt-svid""#);
    let missing = message(two.required(), okp("a", json!(null)));
    assert_eq!(missing, r#"`use` is missing, and has to be "sig" or "jwt-svid""#);
}

#[test]
fn a_key_of_another_use_takes_no_usable_one_along() {
    let other = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "a", "use": "x509-svid",
        "x": "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" });
    let svid = okp("a", json!("jwt-svid"));
    assert_eq!(codes(uses(&["jwt-svid"]), &[svid.clone(), other.clone()]), [None, Some("use-not-accepted")]);
    let both = codes(uses(&["jwt-svid", "x509-svid"]), &[svid, other]);
    assert_eq!(both, [Some("duplicate-kid"), Some("duplicate-kid")]);
}

#[test]
fn a_key_has_the_purposes_of_each_jwk_that_holds_it() {
    let accepted = || KeySet::builder().key_uses(uses(&["sig", "jwt-svid"]));
    let set =
        |keys: &[Value]| accepted().jwks(json!({ "keys": keys }).to_string().as_bytes()).unwrap().build().unwrap();
    let purposes = |set: &KeySet| {
        assert_eq!(set.len(), 1);
        let key = set.iter().next().unwrap();
        let uses = key.purposes().iter().map(|purpose| purpose.key_use().map(str::to_owned));
        (uses.collect::<Vec<_>>(), key.has_special_purpose())
    };
    let [absent, sig, svid] = [json!(null), json!("sig"), json!("jwt-svid")].map(|one| okp("a", one));
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(purposes(&set(from_ref(&absent))), (vec![None], false));
    assert_eq!(purposes(&set(from_ref(&sig))), (vec![some("sig")], false));
    assert_eq!(purposes(&set(from_ref(&svid))), (vec![some("jwt-svid")], true));
    assert_eq!(
        purposes(&set(&[svid.clone(), sig, svid.clone(), absent])),
        (vec![some("jwt-svid"), some("sig"), None], true)
    );
    // A key that comes from no JWK is for all purposes, also in a set that contains the same key as a JWK.
    let mut bytes = Vec::new();
    tollgate_jwt::base64url::decode(X, &mut bytes).unwrap();
    let bare = VerifyingKey::new(&PublicKey::ed25519(&bytes).unwrap(), Algorithm::EdDSA, Some("a")).unwrap();
    assert_eq!(bare.purposes(), [] as [KeyPurpose; 0]);
    let of_svid = set(&[svid]);
    let svid = of_svid.iter().next().unwrap();
    for keys in [[&bare, svid], [svid, &bare]] {
        let set = keys.into_iter().fold(KeySet::builder(), |set, key| set.key(key.clone())).build().unwrap();
        assert_eq!(purposes(&set), (vec![], false));
    }
    assert_eq!(purposes(&of_svid.filter(|_| true)), (vec![some("jwt-svid")], true));
    assert!(of_svid.find_same(&bare).unwrap().has_special_purpose());
}

#[test]
fn a_list_of_uses_names_one_or_more() {
    assert_eq!(KeyUses::new([]), Err(InvalidKeyUses::None));
    assert_eq!(KeyUses::new(["sig", ""]), Err(InvalidKeyUses::Empty));
    assert_eq!(KeyUses::new(["sig"]), Ok(KeyUses::default()));
    assert!(KeyUses::default().is_default() && !uses(&["sig", "enc"]).is_default());
    assert!(!KeyUses::default().required().is_default());
}
