//! What was acknowledged is there after a reopen, and what must happen once happens once.

use std::error::Error;
use std::sync::Barrier;
use std::thread;
use tollgate_server::storage::{
    AuthorizationCode, Client, Credential, CredentialKind, LoginSession, Redemption, Site, StorageError, Store, User,
};

const API_KEY: CredentialKind = CredentialKind::ApiKey;

type TestResult = Result<(), Box<dyn Error>>;

#[test]
fn everything_is_there_after_a_reopen() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (user, client, site) = (user("u1"), client("c1"), site("s1", "u1"));
    let credential = credential("k1", "u1", 1);
    let secret = Credential { kind: CredentialKind::ClientSecret, ..crate::credential("x1", "c1", 7) };
    let session = LoginSession { digest: [9; 32], user_id: "u1".into(), created_at: 10, expires_at: 20 };
    {
        let store = Store::open(folder.path())?;
        store.add_user(&user, "$argon2id$...")?;
        store.add_client(&client, &secret)?;
        store.add_site(&site)?;
        store.add_credential(&credential)?;
        store.replace_signing_keys(0, "secret")?;
        store.add_login_session(&session)?;
        store.add_code(&code(1), 0)?;
    }
    let store = Store::open(folder.path())?;
    assert_eq!(store.user_by_id("u1")?, Some(user.clone()));
    assert_eq!(store.user_by_email("u1@example.com")?, Some((user, "$argon2id$...".to_owned())));
    assert_eq!(store.client("c1")?, Some(client));
    assert_eq!(store.sites_of("u1", 10)?, [site]);
    assert_eq!(store.credentials_of("u1", API_KEY)?, [credential]);
    assert_eq!(store.signing_keys()?.map(|keys| keys.version), Some(1));
    assert_eq!(store.login_session(&[9; 32], 19)?, Some(session));
    assert_eq!(store.login_session(&[9; 32], 20)?, None);
    assert_eq!(store.redeem_code(&[1; 32], 50, 0)?, Redemption::First(code(1)));
    Ok(())
}

#[test]
fn what_exists_already_is_refused_and_left_alone() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    store.add_user(&user("u1"), "first")?;
    let twin = User { id: "u2".into(), ..user("u1") };
    let refused = store.add_user(&twin, "second").expect_err("the address is taken");
    assert!(matches!(refused, StorageError::AlreadyExists { what: "user" }), "{refused}");
    assert_eq!(store.user_by_email("u1@example.com")?.map(|(_, hash)| hash), Some("first".into()));

    store.add_credential(&credential("k1", "u1", 1))?;
    let refused = store.add_credential(&credential("k2", "u1", 1)).expect_err("same digest");
    assert_eq!(refused.code(), "already-exists");
    Ok(())
}

#[test]
fn a_failed_rotation_changes_nothing() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    store.add_credential(&credential("k1", "u1", 1))?;
    store.add_credential(&credential("k2", "u2", 2))?;

    // The new digest is taken: the old key must survive.
    assert!(store.rotate_credential("k1", &credential("k3", "u1", 2), 100).is_err());
    assert_eq!(store.credentials_of("u1", API_KEY)?.len(), 1);
    // Another subject's key cannot be rotated away.
    assert_eq!(store.rotate_credential("k2", &credential("k3", "u1", 3), 100)?, None);
    assert_eq!(store.credentials_of("u2", API_KEY)?.len(), 1);

    let old = store.rotate_credential("k1", &credential("k3", "u1", 3), 100)?;
    assert_eq!(old.map(|old| (old.id, old.revoked_at)), Some(("k1".into(), Some(100))));
    let live = store.credentials_of("u1", API_KEY)?;
    assert_eq!(live.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["k3"]);
    Ok(())
}

#[test]
fn a_revoked_credential_is_not_loaded_and_not_revoked_twice() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    store.add_credential(&credential("k1", "u1", 1))?;
    store.add_credential(&credential("k2", "u1", 2))?;
    assert_eq!(store.revoke_credential("u2", API_KEY, "k1", 7)?, None, "not the subject's");
    assert!(store.revoke_credential("u1", API_KEY, "k1", 7)?.is_some());
    assert_eq!(store.revoke_credential("u1", API_KEY, "k1", 8)?, None);
    let mut loaded = Vec::new();
    store.for_each_credential(|credential| loaded.push(credential.id))?;
    assert_eq!(loaded, ["k2"]);
    Ok(())
}

#[test]
fn the_number_of_live_credentials_is_bounded() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    assert!(store.add_credential_within(&credential("k1", "u1", 1), 2)?);
    assert!(store.add_credential_within(&credential("k2", "u1", 2), 2)?);
    assert!(!store.add_credential_within(&credential("k3", "u1", 3), 2)?);
    assert!(store.add_credential_within(&credential("k4", "u2", 4), 2)?, "another subject's");
    store.revoke_credential("u1", API_KEY, "k1", 7)?;
    assert!(store.add_credential_within(&credential("k5", "u1", 5), 2)?);
    Ok(())
}

