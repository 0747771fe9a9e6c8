//! What was acknowledged is there after a reopen, and what must happen once happens once.

use std::error::Error;
use std::sync::Barrier;
use std::thread;
use tollgate_server::ServerError;
use tollgate_server::storage::{AuthorizationCode, LoginSession, PresentedCode, Redemption, Site, Storage, User};
use tollgate_storage::{Refusal, StorageError};

type TestResult = Result<(), Box<dyn Error>>;

#[test]
fn everything_is_there_after_a_reopen() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (user, site) = (user("u1"), site("s1", "u1"));
    let session = LoginSession { digest: [9; 32], user_id: "u1".into(), created_at: 10, expires_at: 20 };
    {
        let storage = Storage::open(folder.path())?;
        storage.add_user(&user, "$argon2id$...")?;
        storage.add_site(&site)?;
        storage.replace_signing_keys(0, "secret")?;
        storage.add_login_session(&session)?;
        storage.add_code(&code(1), 0)?;
    }
    let storage = Storage::open(folder.path())?;
    assert_eq!(storage.user_by_id("u1")?, Some(user.clone()));
    assert_eq!(storage.user_by_email("u1@example.com")?, Some((user, "$argon2id$...".to_owned())));
    assert_eq!(storage.sites_of("u1", 10)?, [site]);
    assert_eq!(storage.signing_keys()?.map(|keys| keys.version), Some(1));
    assert_eq!(storage.login_session(&[9; 32], 19)?, Some(session));
    assert_eq!(storage.login_session(&[9; 32], 20)?, None);
    assert_eq!(storage.redeem_code(&presented(1), 50)?, Redemption::First(code(1)));
    Ok(())
}

#[test]
fn what_exists_already_is_refused_and_left_alone() -> TestResult {
    let folder = tempfile::tempdir()?;
    let storage = Storage::open(folder.path())?;
    storage.add_user(&user("u1"), "first")?;
    let twin = User { id: "u2".into(), ..user("u1") };
    let refused = storage.add_user(&twin, "second").expect_err("the address is taken");
    assert!(matches!(refused, StorageError::Refused(Refusal::AlreadyExists { what: "user" })), "{refused}");
    assert_eq!(storage.user_by_email("u1@example.com")?.map(|(_, hash)| hash), Some("first".into()));
    Ok(())
}

