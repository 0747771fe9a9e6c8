//! The facts of a key's record, which a table and a principal return as they were put in.

use std::net::IpAddr;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use tollgate::{
    AddressBlock, ApiKey, ApiKeyTable, Engine, KeyFormat, KeyKind, KeyRecord, KeyRecordBuilder, KeyState, Principal,
    PrincipalKind, Rejection, Request, Revocation, Revocations,
};
use tollgate_tests::NOW;

fn verify(record: KeyRecordBuilder<'_>) -> Result<Principal, Rejection> {
    let format = KeyFormat::new("tg", "live").unwrap();
    let (key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(&key, record);
    let engine = Engine::builder().api_keys(table).build().unwrap();
    engine.verify_at(key.as_str().as_bytes(), NOW)
}

#[test]
fn only_an_active_key_is_accepted() {
    let in_state = |state| verify(KeyRecord::api_key("k", "u").state(state)).map(drop);
    assert_eq!(in_state(KeyState::Active), Ok(()));
    assert_eq!(in_state(KeyState::Disabled), Err(Rejection::Disabled));
    assert_eq!(in_state(KeyState::Revoked), Err(Rejection::Revoked));
    assert_eq!((Rejection::Disabled.code(), Rejection::Disabled.status()), ("disabled", 401));
}

#[test]
fn what_was_put_into_a_record_is_in_it() {
    let block: AddressBlock = "::1".parse().unwrap();
    let record = KeyRecord::access_token("id", "subject")
        .name("a name")
        .client_id("client")
        .scopes(["a", "b c", "\u{e9}", "d"])
        .not_before(2)
        .expires_at(3)
        .metadata(b"\0bytes")
        .allowed_addresses([block])
        .build();
    assert_eq!((record.kind(), record.state()), (KeyKind::AccessToken, KeyState::Active));
    assert_eq!((record.id(), record.subject(), record.name()), ("id", "subject", "a name"));
    assert_eq!((record.client_id(), record.not_before(), record.expires_at()), (Some("client"), Some(2), Some(3)));
    assert_eq!((record.metadata(), record.allowed_addresses()), (&b"\0bytes"[..], &[block][..]));
    // A text that is not a scope-token is left out.
    assert_eq!((record.scopes().as_str(), record.scopes().contains("a")), ("a d", true));
    let secret = KeyRecord::client_secret("id", "client").client_id("other").build();
    assert_eq!(secret.client_id(), Some("client"));
    let emptied = KeyRecord::api_key("id", "u").metadata(b"x").metadata(b"").not_before(1).not_before(None);
    assert_eq!(emptied.build(), KeyRecord::api_key("id", "u").build());
}

#[test]
fn an_edited_record_keeps_what_is_not_changed() {
    let record = KeyRecord::access_token("id", "subject")
        .name("a name")
        .client_id("client")
        .scopes(["a"])
        .not_before(2)
        .expires_at(3)
        .metadata(b"x")
        .build();
    assert_eq!(record.edit().build(), record);
    let edited = record.edit().id("other").state(KeyState::Disabled).expires_at(None).build();
    assert_eq!((edited.id(), edited.subject(), edited.name()), ("other", "subject", "a name"));
    assert_eq!((edited.state(), edited.not_before(), edited.expires_at()), (KeyState::Disabled, Some(2), None));
    assert_eq!((edited.client_id(), edited.scopes().as_str(), edited.metadata()), (Some("client"), "a", &b"x"[..]));
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![NOW - 1_000..NOW + 1_000, 0..1_i64 << 33, any::<i64>()]
}

fn any_record() -> impl Strategy<Value = KeyRecord> {
    let who = (0..3_usize, any::<String>(), "[ab\0\u{e9}]{0,4}", "[ab]{0,4}", of("[ab]{0,3}"));
    let when = (of(any_time()), of(any_time()));
    let rest = (0..3_usize, vec("[a-d]{1,3}", 0..4), vec(any::<u8>(), 0..2), any::<bool>());
    (who, when, rest).prop_map(|((kind, id, subject, name, client), (begin, end), rest)| {
        let (state, scopes, metadata, is_bound) = rest;
        let kind = [KeyKind::ApiKey, KeyKind::AccessToken, KeyKind::ClientSecret][kind];
        KeyRecord::builder(kind, &id, &subject)
            .name(&name)
            .state([KeyState::Active, KeyState::Disabled, KeyState::Revoked][state])
            .scopes(scopes.iter().map(String::as_str))
            .metadata(&metadata)
            .client_id(client.as_deref())
            .not_before(begin)
            .expires_at(end)
            .allowed_addresses(is_bound.then(|| "192.0.2.0/24".parse().unwrap()))
            .build()
    })
}

proptest! {
    #[test]
    fn a_table_gives_back_the_record_that_was_put_in(records in vec(any_record(), 1..20)) {
        let (format, keys) = (KeyFormat::new("tg", "live").unwrap(), keys());
        let table = Arc::new(ApiKeyTable::new(format));
        for (key, record) in keys.iter().zip(&records) {
            table.insert(key, record.clone());
        }
        let engine = Engine::builder().api_keys(table.clone()).build().unwrap();
        for (key, record) in keys.iter().zip(&records) {
            let kept = table.get(&key.digest()).unwrap();
            prop_assert_eq!(kept.record(), record);
            prop_assert_eq!(kept.digest(), &key.digest());
            let request = Request::new().authorization(key.as_str()).address(IpAddr::from([192, 0, 2, 7]));
            let verified = engine.verify_request_at(&request, NOW);
            let (begin, end) = (record.not_before(), record.expires_at());
            let is_in_force = begin.is_none_or(|begin| begin <= NOW) && end.is_none_or(|end| NOW < end);
            let is_good = record.state() == KeyState::Active && is_in_force && record.kind() == KeyKind::ApiKey;
            prop_assert_eq!(verified.is_ok(), is_good, "{:?}", verified);
            if let Ok(principal) = verified {
                prop_assert_eq!(principal.kind(), PrincipalKind::ApiKey);
                prop_assert_eq!(principal.subject(), Some(record.subject()));
                prop_assert_eq!(principal.credential_id(), Some(record.id()));
                prop_assert_eq!(principal.client_id(), record.client_id());
                prop_assert_eq!(principal.expires_at(), end);
                prop_assert_eq!(principal.scopes(), record.scopes());
                let clone = principal.clone();
                prop_assert_eq!(clone.key_record(), Some(record));
            }
        }
    }
}

/// The record of a principal outlives the table.
#[test]
fn a_principal_keeps_what_it_needs() {
    let [one, two] = [0, 1].map(|n: usize| keys()[n].as_str().to_owned());
    let table = Arc::new(ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap()));
    table.insert(&keys()[0], KeyRecord::api_key("key-1", "user_7").scopes(["read:sites"]));
    let engine = Engine::builder().api_keys(table.clone()).build().unwrap();
    let principal = engine.verify_at(one.as_bytes(), NOW).unwrap();
    table.replace_all([(&keys()[1], KeyRecord::api_key("key-2", "user_8").build())]);
    assert!(engine.verify_at(one.as_bytes(), NOW).is_err());
    assert_eq!(engine.verify_at(two.as_bytes(), NOW).unwrap().subject(), Some("user_8"));
    drop((engine, table));
    assert_eq!((principal.subject(), principal.credential_id()), (Some("user_7"), Some("key-1")));
    assert!(principal.require_scope("read:sites").is_ok());
}

