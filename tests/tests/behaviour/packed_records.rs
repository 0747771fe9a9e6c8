//! A table gives back the record that was put in, whether it packs or not, and so does the principal.

use std::net::IpAddr;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use tollgate::apikeys::{Found, Record};
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyKind, KeyRecord, KeyState, Names, PrincipalKind, Request};
use tollgate_tests::NOW;

fn any_id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{0,18}[0-7][0-9a-hjkmnp-tv-z]{25}",
        "[a-z:]{0,18}[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "\\PC{0,20}",
        "key-[0-9]{1,12}",
        any::<String>(),
    ]
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![
        NOW - 1_000..NOW + 1_000,
        0..1_i64 << 33,
        any::<i64>(),
        Just(i64::from(u32::MAX)),
        Just(i64::from(u32::MAX) - 1)
    ]
}

fn any_record() -> impl Strategy<Value = KeyRecord> {
    let who = (0..3, any_id(), "[ab\0\u{e9}]{0,4}", "[ab]{0,4}", of("[ab]{0,3}"));
    let when = (of(any_time()), of(any_time()), of(any_time()));
    let rest = (0..3_usize, vec("[a-d]{1,3}", 0..4), vec(any::<u8>(), 0..2), any::<bool>());
    (who, when, rest).prop_map(|((kind, id, subject, label, client), (created, begin, end), rest)| {
        let (state, scopes, metadata, is_bound) = rest;
        let record = match kind {
            0 => KeyRecord::api_key(&id, &subject),
            1 => KeyRecord::access_token(&id, &subject),
            _ => KeyRecord::client_secret(&id, &subject),
        };
        let state = [KeyState::Active, KeyState::Disabled, KeyState::Revoked][state];
        let mut record = record.name(&label).in_state(state).scopes(scopes.iter().map(String::as_str));
        record = record.metadata(&metadata);
        if let Some(client) = client {
            record = record.client_id(&client);
        }
        record = created.into_iter().fold(record, KeyRecord::created_at);
        record = begin.into_iter().fold(record, KeyRecord::not_before);
        record = end.into_iter().fold(record, KeyRecord::expires_at);
        if is_bound { record.allowed_addresses(["192.0.2.0/24".parse().unwrap()]) } else { record }
    })
}

proptest! {
    #[test]
    fn a_table_gives_back_the_record_that_was_put_in(records in vec(any_record(), 1..20)) {
        let (format, keys) = (KeyFormat::new("tg", "live").unwrap(), keys());
        let table = Arc::new(ApiKeyTable::new(format));
        for (key, record) in keys.iter().zip(&records) {
            table.insert(key.digest(), record.clone().into());
        }
        let engine = Engine::builder().api_keys(table.clone()).build().unwrap();
        for (key, record) in keys.iter().zip(&records) {
            let kept = table.get(&key.digest()).unwrap();
            prop_assert_eq!(&*kept, record);
            prop_assert_eq!(kept.label(), record.label());
            let request = Request::new().authorization(key.as_str()).address(IpAddr::from([192, 0, 2, 7]));
            let verified = engine.verify_request_at(&request, NOW);
            let (begin, end) = record.validity();
            let is_in_force = begin.is_none_or(|begin| begin <= NOW) && end.is_none_or(|end| NOW < end);
            let is_good = record.state() == KeyState::Active && is_in_force && record.kind() == KeyKind::ApiKey;
            prop_assert_eq!(verified.is_ok(), is_good, "{:?}", verified);
            if let Ok(principal) = verified {
                prop_assert_eq!(principal.kind(), PrincipalKind::ApiKey);
                prop_assert_eq!(principal.subject(), Some(record.subject()));
                prop_assert_eq!(principal.credential_id(), Some(record.id()));
                prop_assert_eq!(principal.client_id(), record.client());
                prop_assert_eq!(principal.expires_at(), end);
                prop_assert_eq!(principal.scopes(), record.granted());
                let clone = principal.clone();
                prop_assert_eq!(clone.key_record(), Some(record));
            }
        }
    }
}

