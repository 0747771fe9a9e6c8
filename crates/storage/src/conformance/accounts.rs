use super::sample::audit;
use crate::account_store::AccountStore;
use crate::accounts::{AuthorizationCode, LoginSession, PresentedCode, Redemption, Site, User, UserChange};
use crate::error::{Refusal, StorageError};
use async_trait::async_trait;
use std::sync::Arc;

/// An empty store of accounts.
#[async_trait]
pub trait AccountWorld: Send + Sync {
    /// The store, opened as by another process.
    async fn open(&self) -> Arc<dyn AccountStore>;
}

/// Like [`key_store_conformance!`](crate::key_store_conformance), for an [`AccountStore`](crate::AccountStore).
#[macro_export]
macro_rules! account_store_conformance {
    ($world:expr) => {
        $crate::key_store_conformance!(@each $world =>
            what_another_process_added_is_there
            a_user_who_exists_already_is_refused_and_left_alone
            users_are_listed_by_page
            a71_a_change_of_a_user_ends_every_login_session_and_every_unused_code
            a71_a_login_that_was_begun_before_a_change_is_not_completed_after_it
            a71_a_login_session_ends_alone_and_its_codes_with_it
            a83_a_user_has_at_most_so_many_login_sessions
            a_change_of_accounts_is_written_down_with_it_and_a_refused_one_is_not
            issuers_are_noted_once
            a_code_is_redeemed_once_even_by_two_processes_at_once
            a_second_redemption_is_told_from_an_unknown_code_also_after_it_expired
            a70_only_what_its_own_client_presents_rightly_uses_a_code_up
            codes_and_login_sessions_that_have_expired_are_forgotten
            consents_are_remembered_per_user_and_client_and_add_up
            consents_that_are_given_at_once_all_count
            a71_a_consent_that_is_revoked_takes_its_unused_codes_along_and_names_its_tokens
            a_user_who_is_removed_takes_consents_and_devices_along
            a74_a_device_is_known_for_its_user_until_it_expires
            a83_a_user_has_at_most_so_many_known_devices
            a71_whoever_got_tokens_in_a_session_is_told_of_its_end_whichever_way_it_ends
            a_logout_notice_is_claimed_by_one_process_until_its_next_attempt
            a71_a_login_session_is_renewed_only_while_its_user_is_as_before
            a_device_is_written_down_when_it_is_new
            a78_what_was_given_up_changes_no_account
            a_site_is_added_renamed_and_removed_by_its_user_alone
            a_change_of_a_site_is_written_down_with_it_and_a_refused_one_is_not
            a83_a_user_has_at_most_so_many_sites_whoever_adds_at_once
            a_device_gets_its_approval_once_even_from_two_processes_at_once
            a_device_that_polls_too_soon_has_to_wait_longer_each_time
            a_device_gets_nothing_when_it_is_denied_or_too_late
            a71_an_approval_of_a_device_ends_with_its_login_session_and_its_consent
            a83_a_client_and_all_clients_have_at_most_so_many_device_authorizations
            a_jti_is_spent_once_even_by_two_processes_at_once
            a83_an_owner_has_at_most_so_many_spent_jtis
            a_pushed_request_is_begun_once_by_its_client_and_ended_once
            a_pushed_request_is_begun_by_one_of_many_at_once
            a83_a_client_has_at_most_so_many_pushed_requests
            a72_a_refresh_token_is_good_once_and_its_second_use_ends_the_family
            a72_a_retry_gets_the_same_successor_in_time_and_while_that_is_unused
            a72_of_eight_presentations_at_once_one_chain_goes_on
            a72_a_refresh_token_is_bound_to_its_client_and_key
            a71_refresh_tokens_end_with_their_session_user_and_consent
            an_offline_family_alone_outlives_the_expiry_of_its_session
            a83_families_and_their_tokens_are_bounded_and_forgotten
            a70_a_family_is_ended_by_the_id_that_its_code_names
            signing_keys_are_replaced_only_by_those_who_know_the_current_ones
        );
    };
}

