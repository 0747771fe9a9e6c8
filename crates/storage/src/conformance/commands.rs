use super::World;
use super::sample::{
    NOW, add, audit, done, format, id, key, key_of, put, refused, revocation, revoke, run, secret, state, token,
};
use crate::client::Client;
use crate::command::{Command, Issued, TokensOf};
use crate::error::{Refusal, StorageError};
use crate::key::StoredKey;
use crate::key_store::Existing;
use crate::limits::REVOCATION_KEPT_SECONDS;
use crate::revocation::{RevocationKind, StoredRevocation};
use tollgate::{ConfirmationMethod, KeyKind, KeyRecord, KeyState};

pub async fn what_is_added_comes_back_as_it_was(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    let record = KeyRecord::access_token("at_1", "user\u{fc} \"x\"")
        .client_id("app")
        .scopes(["a", "b"])
        .not_before(NOW + 1)
        .expires_at(NOW + 2)
        .name("a \"name\"")
        .metadata(&[0, 255, 1])
        .allowed_addresses(["192.0.2.0/24", "2001:db8::/32"].map(|block| block.parse().expect("a block")))
        .bound_to(ConfirmationMethod::KeyThumbprint([1; 32]))
        .bound_to(ConfirmationMethod::CertificateThumbprint([2; 32]));
    let full = StoredKey {
        rotated_to: Some("at_2".into()),
        overlap_ends_at: Some(i64::MAX),
        parent: Some("session_1".into()),
        ..StoredKey::native(&format(), &secret(1), record).made_at(NOW)
    };
    let bare = StoredKey::foreign(secret(2).digest(), KeyRecord::client_secret("cs_1", "client"));
    for added in [&full, &bare] {
        run(&store, Command::AddKey { key: added.clone(), max: None }).await;
        assert_eq!(other.key(added.record.id()).await.unwrap().as_ref(), Some(added));
        assert_eq!(other.key_of(&added.digest).await.unwrap().as_ref(), Some(added));
    }
    let uris = ["https://z.example/", "https://a.example/cb?x=1"];
    let client = Client::new("app", "An \"app\"", "a b", uris, NOW).unwrap();
    run(&store, Command::AddClient { client: client.clone(), secret: None }).await;
    assert_eq!(other.client("app").await.unwrap(), Some(client));
    let revoked = StoredRevocation { issued_before: NOW, ..revocation(RevocationKind::Subject, "ada") };
    run(&store, revoke(&revoked)).await;
    let found = other.revocation(revoked.kind, &revoked.issuer, &revoked.name).await.unwrap();
    assert_eq!(found, Some(revoked));
    assert_eq!(other.key("nobody").await.unwrap(), None);
    assert_eq!(other.key_of(&secret(3).digest()).await.unwrap(), None);
    assert_eq!(other.client("nobody").await.unwrap(), None);
    assert_eq!(other.revocation(RevocationKind::ApiKey, "", "nobody").await.unwrap(), None);
}

pub async fn each_command_is_done_or_refused_by_itself(world: &dyn World) {
    let store = world.open().await;
    let taken = StoredKey { digest: secret(1).digest(), ..key(2) };
    let long = StoredKey { record: key(3).record.edit().name(&"x".repeat(5_000)).build(), ..key(3) };
    let commands = vec![
        add(1),
        Command::AddKey { key: taken, max: None },
        Command::AddKey { key: long, max: None },
        Command::RotateKey { id: id(9), new: key(4), overlap_ends_at: NOW },
        put(1, KeyState::Active),
        add(5),
    ];
    let executed = store.execute(commands).await.unwrap();
    let exists = Refusal::AlreadyExists { what: "key" };
    let (field, unknown) = (Refusal::Field { field: "name" }, Refusal::NotFound { what: "key" });
    assert_eq!(executed.outcomes, [Ok(1), Err(exists), Err(field), Err(unknown), Ok(0), Ok(1)]);
    assert_eq!(executed.position, store.latest().await.unwrap());
    for (number, is_there) in [(1, true), (2, false), (3, false), (4, false), (5, true)] {
        assert_eq!(store.key(&id(number)).await.unwrap().is_some(), is_there, "key {number}");
    }
    let nothing = store.execute(Vec::new()).await.unwrap();
    assert_eq!((nothing.outcomes.len(), nothing.position), (0, executed.position));
    run(&store, Command::RemoveKey { id: id(1) }).await;
    assert_eq!(store.key(&id(1)).await.unwrap(), None);
    assert_eq!(refused(&store, Command::RemoveKey { id: id(1) }).await, Refusal::NotFound { what: "key" });
}

