use crate::account_store::AccountStore;
use crate::accounts::{AuthorizationCode, LoginSession, PresentedCode, Redemption, Site, User};
use crate::error::{Refusal, StorageError};
use async_trait::async_trait;
use std::sync::Arc;

/// An empty store of accounts.
#[async_trait]
pub trait AccountWorld: Send + Sync {
    /// The store, as another process opens it.
    async fn open(&self) -> Arc<dyn AccountStore>;
}

/// As [`key_store_conformance!`](crate::key_store_conformance), for an [`AccountStore`](crate::AccountStore).
#[macro_export]
macro_rules! account_store_conformance {
    ($world:expr) => {
        $crate::key_store_conformance!(@each $world =>
            what_another_process_added_is_there
            a_user_who_exists_already_is_refused_and_left_alone
            a_code_is_redeemed_once_even_by_two_processes_at_once
            a_second_redemption_is_told_from_an_unknown_code_also_after_it_expired
            a70_only_what_its_own_client_presents_rightly_uses_a_code_up
            codes_and_login_sessions_that_have_expired_are_forgotten
            signing_keys_are_replaced_only_by_those_who_know_the_current_ones
        );
    };
}

pub async fn what_another_process_added_is_there(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    let (ada, home) = (user("u1"), site("s2", "u1", 1));
    store.add_user(&ada, "$argon2id$...").await.unwrap();
    store.add_site(&home).await.unwrap();
    store.add_site(&site("s1", "u1", 2)).await.unwrap();
    store.replace_signing_keys(0, "secret").await.unwrap();
    store.add_login_session(&session(9, 10)).await.unwrap();
    store.add_code(&code(1), 0).await.unwrap();
    assert_eq!(other.user_by_id("u1").await.unwrap(), Some(ada.clone()));
    assert_eq!(other.user_by_email("u1@example.com").await.unwrap(), Some((ada, "$argon2id$...".to_owned())));
    assert_eq!(other.sites_of("u1", 10).await.unwrap(), [home.clone(), site("s1", "u1", 2)], "the oldest first");
    assert_eq!(other.sites_of("u1", 1).await.unwrap(), [home]);
    assert_eq!(other.sites_of("u2", 10).await.unwrap(), []);
    assert_eq!(other.signing_keys().await.unwrap().map(|keys| keys.version), Some(1));
    assert_eq!(other.login_session(&[9; 32], 19).await.unwrap(), Some(session(9, 10)));
    assert_eq!(other.login_session(&[9; 32], 20).await.unwrap(), None);
    assert_eq!(other.redeem_code(&presented(1), 50).await.unwrap(), Redemption::First(code(1)));
    assert_eq!(other.user_by_id("u2").await.unwrap(), None);
}

pub async fn a_user_who_exists_already_is_refused_and_left_alone(world: &dyn AccountWorld) {
    let store = world.open().await;
    store.add_user(&user("u1"), "first").await.unwrap();
    for twin in [User { id: "u2".into(), ..user("u1") }, User { email: "u2@example.com".into(), ..user("u1") }] {
        let refused = store.add_user(&twin, "second").await.unwrap_err();
        assert!(matches!(refused, StorageError::Refused(Refusal::AlreadyExists { what: "user" })), "{refused}");
    }
    let found = store.user_by_email("u1@example.com").await.unwrap();
    assert_eq!(found.map(|(_, hash)| hash).as_deref(), Some("first"));
    let unknown = store.add_site(&site("s1", "u2", 1)).await.unwrap_err();
    assert_eq!(unknown.code(), "already-exists");
}

pub async fn a_code_is_redeemed_once_even_by_two_processes_at_once(world: &dyn AccountWorld) {
    let stores = [world.open().await, world.open().await];
    for round in 0..20_u8 {
        stores[0].add_code(&code(round), 1_000).await.unwrap();
        let redeemers: Vec<_> = (0..4)
            .map(|index| {
                let store = Arc::clone(&stores[index % 2]);
                tokio::spawn(async move { store.redeem_code(&presented(round), 50).await.unwrap() })
            })
            .collect();
        let mut outcomes = Vec::new();
        for redeemer in redeemers {
            outcomes.push(redeemer.await.unwrap());
        }
        let firsts = outcomes.iter().filter(|outcome| matches!(outcome, Redemption::First(_))).count();
        let again = outcomes.iter().filter(|outcome| matches!(outcome, Redemption::Again(_))).count();
        assert_eq!((firsts, again), (1, 3), "{outcomes:?}");
    }
}

