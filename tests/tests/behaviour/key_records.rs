//! What a key's record says beside its times: state, shared scopes.

use tollgate::{
    AddressBlock, ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyState, Rejection, Revocation, Revocations,
    ScopeSets,
};
use tollgate_tests::NOW;

fn verify(record: KeyRecord) -> Result<tollgate::Principal, Rejection> {
    let format = KeyFormat::new("tg", "live").unwrap();
    let (key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(key.digest(), record.into());
    let engine = Engine::builder().api_keys(table).build().unwrap();
    engine.verify_at(key.as_str().as_bytes(), NOW)
}

#[test]
fn only_an_active_key_is_accepted() {
    let in_state = |state| verify(KeyRecord::api_key("k", "u").in_state(state)).map(drop);
    assert_eq!(in_state(KeyState::Active), Ok(()));
    assert_eq!(in_state(KeyState::Disabled), Err(Rejection::Disabled));
    assert_eq!(in_state(KeyState::Revoked), Err(Rejection::Revoked));
    assert_eq!((Rejection::Disabled.code(), Rejection::Disabled.status()), ("disabled", 401));
}

#[test]
fn equal_scope_sets_are_one() {
    let sets = ScopeSets::default();
    let texts = ["a b", "a", "a b", "b a", "", "a\u{7f}b"];
    let records: Vec<_> =
        texts.iter().map(|text| KeyRecord::api_key("k", "u").scope_set(sets.intern(text.split(' ')))).collect();
    assert_eq!(sets.len(), 3);
    assert!(std::ptr::eq(records[0].granted_set().as_str(), records[2].granted_set().as_str()));
    assert_eq!(records[0], KeyRecord::api_key("k", "u").scopes(["a", "b"]));
    assert_eq!(records[5].granted().iter().count(), 0);
    drop(records);
    assert_eq!((sets.forget_unused(), sets.len()), (3, 0));
}

#[test]
fn what_was_put_into_a_record_is_in_it() {
    let block: AddressBlock = "::1".parse().unwrap();
    let record = KeyRecord::access_token("id", "subject")
        .name("a name")
        .client_id("client")
        .created_at(1)
        .not_before(2)
        .expires_at(3)
        .metadata(b"\0bytes")
        .allowed_addresses([block]);
    assert_eq!((record.id(), record.subject(), record.label()), ("id", "subject", "a name"));
    assert_eq!((record.client(), record.created(), record.validity()), (Some("client"), 1, (Some(2), Some(3))));
    assert_eq!((record.attached(), record.addresses()), (&b"\0bytes"[..], &[block][..]));
    assert_eq!(KeyRecord::client_secret("id", "client").client_id("other").client(), Some("client"));
    let emptied = KeyRecord::api_key("id", "u").metadata(b"x").metadata(b"");
    assert_eq!(emptied, KeyRecord::api_key("id", "u"));
}

#[test]
fn a_replaced_revocation_counts_no_more() {
    let (revocations, format) = (Revocations::new(), KeyFormat::new("tg", "live").unwrap());
    let keys = [0, 1, 2].map(|_| ApiKey::generate(&format).unwrap());
    let table = ApiKeyTable::new(format);
    for (id, key) in ["0", "1", "2"].into_iter().zip(&keys) {
        table.insert(key.digest(), KeyRecord::api_key(id, "u").into());
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