pub async fn a_key_changes_state_until_it_is_revoked(world: &dyn World) {
    let store = world.open().await;
    run(&store, add(1)).await;
    for (to, changed) in
        [(KeyState::Disabled, 1), (KeyState::Disabled, 0), (KeyState::Active, 1), (KeyState::Revoked, 1)]
    {
        assert_eq!(run(&store, put(1, to)).await, changed);
        assert_eq!(state(&store, 1).await, Some(to));
    }
    assert_eq!(run(&store, put(1, KeyState::Revoked)).await, 0);
    assert_eq!(refused(&store, put(1, KeyState::Active)).await, Refusal::KeyRevoked);
    assert_eq!(refused(&store, put(2, KeyState::Active)).await, Refusal::NotFound { what: "key" });
}

pub async fn a_key_is_changed_only_if_it_is_as_it_was_read(world: &dyn World) {
    let store = world.open().await;
    run(&store, add(1)).await;
    let renamed = |name| StoredKey { record: key(1).record.edit().name(name).build(), ..key(1) };
    let change = |was: &StoredKey, now: &StoredKey| Command::ChangeKey { was: was.clone(), now: now.clone() };
    run(&store, change(&key(1), &renamed("one"))).await;
    assert_eq!(store.key(&id(1)).await.unwrap(), Some(renamed("one")));
    let stale = refused(&store, change(&key(1), &renamed("two"))).await;
    assert_eq!(stale, Refusal::Changed { what: "key" });
    let other_secret = StoredKey { digest: secret(2).digest(), ..renamed("one") };
    assert_eq!(refused(&store, change(&renamed("one"), &other_secret)).await, Refusal::Field { field: "id" });
    run(&store, put(1, KeyState::Revoked)).await;
    let revoked = renamed("one").in_state(KeyState::Revoked);
    assert_eq!(refused(&store, change(&revoked, &renamed("one"))).await, Refusal::KeyRevoked);
}

pub async fn a68_a_key_that_is_not_current_is_not_rotated(world: &dyn World) {
    let store = world.open().await;
    run(&store, add(1)).await;
    let rotate = |old, new: u64| Command::RotateKey { id: id(old), new: key(new), overlap_ends_at: NOW + 60 };
    assert_eq!(run(&store, rotate(1, 2)).await, 2);
    let old = store.key(&id(1)).await.unwrap().unwrap();
    assert_eq!((old.rotated_to.as_deref(), old.overlap_ends_at), (Some(&*id(2)), Some(NOW + 60)));
    assert_eq!(store.key(&id(2)).await.unwrap(), Some(key(2)));
    assert_eq!(refused(&store, rotate(1, 3)).await, Refusal::KeyRotated { rotated_to: id(2).into() });
    run(&store, put(2, KeyState::Disabled)).await;
    assert_eq!(refused(&store, rotate(2, 3)).await, Refusal::Disabled { what: "key" });
    run(&store, put(2, KeyState::Revoked)).await;
    assert_eq!(refused(&store, rotate(2, 3)).await, Refusal::KeyRevoked);
    let ended = StoredKey { record: key(4).record.edit().expires_at(NOW).build(), ..key(4) };
    run(&store, Command::AddKey { key: ended, max: None }).await;
    assert_eq!(refused(&store, rotate(4, 3)).await, Refusal::KeyEnded { ended_at: NOW });
    assert_eq!(store.key(&id(3)).await.unwrap(), None);
}

pub async fn a68_a_successor_may_do_no_more(world: &dyn World) {
    let store = world.open().await;
    let block = |text: &str| text.parse().expect("a block");
    let from_home = |number: u64| {
        let record = key(number).record.edit().allowed_addresses([block("192.0.2.0/24")]).build();
        StoredKey { record, ..key(number) }
    };
    run(&store, Command::AddKey { key: from_home(1), max: None }).await;
    let edited = |record: KeyRecord| StoredKey { record, ..from_home(2) };
    let record = from_home(2).record;
    for (field, new) in [
        ("scopes", edited(record.edit().scopes(["admin"]).build())),
        ("allowed_addresses", edited(record.edit().allowed_addresses([]).build())),
        ("allowed_addresses", edited(record.edit().allowed_addresses([block("0.0.0.0/0")]).build())),
        ("client_id", edited(record.edit().client_id("app").build())),
        ("subject", key_of(2, KeyKind::ApiKey, "user_8", None)),
        ("kind", key_of(2, KeyKind::AccessToken, "user_7", None)),
    ] {
        let rotate = Command::RotateKey { id: id(1), new, overlap_ends_at: NOW + 60 };
        assert_eq!(refused(&store, rotate).await, Refusal::Field { field });
    }
    let less = edited(record.edit().scopes(["read:sites"]).build());
    assert_eq!(run(&store, Command::RotateKey { id: id(1), new: less, overlap_ends_at: NOW + 60 }).await, 2);
}