pub async fn what_another_process_added_is_there(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    let (ada, home) = (user("u1"), site("s2", "u1", 1));
    store.add_user(&ada, "$argon2id$...", &audit()).await.unwrap();
    store.add_login_session(&session(9, 1), 0, 10, &audit()).await.unwrap();
    store.add_site(&home, 10, &audit()).await.unwrap();
    store.add_site(&site("s1", "u1", 2), 10, &audit()).await.unwrap();
    store.replace_signing_keys(0, "secret", &audit()).await.unwrap();
    store.add_code(&AuthorizationCode { session_id: "s9".into(), ..code(1) }, 0).await.unwrap();
    assert_eq!(other.user_by_id("u1").await.unwrap(), Some(ada.clone()));
    assert_eq!(other.user_by_email("u1@example.com").await.unwrap(), Some((ada, "$argon2id$...".to_owned())));
    assert_eq!(other.sites_of("u1", 10).await.unwrap(), [home.clone(), site("s1", "u1", 2)], "the oldest first");
    assert_eq!(other.sites_of("u1", 1).await.unwrap(), [home]);
    assert_eq!(other.sites_of("u2", 10).await.unwrap(), []);
    assert_eq!(other.signing_keys().await.unwrap().map(|keys| keys.version), Some(1));
    assert_eq!(other.login_session(&[9; 32], 1_000).await.unwrap(), Some(session(9, 1)));
    assert_eq!(other.login_session(&[9; 32], 1_001).await.unwrap(), None);
    assert_eq!(other.login_sessions_of("u1", 1_000).await.unwrap(), [session(9, 1)]);
    assert_eq!(other.login_sessions_of("u1", 1_001).await.unwrap(), []);
    let of_session = AuthorizationCode { session_id: "s9".into(), ..code(1) };
    assert_eq!(other.redeem_code(&presented(1), 50).await.unwrap(), Redemption::First(of_session));
    assert_eq!(other.user_by_id("u2").await.unwrap(), None);
}

pub async fn a_user_who_exists_already_is_refused_and_left_alone(world: &dyn AccountWorld) {
    let store = world.open().await;
    store.add_user(&user("u1"), "first", &audit()).await.unwrap();
    for twin in [User { id: "u2".into(), ..user("u1") }, User { email: "u2@example.com".into(), ..user("u1") }] {
        let refused = store.add_user(&twin, "second", &audit()).await.unwrap_err();
        assert!(matches!(refused, StorageError::Refused(Refusal::AlreadyExists { what: "user" })), "{refused}");
    }
    let found = store.user_by_email("u1@example.com").await.unwrap();
    assert_eq!(found.map(|(_, hash)| hash).as_deref(), Some("first"));
}

pub async fn users_are_listed_by_page(world: &dyn AccountWorld) {
    let store = world.open().await;
    for id in ["u3", "u1", "u2"] {
        store.add_user(&user(id), "", &audit()).await.unwrap();
    }
    assert_eq!(store.users(None, 2).await.unwrap(), [user("u1"), user("u2")]);
    assert_eq!(store.users(Some("u2"), 2).await.unwrap(), [user("u3")]);
    assert_eq!(store.users(Some("u3"), 2).await.unwrap(), []);
}