#[test]
fn a_key_is_revoked_by_its_id() {
    let revocations = Revocations::new();
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let id = |n: usize| format!("key_01kam9v3h2f7xq0d8zr5n4wbt{n}");
    for (n, key) in keys().iter().enumerate().take(3) {
        table.insert(key, KeyRecord::api_key(&id(n), "u"));
    }
    let engine = Engine::builder().api_keys(table).revocations(revocations.clone()).build().unwrap();
    let accepted = || [0, 1, 2].map(|n: usize| engine.verify_at(keys()[n].as_str().as_bytes(), NOW).is_ok());
    assert_eq!(accepted(), [true, true, true]);
    revocations.revoke(&Revocation::api_key(&id(1)));
    assert_eq!(accepted(), [true, false, true]);
}

#[test]
fn only_accepted_keys_are_noted_as_used() {
    let last_use = Arc::new(tollgate::LastUse::one_in(std::num::NonZeroU32::MIN));
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    table.insert(&keys()[0], KeyRecord::api_key("key-0", "u"));
    table.insert(&keys()[1], KeyRecord::api_key("key-1", "u").state(KeyState::Disabled));
    let engine = Engine::builder().api_keys(table).last_use(last_use.clone()).build().unwrap();
    let results = [0, 1, 2].map(|n: usize| engine.verify_at(keys()[n].as_str().as_bytes(), NOW).is_ok());
    assert_eq!(results, [true, false, false]);
    assert_eq!(last_use.drain(), [(keys()[0].digest(), NOW)]);
}

#[test]
fn a_replaced_revocation_counts_no_more() {
    let (revocations, format) = (Revocations::new(), KeyFormat::new("tg", "live").unwrap());
    let keys = [0, 1, 2].map(|_| ApiKey::generate(&format).unwrap());
    let table = ApiKeyTable::new(format);
    for (id, key) in ["0", "1", "2"].into_iter().zip(&keys) {
        table.insert(key, KeyRecord::api_key(id, "u"));
    }
    let engine = Engine::builder().api_keys(table).revocations(revocations.clone()).build().unwrap();
    let accepted = || [0, 1, 2].map(|n: usize| engine.verify_at(keys[n].as_str().as_bytes(), NOW).is_ok());
    revocations.revoke_all(&["0", "1"].map(Revocation::api_key));
    assert_eq!(accepted(), [false, false, true]);
    revocations.replace_all(&["1", "2"].map(Revocation::api_key));
    assert_eq!((accepted(), revocations.len()), ([true, false, false], 2));
    // Without an end, then with one that has passed.
    revocations.replace(&Revocation::api_key("1").until(NOW));
    assert_eq!((accepted(), revocations.forget_expired(NOW)), ([true, false, false], 1));
    assert_eq!(accepted(), [true, true, false]);
    revocations.replace_all([]);
    assert_eq!((accepted(), revocations.is_empty()), ([true, true, true], true));
}

/// As many keys as the tests need, the same each time.
fn keys() -> Vec<ApiKey> {
    let format = KeyFormat::new("tg", "live").unwrap();
    (0..20).map(|n| ApiKey::danger_from_entropy(&format, &[n; 32])).collect()
}