pub async fn an_import_is_made_whole_or_not_at_all(world: &dyn World) {
    let store = world.open().await;
    let taken = StoredKey { digest: secret(1).digest(), ..key(3) };
    let before = store.latest().await.unwrap();
    let keys = vec![key(1), key(2), taken.clone()];
    let Err(StorageError::Key { index: 2, refusal }) = store.import(keys.clone(), Existing::Refuse, &audit()).await
    else {
        panic!("the digest is taken")
    };
    assert_eq!(refusal, Refusal::AlreadyExists { what: "key" });
    assert_eq!((store.latest().await.unwrap(), state(&store, 1).await), (before, None));
    assert_eq!(store.import(keys, Existing::Skip, &audit()).await.unwrap(), [true, true, false]);
    let again = vec![key(2), key(4), key(4)];
    assert_eq!(store.import(again, Existing::Skip, &audit()).await.unwrap(), [false, true, false]);
    let nameless = StoredKey { record: key(5).record.edit().id("").build(), ..key(5) };
    let refused = store.import(vec![key(6), nameless], Existing::Skip, &audit()).await.unwrap_err();
    assert_eq!((refused.code(), state(&store, 6).await), ("invalid-field", None));
    let many: Vec<StoredKey> = (100..5_100).map(key).collect();
    assert!(store.import(many, Existing::Refuse, &audit()).await.unwrap().iter().all(|is_added| *is_added));
    assert_eq!(store.key(&id(4_000)).await.unwrap(), Some(key(4_000)));
    assert!(store.import(Vec::new(), Existing::Refuse, &audit()).await.unwrap().is_empty());
}

pub async fn the_stricter_revocation_counts(world: &dyn World) {
    let store = world.open().await;
    let of =
        |issued_before, until| StoredRevocation { issued_before, until, ..revocation(RevocationKind::Subject, "ada") };
    let found = async || {
        let found = store.revocation(RevocationKind::Subject, "https://as.example", "ada").await.unwrap();
        found.map(|found| (found.issued_before, found.until))
    };
    assert_eq!(run(&store, revoke(&of(10, 200))).await, 1);
    assert_eq!(run(&store, revoke(&of(20, 100))).await, 1);
    assert_eq!(found().await, Some((20, 200)));
    assert_eq!(run(&store, revoke(&of(15, 150))).await, 0, "it is revoked so already");
    let (kind, issuer, name) = (RevocationKind::Subject, "https://as.example".to_owned(), "ada".to_owned());
    let restore = Command::Restore { kind, issuer, name };
    assert_eq!(run(&store, restore.clone()).await, 1);
    assert_eq!(found().await, None);
    assert_eq!(refused(&store, restore).await, Refusal::NotFound { what: "revocation" });
    let nameless = revoke(&revocation(RevocationKind::Token, ""));
    assert_eq!(refused(&store, nameless).await, Refusal::Field { field: "name" });
}

pub async fn opaque_tokens_are_revoked_by_whom_they_are_of(world: &dyn World) {
    let store = world.open().await;
    let keys = [
        token(1, "ada", "blog", NOW),
        token(2, "ada", "shop", NOW + 1),
        token(3, "grace", "blog", NOW),
        token(4, "grace", "shop", NOW),
        key_of(5, KeyKind::ApiKey, "ada", None),
        token(6, "lin", "tool", NOW),
        StoredKey { parent: Some("s1".into()), ..token(8, "lin", "tool", NOW) },
        StoredKey { parent: Some("s2".into()), ..token(9, "lin", "tool", NOW) },
    ];
    store.import(keys.to_vec(), Existing::Refuse, &audit()).await.unwrap();
    let revoked = async || {
        let mut revoked = Vec::new();
        for number in [1, 2, 3, 4, 5, 6, 8, 9] {
            if state(&store, number).await == Some(KeyState::Revoked) {
                revoked.push(number);
            }
        }
        revoked
    };
    let tokens = |of, made_before| Command::RevokeTokens { of, made_before };
    assert_eq!(run(&store, tokens(TokensOf::Subject("ada".to_owned()), NOW + 1)).await, 1);
    assert_eq!(revoked().await, [1], "the second was made later, and an API key is no token");
    assert_eq!(run(&store, tokens(TokensOf::Client("blog".to_owned()), i64::MAX)).await, 1, "one was so already");
    assert_eq!(run(&store, tokens(TokensOf::Client("ada".to_owned()), i64::MAX)).await, 0);
    let by_name = |kind, name: &str| Command::Revoke { revocation: revocation(kind, name), with_opaque: true };
    assert_eq!(run(&store, by_name(RevocationKind::Token, &id(6))).await, 2, "the name, and the token of that id");
    assert_eq!(run(&store, by_name(RevocationKind::Token, &id(5))).await, 1, "an API key is none");
    assert_eq!(run(&store, by_name(RevocationKind::Client, "shop")).await, 3);
    assert_eq!(run(&store, by_name(RevocationKind::Session, "s1")).await, 2, "the name, and the token that came of it");
    assert_eq!(revoked().await, [1, 2, 3, 4, 6, 8]);
    run(&store, Command::AddKey { key: token(7, "ada", "shop", NOW), max: None }).await;
    assert_eq!(run(&store, tokens(TokensOf::Anybody, i64::MAX)).await, 2);
}