pub async fn a71_a_change_of_a_user_ends_every_login_session_and_every_unused_code(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    store.add_user(&user("u2"), "", &audit()).await.unwrap();
    store.add_login_session(&LoginSession { user_id: "u2".into(), ..session(99, 1) }, 0, 10, &audit()).await.unwrap();
    store.add_user(&user("u1"), "", &audit()).await.unwrap();
    let (disable, enable) = (UserChange::Disable { at: 7 }, UserChange::Enable);
    let password = UserChange::Password { hash: "second".into() };
    let mut epoch = 0;
    for (round, change) in (1_u8..).zip([&disable, &disable, &enable, &password, &UserChange::EndLogins, &enable]) {
        // A disabled user has neither.
        let is_there = store.add_login_session(&session(round, 1), epoch, 10, &audit()).await.is_ok();
        let used = AuthorizationCode { session_id: format!("s{round}"), ..code(100 + round) };
        let unused = AuthorizationCode { digest: [round; 32], ..used.clone() };
        if is_there {
            store.add_code(&used, 1_000).await.unwrap();
            store.redeem_code(&presented(100 + round), 50).await.unwrap();
            store.add_code(&unused, 1_000).await.unwrap();
        }
        let changed = other.change_user("u1", change, &audit()).await.unwrap();
        let ends = *change != enable;
        epoch += i64::from(ends);
        let disabled_at = if *change == disable { Some(7) } else { None };
        assert_eq!(changed.user, User { disabled_at, epoch, ..user("u1") });
        assert_eq!(store.user_by_id("u1").await.unwrap(), Some(changed.user));
        assert_eq!(changed.ended.contains(&format!("s{round}")), ends && is_there, "{change:?}");
        let session = store.login_session(&[round; 32], 1).await.unwrap();
        assert_eq!(session.is_some(), !ends && is_there, "{change:?}");
        if is_there {
            let redemption = store.redeem_code(&presented(round), 50).await.unwrap();
            assert_eq!(redemption == Redemption::Unknown, ends, "{change:?}");
            let again = store.redeem_code(&presented(100 + round), 50).await.unwrap();
            assert_eq!(again, Redemption::Again(used), "what was used is known, so that its token can be revoked");
        }
    }
    let (_, hash) = store.user_by_email("u1@example.com").await.unwrap().unwrap();
    assert_eq!(hash, "second");
    store.add_site(&site("s1", "u1", 1), 10, &audit()).await.unwrap();
    let removed = store.change_user("u1", &UserChange::Remove, &audit()).await.unwrap();
    assert_eq!((removed.user.id.as_str(), removed.ended.len()), ("u1", 1), "that which the enabling left");
    assert_eq!(other.user_by_id("u1").await.unwrap(), None);
    assert_eq!(other.sites_of("u1", 10).await.unwrap(), []);
    assert!(other.login_session(&[99; 32], 1).await.unwrap().is_some(), "nobody else's");
    for change in [disable, enable, password, UserChange::Remove] {
        let refused = store.change_user("u1", &change, &audit()).await.unwrap_err();
        assert!(matches!(refused, StorageError::Refused(Refusal::NotFound { what: "user" })), "{refused}");
    }
}

pub async fn a71_a_login_that_was_begun_before_a_change_is_not_completed_after_it(world: &dyn AccountWorld) {
    let store = world.open().await;
    store.add_user(&user("u1"), "", &audit()).await.unwrap();
    let refused =
        async |session: &LoginSession, epoch| store.add_login_session(session, epoch, 10, &audit()).await.unwrap_err();
    store.change_user("u1", &UserChange::Password { hash: "second".into() }, &audit()).await.unwrap();
    assert_eq!(refused(&session(1, 1), 0).await.code(), "changed");
    store.add_login_session(&session(1, 1), 1, 10, &audit()).await.unwrap();
    store.change_user("u1", &UserChange::Disable { at: 1 }, &audit()).await.unwrap();
    assert_eq!(refused(&session(2, 1), 2).await.code(), "changed", "disabled");
    assert_eq!(store.add_code(&code(1), 0).await.unwrap_err().code(), "changed", "its session has ended");
    store.change_user("u1", &UserChange::Enable, &audit()).await.unwrap();
    store.add_login_session(&session(2, 1), 2, 10, &audit()).await.unwrap();
    store.change_user("u1", &UserChange::Remove, &audit()).await.unwrap();
    assert_eq!(refused(&session(3, 1), 2).await.code(), "changed", "removed");
}