pub async fn a_second_redemption_is_told_from_an_unknown_code_also_after_it_expired(world: &dyn AccountWorld) {
    let store = world.open().await;
    store.add_code(&code(1), 0).await.unwrap();
    assert_eq!(store.redeem_code(&presented(2), 50).await.unwrap(), Redemption::Unknown);
    assert_eq!(store.redeem_code(&presented(1), 50).await.unwrap(), Redemption::First(code(1)));
    for _ in 0..2 {
        assert_eq!(store.redeem_code(&presented(1), 400).await.unwrap(), Redemption::Again(code(1)));
    }
    store.add_code(&code(2), 1_000).await.unwrap();
    assert_eq!(store.redeem_code(&presented(2), 100).await.unwrap(), Redemption::Expired);
}

pub async fn a70_only_what_its_own_client_presents_rightly_uses_a_code_up(world: &dyn AccountWorld) {
    let store = world.open().await;
    store.add_code(&code(1), 0).await.unwrap();
    let redeem = async |presented: PresentedCode| store.redeem_code(&presented, 50).await.unwrap();
    let foreign = PresentedCode { client_id: "other".into(), ..presented(1) };
    assert_eq!(redeem(foreign.clone()).await, Redemption::Unknown);
    let elsewhere = PresentedCode { redirect_uri: "https://other.example".into(), ..presented(1) };
    assert_eq!(redeem(elsewhere).await, Redemption::OtherRedirectUri);
    let unproven = PresentedCode { code_challenge: "other".into(), ..presented(1) };
    assert_eq!(redeem(unproven).await, Redemption::OtherVerifier);
    assert_eq!(redeem(presented(1)).await, Redemption::First(code(1)));
    // A foreign client learns nothing of a used code, and so cannot have its token revoked.
    assert_eq!(redeem(foreign).await, Redemption::Unknown);
}

pub async fn codes_and_login_sessions_that_have_expired_are_forgotten(world: &dyn AccountWorld) {
    let store = world.open().await;
    // Expires at 100.
    store.add_code(&code(1), 0).await.unwrap();
    let later = |digest, created_at| AuthorizationCode { created_at, expires_at: created_at + 99, ..code(digest) };
    store.add_code(&later(2, 150), 50).await.unwrap();
    assert_eq!(store.redeem_code(&presented(1), 150).await.unwrap(), Redemption::Expired, "not long enough ago");
    store.add_code(&later(3, 151), 50).await.unwrap();
    assert_eq!(store.redeem_code(&presented(1), 151).await.unwrap(), Redemption::Unknown);
    store.add_user(&user("u1"), "").await.unwrap();
    store.add_login_session(&session(1, 10)).await.unwrap();
    store.add_login_session(&session(2, 20)).await.unwrap();
    assert_eq!(store.login_session(&[1; 32], 0).await.unwrap(), None, "its row is gone");
    assert!(store.login_session(&[2; 32], 29).await.unwrap().is_some());
}

pub async fn signing_keys_are_replaced_only_by_those_who_know_the_current_ones(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    assert_eq!(store.signing_keys().await.unwrap(), None);
    assert!(store.replace_signing_keys(0, "secret one").await.unwrap());
    assert!(!other.replace_signing_keys(0, "secret two").await.unwrap(), "another process was first");
    assert!(other.replace_signing_keys(1, "secret three").await.unwrap());
    let stored = store.signing_keys().await.unwrap().unwrap();
    assert_eq!((stored.version, stored.private_jwks.as_str()), (2, "secret three"));
    assert!(!format!("{stored:?}").contains("secret"));
}

fn user(id: &str) -> User {
    let email = format!("{id}@example.com");
    User { id: id.into(), email, scopes: "read:sites".into(), created_at: 1 }
}

fn site(id: &str, user_id: &str, created_at: i64) -> Site {
    let url = "https://example.com/".to_owned();
    Site { id: id.into(), user_id: user_id.into(), name: "Home".into(), url, created_at }
}

fn session(digest: u8, created_at: i64) -> LoginSession {
    LoginSession { digest: [digest; 32], user_id: "u1".into(), created_at, expires_at: created_at + 10 }
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
