//! Records are stored and read back.

use crate::support::{NOW, Store, format, id, key, secret, store};
use tollgate::{KeyKind, KeyRecord, KeyRecordBuilder, KeyState};
use tollgate_storage::limits::REVOCATION_KEPT_SECONDS;
use tollgate_storage::{
    Client, Command, KeyFilter, Refusal, RevocationKind, StorageError, StoredKey, StoredRevocation, new_key_id,
};

fn code<T: std::fmt::Debug>(outcome: Result<T, StorageError>) -> &'static str {
    outcome.unwrap_err().code()
}

#[test]
fn a_key_comes_back_as_it_was() {
    let (folder, store) = store();
    let record = KeyRecord::access_token("at_1", "user\0ü")
        .client_id("app")
        .scopes(["a", "b"])
        .not_before(NOW + 1)
        .expires_at(NOW + 2)
        .name("a \"name\"")
        .metadata(&[0, 255, 1])
        .allowed_addresses(["192.0.2.0/24", "2001:db8::/32"].map(|block| block.parse().unwrap()));
    let full = StoredKey {
        rotated_to: Some("at_2".into()),
        overlap_ends_at: Some(NOW + 9),
        ..StoredKey::native(&format(), &secret(1), record).made_at(NOW)
    };
    let bare = StoredKey::foreign(secret(2).digest(), KeyRecord::client_secret("cs_1", "client"));
    store.add_key(&full).unwrap();
    store.add_key(&bare).unwrap();
    assert_eq!(store.key("at_1").unwrap(), Some(full.clone()));
    drop(store);
    let reopened = Store::open(folder.path()).unwrap();
    assert_eq!(reopened.key("at_1").unwrap(), Some(full));
    assert_eq!(reopened.key("cs_1").unwrap(), Some(bare));
    assert_eq!(reopened.key("cs_2").unwrap(), None);
}

#[test]
fn no_secret_is_in_the_files() {
    let (folder, store) = store();
    for number in 0..20 {
        store.add_key(&key(number)).unwrap();
    }
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for number in 0..20 {
            let secret = secret(number);
            let body = &secret.as_str().as_bytes()[8..40];
            assert!(!bytes.windows(body.len()).any(|window| window == body));
        }
    }
}

#[cfg(unix)]
#[test]
fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = store();
    store.add_key(&key(1)).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.file_name());
    }
}

#[test]
fn ids_and_digests_are_taken_once() {
    let (_folder, store) = store();
    store.add_key(&key(1)).unwrap();
    let same_id = StoredKey { digest: secret(2).digest(), ..key(1) };
    let same_digest = StoredKey { digest: secret(1).digest(), ..key(2) };
    let before = store.latest().unwrap();
    assert_eq!(code(store.add_key(&same_id)), "already-exists");
    assert_eq!(code(store.add_key(&same_digest)), "already-exists");
    assert_eq!(code(store.add_keys(&[key(3), same_digest])), "already-exists");
    assert_eq!(store.key(&id(3)).unwrap(), None, "all or none");
    assert_eq!(store.latest().unwrap(), before);
}

#[test]
fn fields_beyond_their_limits_are_refused() {
    let (_folder, store) = store();
    let add = |record| store.add_key(&StoredKey::native(&format(), &secret(1), record));
    let long = "x".repeat(5000);
    assert_eq!(code(add(KeyRecord::api_key("", "u"))), "invalid-field");
    assert_eq!(code(add(KeyRecord::api_key("k", ""))), "invalid-field");
    assert_eq!(code(add(KeyRecord::api_key(&long, "u"))), "invalid-field");
    assert_eq!(code(add(KeyRecord::api_key("k", "u").name(&long))), "invalid-field");
    assert_eq!(code(add(KeyRecord::api_key("k", "u").metadata(long.as_bytes()))), "invalid-field");
    assert_eq!(code(add(KeyRecord::api_key("k", "u").scopes([&*long]))), "invalid-field");
    let nameless = StoredRevocation::new(RevocationKind::Token, "https://as/", "");
    assert_eq!(code(store.revoke(&nameless)), "invalid-field");
}

#[test]
fn a_state_changes_until_it_is_revoked() {
    let (_folder, store) = store();
    store.add_key(&key(1)).unwrap();
    let state = || store.key(&id(1)).unwrap().unwrap().record.state();
    assert!(store.disable_key(&id(1)).unwrap().is_some());
    assert_eq!(state(), KeyState::Disabled);
    assert!(store.enable_key(&id(1)).unwrap().is_some());
    assert_eq!(state(), KeyState::Active);
    assert!(store.revoke_key(&id(1)).unwrap().is_some());
    assert_eq!(state(), KeyState::Revoked);
    assert_eq!(store.revoke_key(&id(1)).unwrap(), None);
    assert_eq!(code(store.enable_key(&id(1))), "key-revoked");
    assert_eq!(code(store.rotate_key(&id(1), &key(2), NOW)), "key-revoked");
    assert_eq!(store.disable_key("other").unwrap(), None);
    assert!(store.remove_key(&id(1)).unwrap().is_some());
    assert_eq!(store.remove_key(&id(1)).unwrap(), None);
}