#[test]
fn records_as_servers_have_them_pack() {
    let names = Names::default();
    let stored = KeyRecord::api_key("key_01kam9v3h2f7xq0d8zr5n4wbtc", "user_7").scopes(["read:sites"]).created_at(NOW);
    for record in [
        stored.clone(),
        stored.clone().name("deployment").expires_at(NOW + 60),
        stored.clone().in_state(KeyState::Disabled),
        KeyRecord::api_key("key-1", "user_7"),
        KeyRecord::api_key("9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52", "user_7"),
        KeyRecord::access_token("at_01kam9v3h2f7xq0d8zr5n4wbtc", "user_7").client_id("app").expires_at(NOW + 60),
        KeyRecord::client_secret("secret_01kam9v3h2f7xq0d8zr5n4wbtc", "app"),
    ] {
        let packed = record.pack(&names).expect("it fits");
        assert_eq!(KeyRecord::unpack(packed, &names), record);
    }
    for record in [stored.clone().not_before(NOW), stored.clone().metadata(b"x"), stored.expires_at(-1)] {
        assert_eq!(record.pack(&names), None);
    }
}

/// What a principal refers to outlives the table.
#[test]
fn a_principal_keeps_what_it_needs() {
    let [one, two] = [0, 1].map(|n: usize| keys()[n].as_str().to_owned());
    let table = Arc::new(ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap()));
    let record = |id: &str| KeyRecord::api_key(id, "user_7").scopes(["read:sites"]).into();
    table.insert(keys()[0].digest(), record("key-1"));
    let engine = Engine::builder().api_keys(table.clone()).build().unwrap();
    let principal = engine.verify_at(one.as_bytes(), NOW).unwrap();
    table.replace_all([(keys()[1].digest(), KeyRecord::api_key("key-2", "user_8").into())]);
    assert!(engine.verify_at(one.as_bytes(), NOW).is_err());
    assert_eq!(engine.verify_at(two.as_bytes(), NOW).unwrap().subject(), Some("user_8"));
    drop((engine, table));
    assert_eq!((principal.subject(), principal.credential_id()), (Some("user_7"), Some("key-1")));
    assert!(principal.require_scope("read:sites").is_ok());
}

/// The text of the id is what a revocation goes by.
#[test]
fn a_packed_key_is_revoked_by_its_id() {
    let revocations = tollgate::Revocations::new();
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let id = |n: usize| format!("key_01kam9v3h2f7xq0d8zr5n4wbt{n}");
    for (n, key) in keys().iter().enumerate().take(3) {
        let record = KeyRecord::api_key(&id(n), "u");
        table.insert(key.digest(), record.into());
        assert!(matches!(table.find(key.as_str().as_bytes()).unwrap().found(), Found::Packed(..)));
    }
    let engine = Engine::builder().api_keys(table).revocations(revocations.clone()).build().unwrap();
    let accepted = || [0, 1, 2].map(|n: usize| engine.verify_at(keys()[n].as_str().as_bytes(), NOW).is_ok());
    assert_eq!(accepted(), [true, true, true]);
    revocations.revoke(&tollgate::Revocation::api_key(&id(1)));
    assert_eq!(accepted(), [true, false, true]);
}

#[test]
fn only_accepted_keys_are_noted_as_used() {
    let last_use = Arc::new(tollgate::LastUse::one_in(std::num::NonZeroU32::MIN));
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    table.insert(keys()[0].digest(), KeyRecord::api_key("key-0", "u").into());
    table.insert(keys()[1].digest(), KeyRecord::api_key("key-1", "u").in_state(KeyState::Disabled).into());
    let engine = Engine::builder().api_keys(table).last_use(last_use.clone()).build().unwrap();
    let results = [0, 1, 2].map(|n: usize| engine.verify_at(keys()[n].as_str().as_bytes(), NOW).is_ok());
    assert_eq!(results, [true, false, false]);
    assert_eq!(last_use.drain(), [(keys()[0].digest(), NOW)]);
}

/// As many keys as the tests need, always the same.
fn keys() -> Vec<ApiKey> {
    let format = KeyFormat::new("tg", "live").unwrap();
    (0..20).map(|n| ApiKey::danger_from_entropy(&format, &[n; 32])).collect()
}
