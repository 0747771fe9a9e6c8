//! Tokens and keys without a key id, and tokens with an unknown one, while several keys are candidates.

use std::sync::Arc;

use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;

use crate::support::*;

#[test]
fn a64_token_under_a_new_kid_is_accepted_in_spite_of_a_key_without_kid() {
    simulate(async {
        let (nameless, old, new) = (key("nameless"), key("k1"), key("k2"));
        let provider = Provider::start(publishes(set([without_kid(&nameless), with_kid(&old)])));
        let remote = Remote::start(remote(&provider)).await;
        assert!(
            accepts(&remote.engine, &header(&nameless, None)) && accepts(&remote.engine, &header(&old, Some("k1")))
        );
        provider.becomes(publishes(set([without_kid(&nameless), with_kid(&new)])));
        let verdict = at_once(remote.verify_or_refresh(&header(&new, Some("k2")))).await;
        assert_eq!(verdict.unwrap().key_id(), Some("k2"));
        assert_eq!(provider.request_count(), 2);
    });
}

#[test]
fn a64_hint_of_a_plain_verify_brings_the_key_in_spite_of_a_key_without_kid() {
    simulate(async {
        let (nameless, new) = (key("nameless"), key("k2"));
        let provider = Provider::start(publishes(set([without_kid(&nameless)])));
        let remote = Remote::start(remote(&provider)).await;
        provider.becomes(publishes(set([without_kid(&nameless), with_kid(&new)])));
        let header = header(&new, Some("k2"));
        assert_eq!(code(&remote.engine, &header), "bad-signature");
        until("the key is there", || accepts(&remote.engine, &header)).await;
    });
}

#[test]
fn a64_tokens_without_kid_are_accepted_after_a_rotation() {
    simulate(async {
        for publish in [without_kid, with_kid] {
            let (old, new) = (key("k1"), key("k2"));
            let provider = Provider::start(publishes(set([publish(&old)])));
            let remote = Remote::start(remote(&provider)).await;
            assert!(accepts(&remote.engine, &header(&old, None)));
            provider.becomes(publishes(set([publish(&new)])));
            assert!(at_once(remote.verify_or_refresh(&header(&new, None))).await.is_ok());
            assert_eq!(provider.request_count(), 2);
        }
    });
}

#[test]
fn a42_forged_tokens_without_kid_lead_to_one_fetch_a_cool_down_and_hide_no_rotation() {
    simulate(async {
        let (old, new) = (key("k1"), key("k2"));
        let provider = Provider::start(publishes(set([without_kid(&old)])));
        let remote = Remote::start(remote(&provider)).await;
        let forged = header(&key("stranger"), None);
        let storm = || {
            for _ in 0..100 {
                assert_eq!(code(&remote.engine, &forged), "bad-signature");
            }
        };
        // Less than the time until the next regular refresh.
        remote.pass_in_steps(3 * MINUTE, SECOND, storm).await;
        assert_eq!(remote.fetches_for_unknown_keys(), 6, "one for each 30 s");
        provider.becomes(publishes(set([without_kid(&new)])));
        remote.pass_in_steps(31 * SECOND, SECOND, || _ = code(&remote.engine, &forged)).await;
        assert!(accepts(&remote.engine, &header(&new, None)));
    });
}

#[test]
fn a42_forged_token_is_verified_once_where_no_fetch_can_come() {
    simulate(async {
        let (own, forged) = (key("k1"), key("stranger"));
        let provider = Provider::start(publishes(set([without_kid(&own)])));
        let remote = Remote::start(remote(&provider)).await;
        let header = header(&forged, None);
        // Spends the budget.
        assert!(at_once(remote.verify_or_refresh(&header)).await.is_err());
        remote.pass_in_steps(2 * SECOND, SECOND, || ()).await;
        let before = signature_checks();
        assert_eq!(at_once(remote.verify_or_refresh(&header)).await.unwrap_err().code(), "bad-signature");
        assert_eq!((signature_checks() - before, provider.request_count()), (1, 2));
    });
}

#[test]
fn bad_signature_under_a_key_that_is_there_leads_to_no_fetch() {
    simulate(async {
        let (own, stranger) = (key("k1"), key("stranger"));
        let provider = Provider::start(publishes(set([with_kid(&own)])));
        let remote = Remote::start(remote(&provider)).await;
        let forged = header(&stranger, Some("k1"));
        assert_eq!(at_once(remote.verify_or_refresh(&forged)).await.unwrap_err().code(), "bad-signature");
        remote.pass(MINUTE).await;
        assert_eq!(remote.fetches_for_unknown_keys(), 0);
    });
}

#[test]
fn verdict_from_before_a_fetch_that_has_just_ended_is_not_the_last_word() {
    simulate(async {
        let (old, new) = (key("k1"), key("k2"));
        let provider = Provider::start(publishes(set([without_kid(&old)])));
        let remote = Remote::start(remote(&provider)).await;
        provider.becomes(publishes(set([without_kid(&new)])));
        assert!(at_once(remote.verify_or_refresh(&header(&new, None))).await.is_ok());
        // The budget is spent: there is no fetch to wait for, but a finished one to verify with.
        let ring = remote.keys.key_ring();
        let refresher = Arc::clone(ring.refresher().unwrap());
        assert!(refresher.refreshed(None).is_some());
        remote.pass_in_steps(2 * SECOND, SECOND, || ()).await;
        assert!(refresher.refreshed(None).is_none());
    });
}

/// The value of an Authorization header, signed by `key`.
fn header(key: &SigningKey, kid: Option<&str>) -> String {
    let template = Signer::new().header();
    let payload = template.split('.').nth(1).unwrap();
    let kid = kid.map(|kid| format!(r#","kid":"{kid}""#)).unwrap_or_default();
    let head = tollgate_jwt::base64url::encode(format!(r#"{{"alg":"ES256"{kid}}}"#));
    let signature = key.sign(format!("{head}.{payload}").as_bytes()).unwrap();
    format!("Bearer {head}.{payload}.{}", tollgate_jwt::base64url::encode(signature))
}

fn with_kid(key: &SigningKey) -> String {
    key.public_jwk().unwrap()
}

fn without_kid(key: &SigningKey) -> String {
    let mut jwk: serde_json::Value = serde_json::from_str(&with_kid(key)).unwrap();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk.to_string()
}

fn set<const N: usize>(keys: [String; N]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}