#[test]
fn what_a_key_is_cannot_be_changed() {
    let (_folder, store) = store();
    store.add_key(&key(1)).unwrap();
    let other = StoredKey { digest: secret(2).digest(), ..key(1) };
    assert_eq!(code(store.change_key(&id(1), |_| other)), "invalid-field");
    let renamed = |key: StoredKey| StoredKey { record: key.record.edit().name("new").build(), ..key };
    assert!(store.change_key(&id(1), renamed).unwrap().is_some());
    assert_eq!(store.key(&id(1)).unwrap().unwrap().record.name(), "new");
}

#[test]
fn a_successor_may_do_the_same_at_the_same_times() {
    let of = |record: KeyRecordBuilder<'_>| {
        let block = "192.0.2.0/24".parse().unwrap();
        let record = record.scopes(["a", "b"]).name("laptop").metadata(b"m").allowed_addresses([block]);
        record.not_before(NOW + 5).expires_at(NOW + 9).build()
    };
    for [old, new] in [
        ["old", "new"].map(|id| KeyRecord::api_key(id, "user_7").client_id("app")),
        ["old", "new"].map(|id| KeyRecord::client_secret(id, "app")),
        ["old", "new"].map(|id| KeyRecord::access_token(id, "user_7").client_id("app")),
    ] {
        let old = StoredKey::foreign(secret(1).digest(), of(old)).in_state(KeyState::Disabled);
        assert_eq!(old.successor("new", NOW + 2), of(new));
        let later = old.successor("new", NOW + 7);
        assert_eq!((later.not_before(), later.expires_at()), (None, Some(NOW + 9)), "it has begun");
    }
}

#[test]
fn scopes_of_what_was_rolled_back_are_nobodys() {
    let (_folder, store) = store();
    let with_scope = |number, scope| {
        StoredKey::native(&format(), &secret(number), KeyRecord::api_key(&id(number), "user_7").scopes([scope]))
    };
    store.add_key(&with_scope(1, "read:sites")).unwrap();
    let taken = StoredKey { digest: secret(1).digest(), ..with_scope(3, "read:sites") };
    assert_eq!(code(store.add_keys(&[with_scope(2, "admin"), taken])), "already-exists");
    store.add_key(&with_scope(4, "write:sites")).unwrap();
    assert_eq!(store.key(&id(4)).unwrap(), Some(with_scope(4, "write:sites")));
}

#[test]
fn a_rotated_key_ends_with_the_overlap() {
    let (_folder, store) = store();
    store.add_key(&key(1)).unwrap();
    assert_eq!(store.rotate_key("other", &key(2), NOW + 60).unwrap(), None);
    assert_eq!(store.key(&id(2)).unwrap(), None, "nothing changed");
    assert!(store.rotate_key(&id(1), &key(2), NOW + 60).unwrap().is_some());
    let old = store.key(&id(1)).unwrap().unwrap();
    assert_eq!((old.rotated_to.as_deref(), old.overlap_ends_at), (Some(&*id(2)), Some(NOW + 60)));
    assert_eq!(old.into_effective_record().expires_at(), Some(NOW + 60));
    assert_eq!(store.key(&id(2)).unwrap(), Some(key(2)));
    assert_eq!(code(store.rotate_key(&id(1), &key(3), NOW + 90)), "rotated");
}

#[test]
fn live_keys_count_against_a_subjects_maximum() {
    let (_folder, store) = store();
    let add = |number| store.run(Command::AddKey { key: key(number), max: Some(2) }).is_ok();
    assert_eq!((add(1), add(2), add(3)), (true, true, false));
    store.revoke_key(&id(1)).unwrap();
    assert_eq!((add(3), add(4)), (true, false));
    // A secret whose overlap has ended does not count.
    store.change_key(&id(2), |key| StoredKey { overlap_ends_at: Some(NOW), ..key }).unwrap();
    assert!(add(4));
}

#[test]
fn keys_are_listed_by_page_and_filter() {
    let (_folder, store) = store();
    let keys: Vec<_> = (0..10)
        .map(|number| {
            let subject = if number % 2 == 0 { "even" } else { "odd" };
            let kind = if number < 8 { KeyKind::ApiKey } else { KeyKind::AccessToken };
            StoredKey::native(&format(), &secret(number), KeyRecord::builder(kind, &id(number), subject))
        })
        .collect();
    store.add_keys(&keys).unwrap();
    store.disable_key(&id(2)).unwrap();
    let numbers = |filter: KeyFilter, after: Option<&str>, max| -> Vec<u64> {
        let keys = store.keys(&filter, after, max).unwrap();
        keys.iter().map(|key| key.record.id().trim_start_matches("key_").parse().unwrap()).collect()
    };
    let all = KeyFilter::default();
    assert_eq!(numbers(all.clone(), None, 4), [0, 1, 2, 3]);
    assert_eq!(numbers(all.clone(), Some(&id(3)), 100), [4, 5, 6, 7, 8, 9]);
    let even = KeyFilter { subject: Some("even".to_owned()), ..all.clone() };
    assert_eq!(numbers(even, Some(&id(0)), 2), [2, 4]);
    let tokens = KeyFilter { kind: Some(KeyKind::AccessToken), ..all.clone() };
    assert_eq!(numbers(tokens, None, 100), [8, 9]);
    let disabled = KeyFilter { state: Some(KeyState::Disabled), subject: Some("even".to_owned()), ..all.clone() };
    assert_eq!(numbers(disabled, None, 100), [2]);
    assert_eq!(store.key_count().unwrap(), 10);
}