pub async fn a71_a_login_session_ends_alone_and_its_codes_with_it(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    store.add_user(&user("u2"), "", &audit()).await.unwrap();
    store.add_login_session(&session(2, 2), 0, 10, &audit()).await.unwrap();
    store.add_code(&code(1), 0).await.unwrap();
    store.add_code(&AuthorizationCode { session_id: "s2".into(), ..code(2) }, 0).await.unwrap();
    assert!(!other.end_login_session("u2", "s1", &audit()).await.unwrap(), "another's");
    let all = store.login_sessions_of("u1", 2).await.unwrap();
    assert_eq!(all, [session(2, 2), session(1, 1)], "the newest first");
    assert!(other.end_login_session("u1", "s1", &audit()).await.unwrap());
    assert!(!other.end_login_session("u1", "s1", &audit()).await.unwrap());
    assert_eq!(store.login_sessions_of("u1", 2).await.unwrap(), [session(2, 2)]);
    assert_eq!(store.redeem_code(&presented(1), 50).await.unwrap(), Redemption::Unknown);
    assert!(matches!(store.redeem_code(&presented(2), 50).await.unwrap(), Redemption::First(_)));
}

pub async fn a83_a_user_has_at_most_so_many_login_sessions(world: &dyn AccountWorld) {
    let store = world.open().await;
    store.add_user(&user("u1"), "", &audit()).await.unwrap();
    store.add_user(&user("u2"), "", &audit()).await.unwrap();
    for number in 1..=3 {
        store.add_login_session(&session(number, 1), 0, 3, &audit()).await.unwrap();
    }
    let refused = store.add_login_session(&session(4, 1), 0, 3, &audit()).await.unwrap_err();
    assert!(matches!(refused, StorageError::Refused(Refusal::TooMany { max: 3 })), "{refused}");
    store.add_login_session(&LoginSession { user_id: "u2".into(), ..session(5, 1) }, 0, 3, &audit()).await.unwrap();
    // The earlier ones have expired by then.
    store.add_login_session(&session(6, 1_001), 0, 3, &audit()).await.unwrap();
}

pub async fn issuers_are_noted_once(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    assert_eq!(store.issuers().await.unwrap(), Vec::<String>::new());
    for issuer in ["https://b.example", "https://a.example", "https://b.example"] {
        store.add_issuer(issuer).await.unwrap();
    }
    assert_eq!(other.issuers().await.unwrap(), ["https://a.example", "https://b.example"]);
}

pub async fn a_code_is_redeemed_once_even_by_two_processes_at_once(world: &dyn AccountWorld) {
    let stores = [world.open().await, world.open().await];
    log_in(&*stores[0], &user("u1")).await;
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
    log_in(&*store, &user("u1")).await;
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
    log_in(&*store, &user("u1")).await;
    store.add_code(&code(1), 0).await.unwrap();
    let redeem = async |presented: PresentedCode| store.redeem_code(&presented, 50).await.unwrap();
    let foreign = PresentedCode { client_id: "other".into(), ..presented(1) };
    assert_eq!(redeem(foreign.clone()).await, Redemption::Unknown);
    let elsewhere = PresentedCode { redirect_uri: "https://other.example".into(), ..presented(1) };
    assert_eq!(redeem(elsewhere).await, Redemption::OtherRedirectUri);
    let unproven = PresentedCode { code_challenge: "other".into(), ..presented(1) };
    assert_eq!(redeem(unproven).await, Redemption::OtherVerifier);
    store.add_code(&code(2), 0).await.unwrap();
    for dpop_jkt in [None, Some("other".to_owned())] {
        assert_eq!(redeem(PresentedCode { dpop_jkt, ..presented(2) }).await, Redemption::OtherKey);
    }
    assert_eq!(redeem(presented(2)).await, Redemption::First(code(2)));
    assert_eq!(redeem(presented(1)).await, Redemption::First(code(1)));
    // Another client learns nothing about a used code, and so cannot cause the revocation of its token.
    assert_eq!(redeem(foreign).await, Redemption::Unknown);
}