pub async fn a71_what_a_subject_was_issued_ends_with_its_keys(world: &dyn World) {
    let store = world.open().await;
    let keys = [
        token(1, "ada", "blog", NOW),
        token(2, "ada", "shop", NOW + 1),
        token(3, "grace", "blog", NOW),
        key_of(4, KeyKind::ApiKey, "ada", None),
        key_of(5, KeyKind::ApiKey, "ada", None).in_state(KeyState::Disabled),
        key_of(6, KeyKind::ApiKey, "grace", None),
        key_of(7, KeyKind::ApiKey, "ada", None).in_state(KeyState::Revoked),
    ];
    store.import(keys.to_vec(), Existing::Refuse, &audit()).await.unwrap();
    let states = async || {
        let mut states = String::new();
        for number in 1..=7 {
            states.push_str(&state(&store, number).await.map_or("-", KeyState::as_str)[..1]);
        }
        states
    };
    let issuers = vec!["https://as.example".to_owned(), "https://old.example".to_owned()];
    let end = |keys, sessions: &[&str]| Command::EndSubject {
        subject: "ada".to_owned(),
        keys,
        sessions: sessions.iter().map(|sid| (*sid).to_owned()).collect(),
        issued: Issued { issuers: issuers.clone(), made_before: NOW, until: NOW + 3_600 },
    };
    assert_eq!(run(&store, end(None, &["s1", "s2"])).await, 1 + 2 + 4);
    assert_eq!(states().await, "raaadar", "what was made in that second ends, and what is made later does not");
    for issuer in &issuers {
        let found = store.revocation(RevocationKind::Subject, issuer, "ada").await.unwrap().unwrap();
        assert_eq!((found.issued_before, found.until), (NOW, NOW + 3_600));
        let found = store.revocation(RevocationKind::Session, issuer, "s2").await.unwrap().unwrap();
        assert_eq!((found.issued_before, found.until), (i64::MAX, NOW + 3_600));
    }
    assert_eq!(run(&store, end(Some(KeyState::Disabled), &[])).await, 1);
    assert_eq!(states().await, "raaddar");
    assert_eq!(run(&store, end(Some(KeyState::Revoked), &["s3"])).await, 2 + 2);
    assert_eq!(states().await, "raarrar");
    assert_eq!(run(&store, end(Some(KeyState::Revoked), &["s3"])).await, 0);
}

pub async fn a82_what_has_ended_is_forgotten_and_a_revocation_after_the_leeway(world: &dyn World) {
    let store = world.open().await;
    let ending = |number, kind, end| {
        let key = key_of(number, kind, "u", None);
        StoredKey { record: key.record.edit().expires_at(end).build(), ..key }
    };
    let keys = vec![
        ending(1, KeyKind::AccessToken, NOW),
        ending(2, KeyKind::AccessToken, NOW + 1),
        ending(3, KeyKind::ApiKey, NOW),
    ];
    store.import(keys, Existing::Refuse, &audit()).await.unwrap();
    let ended = StoredRevocation { until: NOW, ..revocation(RevocationKind::Token, "a") };
    run(&store, revoke(&ended)).await;
    let at = done(&store, revoke(&revocation(RevocationKind::Token, "b"))).await;
    let is_revoked =
        async |name| store.revocation(RevocationKind::Token, "https://as.example", name).await.unwrap().is_some();
    assert_eq!(store.forget_expired(NOW).await.unwrap(), 1);
    let is_there =
        [state(&store, 1).await, state(&store, 2).await, state(&store, 3).await].map(|state| state.is_some());
    assert_eq!(is_there, [false, true, true], "an API key stays");
    assert_eq!(store.forget_expired(NOW + REVOCATION_KEPT_SECONDS - 1).await.unwrap(), 1);
    assert!(is_revoked("a").await, "its token may be good by the leeway");
    assert_eq!(store.forget_expired(NOW + REVOCATION_KEPT_SECONDS).await.unwrap(), 1);
    assert!(!is_revoked("a").await && is_revoked("b").await);
    assert_eq!(store.latest().await.unwrap(), at, "nobody has to know");
}