#[test]
fn a82_what_expired_is_forgotten_after_the_leeway_and_api_keys_stay() {
    let (_folder, store) = store();
    let records = [
        KeyRecord::access_token("ended", "u").expires_at(NOW),
        KeyRecord::access_token("lives", "u").expires_at(NOW + 1_000),
        KeyRecord::api_key("key", "u").expires_at(NOW),
    ];
    for (number, record) in (0..).zip(records) {
        store.add_key(&StoredKey::native(&format(), &secret(number), record)).unwrap();
    }
    let ended = StoredRevocation { until: NOW, ..StoredRevocation::new(RevocationKind::Token, "iss", "a") };
    store.revoke(&ended).unwrap();
    store.revoke(&StoredRevocation::new(RevocationKind::Token, "iss", "b")).unwrap();
    // A token is valid until its expiry plus the leeway.
    assert_eq!(store.forget_expired(NOW + REVOCATION_KEPT_SECONDS - 1).unwrap(), 1);
    assert!(store.revocation(RevocationKind::Token, "iss", "a").unwrap().is_some());
    assert_eq!(store.forget_expired(NOW + REVOCATION_KEPT_SECONDS).unwrap(), 1);
    let is_there = |id| store.key(id).unwrap().is_some();
    assert_eq!((is_there("ended"), is_there("lives"), is_there("key")), (false, true, true));
    let is_revoked = |name| store.revocation(RevocationKind::Token, "iss", name).unwrap().is_some();
    assert_eq!((is_revoked("a"), is_revoked("b")), (false, true));
}

#[test]
fn the_stricter_revocation_counts() {
    let (_folder, store) = store();
    let revoke = |issued_before, until| {
        let revocation = StoredRevocation::new(RevocationKind::Subject, "iss", "u");
        store.revoke(&StoredRevocation { issued_before, until, ..revocation }).unwrap();
    };
    let found = || store.revocation(RevocationKind::Subject, "iss", "u").unwrap().map(|r| (r.issued_before, r.until));
    revoke(10, 200);
    revoke(20, 100);
    assert_eq!(found(), Some((20, 200)));
    assert!(store.restore(RevocationKind::Subject, "iss", "u").unwrap().is_some());
    assert_eq!(store.restore(RevocationKind::Subject, "iss", "u").unwrap(), None);
    assert_eq!(found(), None);
}

#[test]
fn clients_are_kept() {
    let (_folder, store) = store();
    let client =
        |id: &str| Client::new(id, "An app", "a b", ["https://z.example/", "https://a.example/"], NOW).unwrap();
    store.add_client(&client("b"), None).unwrap();
    store.add_client(&client("a"), None).unwrap();
    assert_eq!(code(store.add_client(&client("a"), None)), "already-exists");
    assert_eq!(store.client("b").unwrap(), Some(client("b")));
    assert_eq!(store.clients(None, 1).unwrap(), [client("a")]);
    assert_eq!(store.clients(Some("a"), 9).unwrap(), [client("b")]);
    assert!(store.remove_client("a").unwrap().is_some());
    assert_eq!((store.remove_client("a").unwrap(), store.client("a").unwrap()), (None, None));
}

#[test]
fn ids_sort_by_time_and_differ() {
    let first = new_key_id("key").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2));
    let second = new_key_id("key").unwrap();
    assert!(first < second);
    assert!(first.starts_with("key_") && first.bytes().skip(4).all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
}

#[test]
fn a69_what_no_client_may_be_is_refused_by_its_type() {
    let field = |id, uri: &str| match Client::new(id, "", "", [uri], 0) {
        Err(Refusal::Field { field }) => field,
        other => panic!("{other:?}"),
    };
    for id in ["", "a b", "a/b", "usr_01", "\u{e4}"] {
        assert_eq!(field(id, "https://a.example/"), "client_id", "{id}");
    }
    for uri in [
        "/cb",
        "a.example/cb",
        "https://a.example/cb#x",
        "http://a.example/cb",
        "javascript:alert(1)",
        "https://u@a.example/",
        "https://a.example/;script-src",
        "https://a.example/ x",
        "https://localhost.evil.example@/",
        "http://localhost.evil.example/",
    ] {
        assert_eq!(field("c", uri), "redirect_uri", "{uri}");
    }
    for uri in ["https://a.example/cb", "http://127.0.0.1:9999/cb?x=1", "http://[::1]/cb", "https://a.example"] {
        assert!(Client::new("c", "", "", [uri], 0).is_ok(), "{uri}");
    }
    assert!(Client::new("c", "", "a  b", [""; 0], 0).is_err() && Client::new("c", "a\nb", "", [""; 0], 0).is_err());
}