pub async fn codes_and_login_sessions_that_have_expired_are_forgotten(world: &dyn AccountWorld) {
    let store = world.open().await;
    log_in(&*store, &user("u1")).await;
    // Expires at 100.
    store.add_code(&code(1), 0).await.unwrap();
    let later = |digest, created_at| AuthorizationCode { created_at, expires_at: created_at + 99, ..code(digest) };
    store.add_code(&later(2, 150), 50).await.unwrap();
    assert_eq!(store.redeem_code(&presented(1), 150).await.unwrap(), Redemption::Expired, "not long enough ago");
    store.add_code(&later(3, 151), 50).await.unwrap();
    assert_eq!(store.redeem_code(&presented(1), 151).await.unwrap(), Redemption::Unknown);
    store.add_login_session(&session(2, 1_001), 0, 10, &audit()).await.unwrap();
    assert_eq!(store.login_session(&[1; 32], 0).await.unwrap(), None, "its row is gone");
    assert!(store.login_session(&[2; 32], 2_000).await.unwrap().is_some());
}

pub async fn signing_keys_are_replaced_only_by_those_who_know_the_current_ones(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    assert_eq!(store.signing_keys().await.unwrap(), None);
    assert!(store.replace_signing_keys(0, "secret one", &audit()).await.unwrap());
    assert!(!other.replace_signing_keys(0, "secret two", &audit()).await.unwrap(), "another process was first");
    assert!(other.replace_signing_keys(1, "secret three", &audit()).await.unwrap());
    let stored = store.signing_keys().await.unwrap().unwrap();
    assert_eq!((stored.version, stored.private_jwks.as_str()), (2, "secret three"));
    assert!(!format!("{stored:?}").contains("secret"));
}

pub(super) fn user(id: &str) -> User {
    let email = format!("{id}@example.com");
    User { id: id.into(), email, scopes: "read:sites".into(), created_at: 1, disabled_at: None, epoch: 0 }
}

/// Adds a user with session 1.
pub(super) async fn log_in(store: &dyn AccountStore, user: &User) {
    store.add_user(user, "", &audit()).await.unwrap();
    store.add_login_session(&session(1, 1), 0, 10, &audit()).await.unwrap();
}

pub(super) fn site(id: &str, user_id: &str, created_at: i64) -> Site {
    let url = "https://example.com/".to_owned();
    Site { id: id.into(), user_id: user_id.into(), name: "Home".into(), url, created_at }
}

pub(super) fn session(number: u8, created_at: i64) -> LoginSession {
    LoginSession {
        id: format!("s{number}"),
        user_id: "u1".into(),
        digest: Some([number; 32]),
        key_id: (number == 9).then(|| "key_1".to_owned()),
        agent: "A \"browser\"".into(),
        address: (number == 9).then(|| "192.0.2.7".to_owned()),
        created_at,
        authenticated_at: created_at,
        expires_at: created_at + 1_000,
    }
}

pub(super) fn code(digest: u8) -> AuthorizationCode {
    AuthorizationCode {
        digest: [digest; 32],
        client_id: "c1".into(),
        user_id: "u1".into(),
        session_id: "s1".into(),
        redirect_uri: "https://a.example/cb".into(),
        code_challenge: "challenge".into(),
        scope: "read:sites".into(),
        nonce: (digest == 1).then(|| "n-0S6_WzA2Mj".to_owned()),
        dpop_jkt: (digest == 2).then(|| "jkt".to_owned()),
        created_at: 1,
        expires_at: 100,
        token_id: format!("token-{digest}"),
    }
}

pub(super) fn presented(digest: u8) -> PresentedCode {
    let AuthorizationCode { digest, client_id, redirect_uri, code_challenge, dpop_jkt, .. } = code(digest);
    PresentedCode { digest, client_id, redirect_uri, code_challenge, dpop_jkt }
}
