use super::accounts::{AccountWorld, code, log_in, presented, session, user};
use super::sample::audit;
use crate::account_store::AccountStore;
use crate::accounts::{AuthorizationCode, LoginSession, LogoutNotice, PresentedCode, Redemption, UserChange};

/// OpenID Connect Back-Channel Logout 1.0 section 2.
pub async fn a71_whoever_got_tokens_in_a_session_is_told_of_its_end_whichever_way_it_ends(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    store.add_login_session(&session(2, 1), 0, 10, &audit()).await.unwrap();
    store.add_login_session(&session(3, 1), 0, 10, &audit()).await.unwrap();
    for (number, session_id, client_id) in [(1, "s1", "c1"), (2, "s1", "c1"), (3, "s1", "c2"), (4, "s2", "c1")] {
        redeem(&*store, number, session_id, client_id).await;
    }
    // An unused code gave no client a token.
    let unused = AuthorizationCode { client_id: "c3".into(), ..code(5) };
    store.add_code(&unused, 1_000).await.unwrap();
    assert_eq!(claim(&*store, 10).await, []);

    assert!(other.end_login_session("u1", "s1", &audit()).await.unwrap());
    assert_eq!(claim(&*store, 10).await, [notice("s1", "c1", 1), notice("s1", "c2", 1)]);
    assert!(!other.end_login_session("u1", "s1", &audit()).await.unwrap(), "it has ended");
    other.end_login_session("u2", "s2", &audit()).await.unwrap();
    assert_eq!(claim(&*store, 10).await, [], "another's session is not ended");

    other.change_user("u1", &UserChange::Disable { at: 9 }, &audit()).await.unwrap();
    assert_eq!(claim(&*store, 10).await, [notice("s2", "c1", 1)], "and nobody of the session without clients");
    other.change_user("u1", &UserChange::Remove, &audit()).await.unwrap();
    assert_eq!(claim(&*store, 10).await, []);
}

pub async fn a_logout_notice_is_claimed_by_one_process_until_its_next_attempt(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    for (number, client_id) in [(1, "c1"), (2, "c2"), (3, "c3")] {
        redeem(&*store, number, "s1", client_id).await;
    }
    store.end_login_session("u1", "s1", &audit()).await.unwrap();
    let (first, second) =
        tokio::join!(store.claim_logout_notices(100, 10, 2, 2), other.claim_logout_notices(100, 10, 2, 2));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first.len() <= 2 && second.len() <= 2, "at most so many");
    let mut claimed: Vec<_> = first.into_iter().chain(second).chain(claim(&*store, 100).await).collect();
    claimed.sort_by(|one, another| one.client_id.cmp(&another.client_id));
    assert_eq!(claimed, [notice("s1", "c1", 1), notice("s1", "c2", 1), notice("s1", "c3", 1)], "each once");

    store.forget_logout_notice(&notice("s1", "c1", 1)).await.unwrap();
    assert_eq!(claim(&*other, 109).await, [], "not before its next attempt");
    assert_eq!(claim(&*other, 110).await, [notice("s1", "c2", 2), notice("s1", "c3", 2)]);
    assert_eq!(claim(&*other, 129).await, []);
    assert_eq!(claim(&*other, 130).await, [], "two attempts are the most");
    assert_eq!(store.claim_logout_notices(10_000, 10, 9, 9).await.unwrap(), [], "they are forgotten");
}

pub async fn a71_a_login_session_is_renewed_only_while_its_user_is_as_before(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    let renewed = LoginSession {
        digest: Some([7; 32]),
        agent: "Another".into(),
        address: None,
        authenticated_at: 50,
        expires_at: 2_000,
        ..session(1, 1)
    };
    assert!(store.renew_login_session(&renewed, 0, &audit()).await.unwrap());
    assert_eq!(other.login_session(&[1; 32], 60).await.unwrap(), None, "the cookie of before");
    assert_eq!(other.login_session(&[7; 32], 60).await.unwrap(), Some(renewed.clone()));
    assert!(!store.renew_login_session(&renewed, 1, &audit()).await.unwrap(), "another epoch");
    let anothers = LoginSession { user_id: "u2".into(), ..renewed.clone() };
    assert!(!store.renew_login_session(&anothers, 0, &audit()).await.unwrap());
    store.change_user("u1", &UserChange::EndLogins, &audit()).await.unwrap();
    assert!(!store.renew_login_session(&renewed, 1, &audit()).await.unwrap(), "it has ended");
}

async fn redeem(store: &dyn AccountStore, number: u8, session_id: &str, client_id: &str) {
    let code = AuthorizationCode { session_id: session_id.into(), client_id: client_id.into(), ..code(number) };
    store.add_code(&code, 1_000).await.unwrap();
    let presented = PresentedCode { client_id: client_id.into(), ..presented(number) };
    assert_eq!(store.redeem_code(&presented, 5).await.unwrap(), Redemption::First(code));
}

/// The claimed notices, in the order of sessions and clients.
async fn claim(store: &dyn AccountStore, now: i64) -> Vec<LogoutNotice> {
    let mut claimed = store.claim_logout_notices(now, 10, 2, 100).await.unwrap();
    claimed.sort_by(|one, another| (&one.session_id, &one.client_id).cmp(&(&another.session_id, &another.client_id)));
    claimed
}

fn notice(session_id: &str, client_id: &str, attempt: u32) -> LogoutNotice {
    LogoutNotice { session_id: session_id.into(), user_id: "u1".into(), client_id: client_id.into(), attempt }
}
