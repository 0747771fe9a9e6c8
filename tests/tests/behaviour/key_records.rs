//! What a key's record says beside its times: state, allowed addresses, shared scopes.

use std::net::IpAddr;

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
fn a_key_may_be_used_from_its_addresses_only() {
    let blocks = ["192.0.2.0/24", "2001:db8::/32"].map(|block| block.parse::<AddressBlock>().unwrap());
    let bound = verify(KeyRecord::api_key("k", "u").allowed_addresses(blocks)).unwrap();
    let from = |address: &str| bound.require_address(address.parse().unwrap()).map_err(|error| error.code());
    for inside in ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.9", "2001:db8::1", "2001:db8:ffff::"] {
        assert_eq!(from(inside), Ok(()), "{inside}");
    }
    for outside in ["192.0.1.255", "192.0.3.0", "2001:db9::", "::1", "::ffff:192.0.3.1", "0.0.0.0"] {
        assert_eq!(from(outside), Err("address-not-allowed"), "{outside}");
    }
    let free = verify(KeyRecord::api_key("k", "u")).unwrap();
    assert_eq!(free.require_address(IpAddr::from([203, 0, 113, 1])), Ok(()));
}

#[test]
fn address_blocks_have_one_meaning() {
    let parse = |text: &str| text.parse::<AddressBlock>();
    let everything = parse("0.0.0.0/0").unwrap();
    assert!(everything.contains([255, 255, 255, 255].into()) && !everything.contains("::1".parse().unwrap()));
    assert!(parse("::/0").unwrap().contains("ffff::".parse().unwrap()));
    assert_eq!(parse("192.0.2.7").unwrap().to_string(), "192.0.2.7/32");
    assert_eq!(parse("::ffff:192.0.2.0/120"), parse("192.0.2.0/24"));
    for wrong in [
        "",
        "/",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3.4/24",
        "::/129",
        "::1/64",
        "1.2.3.0/+24",
        "1.2.3.0/024",
        "01.2.3.0/24",
        "010.0.0.0/8",
        "a/8",
        "::ffff:1.2.3.4/120",
        "fe80::1%eth0",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
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