#[test]
fn a_code_is_redeemed_once_even_by_two_processes_at_once() -> TestResult {
    let folder = tempfile::tempdir()?;
    // Two stores on one folder: what two processes have.
    let stores = [Store::open(folder.path())?, Store::open(folder.path())?];
    for round in 0..20_u8 {
        stores[0].add_code(&code(round), 1_000)?;
        let start = Barrier::new(4);
        let firsts = thread::scope(|scope| {
            let redeemers: Vec<_> = (0..4)
                .map(|index| {
                    let (store, start) = (&stores[index % 2], &start);
                    scope.spawn(move || {
                        start.wait();
                        store.redeem_code(&[round; 32], 50, 500)
                    })
                })
                .collect();
            let outcomes = redeemers.into_iter().map(|redeemer| redeemer.join().unwrap().unwrap());
            outcomes.filter(|outcome| matches!(outcome, Redemption::First(_))).count()
        });
        assert_eq!(firsts, 1);
    }
    Ok(())
}

#[test]
fn a_second_redemption_revokes_the_token_also_after_the_code_expired() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    store.add_code(&code(1), 0)?;
    assert_eq!(store.redeem_code(&[2; 32], 50, 500)?, Redemption::Unknown);
    assert_eq!(store.redeem_code(&[1; 32], 50, 500)?, Redemption::First(code(1)));
    assert!(store.revoked_tokens(50)?.is_empty());
    assert_eq!(store.redeem_code(&[1; 32], 400, 500)?, Redemption::Again(code(1)));
    assert_eq!(store.revoked_tokens(400)?, [("token-1".to_owned(), 500)]);
    assert!(store.revoked_tokens(500)?.is_empty(), "the token itself has expired by then");
    Ok(())
}

#[test]
fn an_expired_code_is_unknown() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    store.add_code(&code(1), 0)?;
    assert_eq!(store.redeem_code(&[1; 32], 100, 500)?, Redemption::Unknown);
    Ok(())
}

#[test]
fn signing_keys_are_replaced_only_by_those_who_know_the_current_ones() -> TestResult {
    let folder = tempfile::tempdir()?;
    let stores = [Store::open(folder.path())?, Store::open(folder.path())?];
    assert_eq!(stores[0].signing_keys()?, None);
    assert!(stores[0].replace_signing_keys(0, "secret one")?);
    assert!(!stores[1].replace_signing_keys(0, "secret two")?, "another process was first");
    assert!(stores[1].replace_signing_keys(1, "secret three")?);
    let stored = stores[0].signing_keys()?.ok_or("the keys are gone")?;
    assert_eq!((stored.version, stored.private_jwks.as_str()), (2, "secret three"));
    assert!(!format!("{stored:?}").contains("secret"));
    Ok(())
}

#[test]
fn a_file_of_a_newer_release_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = Store::open(folder.path())?.file().to_owned();
    rusqlite::Connection::open(&file)?.pragma_update(None, "user_version", 1_000)?;
    let refused = Store::open(folder.path()).expect_err("a newer schema");
    assert!(matches!(refused, StorageError::NewerSchema { found: 1_000, .. }), "{refused}");
    Ok(())
}

#[test]
fn a_file_that_is_no_database_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("tollgate.sqlite3"), "no database ".repeat(100))?;
    assert_eq!(Store::open(folder.path()).expect_err("no database").code(), "storage-failed");
    Ok(())
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files() -> TestResult {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("data");
    let store = Store::open(&folder)?;
    store.replace_signing_keys(0, "secret")?;
    assert_eq!(std::fs::metadata(&folder)?.permissions().mode() & 0o777, 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        assert_eq!(entry.metadata()?.permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
        files += 1;
    }
    assert!(files >= 2, "the database and its log");
    Ok(())
}

fn user(id: &str) -> User {
    let email = format!("{id}@example.com");
    User { id: id.into(), email, scopes: "read:sites".into(), created_at: 1 }
}

fn client(id: &str) -> Client {
    Client {
        id: id.into(),
        name: "Reports".into(),
        scopes: "read:reports".into(),
        redirect_uris: vec!["https://a.example/cb".into(), "https://b.example/cb".into()],
        created_at: 1,
    }
}

fn site(id: &str, user_id: &str) -> Site {
    let url = "https://example.com/".to_owned();
    Site { id: id.into(), user_id: user_id.into(), name: "Home".into(), url, created_at: 1 }
}

fn credential(id: &str, subject: &str, digest: u8) -> Credential {
    Credential {
        id: id.into(),
        digest: [digest; 32],
        kind: API_KEY,
        subject: subject.into(),
        name: "laptop".into(),
        scopes: "read:sites".into(),
        created_at: 1,
        not_before: None,
        expires_at: Some(1_000),
        revoked_at: None,
    }
}

fn code(digest: u8) -> AuthorizationCode {
    AuthorizationCode {
        digest: [digest; 32],
        client_id: "c1".into(),
        user_id: "u1".into(),
        redirect_uri: "https://a.example/cb".into(),
        code_challenge: "challenge".into(),
        scope: "read:sites".into(),
        created_at: 1,
        expires_at: 100,
        token_id: format!("token-{digest}"),
    }
}