#[test]
fn a_code_is_redeemed_once_even_by_two_processes_at_once() -> TestResult {
    let folder = tempfile::tempdir()?;
    // Two stores on one folder: what two processes have.
    let storages = [Storage::open(folder.path())?, Storage::open(folder.path())?];
    for round in 0..20_u8 {
        storages[0].add_code(&code(round), 1_000)?;
        let start = Barrier::new(4);
        let firsts = thread::scope(|scope| {
            let redeemers: Vec<_> = (0..4)
                .map(|index| {
                    let (storage, start) = (&storages[index % 2], &start);
                    scope.spawn(move || {
                        start.wait();
                        storage.redeem_code(&presented(round), 50)
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
fn a_second_redemption_is_told_from_an_unknown_code_also_after_it_expired() -> TestResult {
    let folder = tempfile::tempdir()?;
    let storage = Storage::open(folder.path())?;
    storage.add_code(&code(1), 0)?;
    assert_eq!(storage.redeem_code(&presented(2), 50)?, Redemption::Unknown);
    assert_eq!(storage.redeem_code(&presented(1), 50)?, Redemption::First(code(1)));
    assert_eq!(storage.redeem_code(&presented(1), 400)?, Redemption::Again(code(1)));
    assert_eq!(storage.redeem_code(&presented(1), 400)?, Redemption::Again(code(1)));
    Ok(())
}

#[test]
fn a70_only_what_its_own_client_presents_rightly_uses_a_code_up() -> TestResult {
    let folder = tempfile::tempdir()?;
    let storage = Storage::open(folder.path())?;
    storage.add_code(&code(1), 0)?;
    let foreign = PresentedCode { client_id: "other".into(), ..presented(1) };
    assert_eq!(storage.redeem_code(&foreign, 50)?, Redemption::Unknown);
    let elsewhere = PresentedCode { redirect_uri: "https://other.example".into(), ..presented(1) };
    assert_eq!(storage.redeem_code(&elsewhere, 50)?, Redemption::OtherRedirectUri);
    let unproven = PresentedCode { code_challenge: "other".into(), ..presented(1) };
    assert_eq!(storage.redeem_code(&unproven, 50)?, Redemption::OtherVerifier);
    assert_eq!(storage.redeem_code(&presented(1), 50)?, Redemption::First(code(1)));
    // A foreign client learns nothing of a used code, and so cannot have its token revoked.
    assert_eq!(storage.redeem_code(&foreign, 50)?, Redemption::Unknown);
    Ok(())
}

#[test]
fn an_expired_code_is_told_from_an_unknown_one() -> TestResult {
    let folder = tempfile::tempdir()?;
    let storage = Storage::open(folder.path())?;
    storage.add_code(&code(1), 0)?;
    assert_eq!(storage.redeem_code(&presented(1), 100)?, Redemption::Expired);
    Ok(())
}

#[test]
fn signing_keys_are_replaced_only_by_those_who_know_the_current_ones() -> TestResult {
    let folder = tempfile::tempdir()?;
    let storages = [Storage::open(folder.path())?, Storage::open(folder.path())?];
    assert_eq!(storages[0].signing_keys()?, None);
    assert!(storages[0].replace_signing_keys(0, "secret one")?);
    assert!(!storages[1].replace_signing_keys(0, "secret two")?, "another process was first");
    assert!(storages[1].replace_signing_keys(1, "secret three")?);
    let stored = storages[0].signing_keys()?.ok_or("the keys are gone")?;
    assert_eq!((stored.version, stored.private_jwks.as_str()), (2, "secret three"));
    assert!(!format!("{stored:?}").contains("secret"));
    Ok(())
}

#[test]
fn a_file_of_a_newer_release_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = Storage::open(folder.path())?.file().to_owned();
    rusqlite::Connection::open(&file)?.pragma_update(None, "user_version", 1_000)?;
    let refused = Storage::open(folder.path()).expect_err("a newer schema");
    assert!(matches!(refused, ServerError::Store(StorageError::NewerSchema { found: 1_000, .. })), "{refused}");
    Ok(())
}

#[test]
fn a_file_that_is_no_database_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("tollgate-server.sqlite3"), "no database ".repeat(100))?;
    assert_eq!(Storage::open(folder.path()).expect_err("no database").code(), "store-failed");
    Ok(())
}

#[test]
fn a_folder_from_before_the_first_release_is_refused_and_left_alone() -> TestResult {
    let folder = tempfile::tempdir()?;
    let old = folder.path().join("tollgate.sqlite3");
    std::fs::write(&old, "keys and clients")?;
    let refused = Storage::open(folder.path()).expect_err("an old file");
    assert_eq!(refused.code(), "old-data-folder");
    assert!(refused.to_string().contains("tollgate.sqlite3"), "{refused}");
    assert_eq!(std::fs::read_to_string(&old)?, "keys and clients");
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 1, "nothing was made beside it");
    Ok(())
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files() -> TestResult {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("data");
    let storage = Storage::open(&folder)?;
    storage.replace_signing_keys(0, "secret")?;
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

fn site(id: &str, user_id: &str) -> Site {
    let url = "https://example.com/".to_owned();
    Site { id: id.into(), user_id: user_id.into(), name: "Home".into(), url, created_at: 1 }
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

fn presented(digest: u8) -> PresentedCode {
    let AuthorizationCode { digest, client_id, redirect_uri, code_challenge, .. } = code(digest);
    PresentedCode { digest, client_id, redirect_uri, code_challenge }
}
