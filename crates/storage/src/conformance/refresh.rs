use super::accounts::{AccountWorld, code, log_in, presented, session, user};
use super::sample::audit;
use crate::account_store::AccountStore;
use crate::accounts::{Consent, GrantedToken, PresentedRefreshToken, Refresh, RefreshFamily, SuccessorKey, UserChange};
use crate::audit::AuditFilter;
use std::sync::Arc;
use tollgate::ConfirmationMethod;

/// RFC 6749 section 6, RFC 9700 section 4.14.2.
pub async fn a72_a_refresh_token_is_good_once_and_its_second_use_ends_the_family(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    add(&*store, &family(1)).await;
    assert_eq!(other.refresh_family(&[1; 32]).await.unwrap(), Some((family(1), 1)));
    assert_eq!(other.refresh_family(&[2; 32]).await.unwrap(), None);
    assert_eq!(refresh(&*store, &exchange(1, 2), 10).await, Refresh::Rotated(of_session(family(1))));
    let rotated = RefreshFamily { number: 2, rotated_at: 10, expires_at: 202, ..family(1) };
    assert_eq!(other.refresh_family(&[1; 32]).await.unwrap(), Some((rotated.clone(), 1)), "by the used token too");
    assert_eq!(other.refresh_family(&[2; 32]).await.unwrap(), Some((rotated, 2)));
    assert!(matches!(refresh(&*other, &exchange(2, 3), 20).await, Refresh::Rotated(_)));
    let tokens = ["token-1", "token-1-2", "token-2-3"];
    assert_eq!(store.tokens_of_family("token-1").await.unwrap(), tokens);

    // Either of the used ones ends it, also after its expiry; the record says so once.
    let reused = audit();
    let again = store.refresh(&exchange(1, 2), &reused, 9_000).await.unwrap();
    assert!(matches!(&again, Refresh::Reused(family) if family.id == "token-1"), "{again:?}");
    assert!(matches!(refresh(&*other, &exchange(2, 3), 20).await, Refresh::Reused(_)));
    assert_eq!(refresh(&*other, &exchange(3, 4), 20).await, Refresh::Ended);
    assert_eq!(other.tokens_of_family("token-1").await.unwrap(), tokens, "so that they can be revoked");
    let records = other.audit(&AuditFilter::default(), None, 100).await.unwrap();
    assert_eq!(records.iter().filter(|record| record.id == reused.id).count(), 1);
}

pub async fn a72_a_retry_gets_the_same_successor_in_time_and_while_that_is_unused(world: &dyn AccountWorld) {
    let store = world.open().await;
    log_in(&*store, &user("u1")).await;
    add(&*store, &family(1)).await;
    let retry = |from, to| PresentedRefreshToken { retry_within: 10, ..exchange(from, to) };
    assert!(matches!(refresh(&*store, &retry(1, 2), 10).await, Refresh::Rotated(_)));
    let too_wide = |from, to| PresentedRefreshToken { is_scope_granted: false, ..retry(from, to) };
    assert_eq!(refresh(&*store, &too_wide(1, 2), 19).await, Refresh::TooWide, "a retry too");
    assert_eq!(refresh(&*store, &too_wide(2, 3), 19).await, Refresh::TooWide, "the token stays good");
    let token = GrantedToken { id: "retried".into(), expires_at: 110 };
    let with_token = PresentedRefreshToken { token, ..retry(1, 2) };
    assert!(matches!(refresh(&*store, &with_token, 19).await, Refresh::Again(_)));
    assert_eq!(store.tokens_of_family("token-1").await.unwrap(), ["retried", "token-1", "token-1-2"]);
    assert!(matches!(refresh(&*store, &retry(2, 3), 19).await, Refresh::Rotated(_)), "the successor is good");
    assert!(matches!(refresh(&*store, &too_wide(1, 2), 19).await, Refresh::Reused(_)), "the successor is used");

    add(&*store, &family(11)).await;
    assert!(matches!(refresh(&*store, &retry(11, 12), 10).await, Refresh::Rotated(_)));
    assert!(matches!(refresh(&*store, &retry(11, 12), 20).await, Refresh::Reused(_)), "too late");
    // A client that has shown by nothing but the token who it is.
    add(&*store, &family(21)).await;
    assert!(matches!(refresh(&*store, &exchange(21, 22), 10).await, Refresh::Rotated(_)));
    assert!(matches!(refresh(&*store, &exchange(21, 22), 10).await, Refresh::Reused(_)));
}

pub async fn a72_of_eight_presentations_at_once_one_chain_goes_on(world: &dyn AccountWorld) {
    let stores = [world.open().await, world.open().await];
    log_in(&*stores[0], &user("u1")).await;
    for (first, retry_within) in [(1, 10), (3, 0)] {
        add(&*stores[0], &family(first)).await;
        let clients: Vec<_> = (0..8_usize)
            .map(|index| {
                let store = Arc::clone(&stores[index % 2]);
                let token = GrantedToken { id: format!("parallel-{index}"), expires_at: 110 };
                let presented = PresentedRefreshToken { retry_within, token, ..exchange(first, first + 1) };
                tokio::spawn(async move { refresh(&*store, &presented, 10).await })
            })
            .collect();
        let (mut rotated, mut again, mut reused) = (0, 0, 0);
        for client in clients {
            match client.await.unwrap() {
                Refresh::Rotated(_) => rotated += 1,
                Refresh::Again(_) => again += 1,
                Refresh::Reused(_) => reused += 1,
                other => panic!("{other:?}"),
            }
        }
        let expected = if retry_within > 0 { (1, 7, 0) } else { (1, 0, 7) };
        assert_eq!((rotated, again, reused), expected);
        let next = refresh(&*stores[1], &exchange(first + 1, first + 100), 20).await;
        assert_eq!(matches!(next, Refresh::Rotated(_)), retry_within > 0, "{next:?}");
    }
}

/// RFC 6749 section 10.4, RFC 9449 section 5, RFC 8705 section 4.
pub async fn a72_a_refresh_token_is_bound_to_its_client_and_key(world: &dyn AccountWorld) {
    let (store, reader) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    let (key, other) = (ConfirmationMethod::KeyThumbprint([1; 32]), ConfirmationMethod::KeyThumbprint([2; 32]));
    // The same bytes are another thing.
    let certificate = ConfirmationMethod::CertificateThumbprint([1; 32]);
    for (number, confirmation) in [(11, vec![certificate]), (21, vec![certificate, other])] {
        let bound = RefreshFamily { confirmation: confirmation.clone(), ..family(number) };
        add(&*store, &bound).await;
        assert_eq!(reader.refresh_family(&[number; 32]).await.unwrap(), Some((bound, 1)));
        let with = |confirmation| PresentedRefreshToken { confirmation, ..exchange(number, number + 1) };
        assert_eq!(refresh(&*store, &with(vec![key, other]), 10).await, Refresh::OtherKey);
        assert_eq!(refresh(&*store, &with(Vec::new()), 10).await, Refresh::OtherKey);
        assert!(matches!(refresh(&*store, &with(confirmation), 10).await, Refresh::Rotated(_)));
    }
    add(&*store, &RefreshFamily { confirmation: vec![key], ..family(1) }).await;
    let with = |client_id: &str, method: Option<ConfirmationMethod>| {
        let (client_id, confirmation) = (client_id.to_owned(), method.into_iter().collect());
        PresentedRefreshToken { client_id, confirmation, ..exchange(1, 2) }
    };
    assert_eq!(refresh(&*store, &with("c2", Some(key)), 10).await, Refresh::Unknown);
    assert_eq!(refresh(&*store, &with("c1", None), 10).await, Refresh::OtherKey);
    assert_eq!(refresh(&*store, &with("c1", Some(other)), 10).await, Refresh::OtherKey);
    assert!(matches!(refresh(&*store, &with("c1", Some(key)), 10).await, Refresh::Rotated(_)));
    assert_eq!(refresh(&*store, &with("c2", Some(key)), 10).await, Refresh::Unknown, "nor is it ended by another");
    assert_eq!(refresh(&*store, &exchange(8, 9), 10).await, Refresh::Unknown);
}

pub async fn a71_refresh_tokens_end_with_their_session_user_and_consent(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    store.add_login_session(&session(2, 1), 0, 10, &audit()).await.unwrap();
    let of_second = RefreshFamily { session_id: "s2".into(), ..family(2) };
    add(&*store, &RefreshFamily { is_offline: true, ..family(1) }).await;
    add(&*store, &of_second).await;
    store.end_login_session("u1", "s1", &audit()).await.unwrap();
    assert_eq!(refresh(&*other, &exchange(1, 11), 10).await, Refresh::Unknown, "a logout ends an offline one too");
    assert!(matches!(refresh(&*other, &exchange(2, 12), 10).await, Refresh::Rotated(_)), "another login's");
    let refused = store.add_refresh_family(&family(3), &[3; 32], &granted("token-3"), 10).await.unwrap_err();
    assert_eq!(refused.code(), "changed", "its session has ended");

    let consent = Consent { user_id: "u1".into(), client_id: "c1".into(), scopes: "read:sites".into(), granted_at: 1 };
    store.add_consent(&consent, &audit()).await.unwrap();
    assert!(other.revoke_consent("u1", "c1", &audit()).await.unwrap());
    assert_eq!(refresh(&*store, &exchange(12, 13), 10).await, Refresh::Ended);
    assert_eq!(
        store.tokens_granted("u1", "c1").await.unwrap(),
        ["token-2", "token-2-12"],
        "so that they can be revoked"
    );

    for (number, change) in [
        (3, UserChange::Disable { at: 1 }),
        (4, UserChange::Password { hash: "second".into() }),
        (5, UserChange::EndLogins),
        (6, UserChange::Remove),
    ] {
        let epoch = store.user_by_id("u1").await.unwrap().unwrap().epoch;
        // It expires before the change: the family is offline.
        store.add_login_session(&session(number, 1), epoch, 10, &audit()).await.unwrap();
        let session_id = format!("s{number}");
        add(&*store, &RefreshFamily { session_id: session_id.clone(), is_offline: true, ..family(number) }).await;
        store.add_login_session(&session(100 + number, 5_000), epoch, 10, &audit()).await.unwrap();
        assert_eq!(store.login_sessions_of("u1", 0).await.unwrap().len(), 1, "the other one is gone");
        let changed = other.change_user("u1", &change, &audit()).await.unwrap();
        assert!(changed.ended.contains(&session_id), "its access tokens are to be revoked: {change:?}");
        assert_eq!(refresh(&*store, &exchange(number, 50), 10).await, Refresh::Unknown, "{change:?}");
        if number == 3 {
            other.change_user("u1", &UserChange::Enable, &audit()).await.unwrap();
            assert_eq!(refresh(&*store, &exchange(number, 50), 10).await, Refresh::Unknown);
        }
    }
}

/// OpenID Connect Core 1.0 section 11.
pub async fn an_offline_family_alone_outlives_the_expiry_of_its_session(world: &dyn AccountWorld) {
    let store = world.open().await;
    log_in(&*store, &user("u1")).await;
    let long = |number| RefreshFamily { expires_at: 2_000, ends_at: 3_000, ..family(number) };
    add(&*store, &long(1)).await;
    add(&*store, &long(2)).await;
    add(&*store, &RefreshFamily { is_offline: true, ..long(3) }).await;
    let exchange = |from, to| PresentedRefreshToken { successor_expires_at: 2_500, ..exchange(from, to) };
    let rotated = refresh(&*store, &exchange(1, 11), 1_000).await;
    assert!(matches!(&rotated, Refresh::Rotated(family) if family.ends_at == 1_001), "with its session: {rotated:?}");
    assert_eq!(refresh(&*store, &exchange(2, 12), 1_001).await, Refresh::Expired);
    // The row of the session is gone.
    store.add_login_session(&session(2, 1_500), 0, 10, &audit()).await.unwrap();
    assert_eq!(refresh(&*store, &exchange(2, 12), 1_000).await, Refresh::Expired);
    let rotated = refresh(&*store, &exchange(3, 13), 1_999).await;
    assert!(matches!(&rotated, Refresh::Rotated(family) if family.ends_at == 3_000), "{rotated:?}");
    assert_eq!(refresh(&*store, &exchange(13, 14), 2_500).await, Refresh::Expired, "idle");
}

pub async fn a83_families_and_their_tokens_are_bounded_and_forgotten(world: &dyn AccountWorld) {
    let store = world.open().await;
    log_in(&*store, &user("u1")).await;
    for number in 1..=3 {
        let made = RefreshFamily { created_at: i64::from(number), ..family(number) };
        store.add_refresh_family(&made, &[number; 32], &granted(&made.id), 2).await.unwrap();
    }
    let of_other = RefreshFamily { client_id: "c2".into(), ..family(4) };
    store.add_refresh_family(&of_other, &[4; 32], &granted("token-4"), 2).await.unwrap();
    assert_eq!(refresh(&*store, &exchange(1, 11), 10).await, Refresh::Ended, "the oldest");

    let bounded = |from, to| PresentedRefreshToken { max: 3, ..exchange(from, to) };
    assert!(matches!(refresh(&*store, &bounded(2, 21), 10).await, Refresh::Rotated(_)));
    assert!(matches!(refresh(&*store, &bounded(21, 22), 10).await, Refresh::Rotated(_)));
    assert_eq!(refresh(&*store, &bounded(22, 23), 10).await, Refresh::TooMany);
    // The first access token has expired.
    assert!(matches!(refresh(&*store, &bounded(22, 23), 101).await, Refresh::Rotated(_)));
    assert!(matches!(refresh(&*store, &bounded(23, 24), 110).await, Refresh::Rotated(_)));
    assert_eq!(refresh(&*store, &bounded(2, 21), 110).await, Refresh::Unknown, "three used ones are known");
    assert!(matches!(refresh(&*store, &bounded(21, 22), 110).await, Refresh::Reused(_)));

    store.forget_refresh_families(99).await.unwrap();
    assert!(store.refresh_family(&[1; 32]).await.unwrap().is_some(), "its access token can be revoked");
    store.forget_refresh_families(100).await.unwrap();
    assert_eq!(store.refresh_family(&[1; 32]).await.unwrap(), None, "it has ended");
    assert!(store.refresh_family(&[3; 32]).await.unwrap().is_some());
    store.forget_refresh_families(200).await.unwrap();
    assert_eq!(store.refresh_family(&[3; 32]).await.unwrap(), None, "it has expired");
}

/// RFC 6749 section 4.1.2.
pub async fn a70_a_family_is_ended_by_the_id_that_its_code_names(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    store.add_code(&code(1), 1_000).await.unwrap();
    store.redeem_code(&presented(1), 5).await.unwrap();
    add(&*store, &RefreshFamily { id: code(1).token_id, ..family(1) }).await;
    assert!(matches!(refresh(&*store, &exchange(1, 2), 10).await, Refresh::Rotated(_)));
    assert_eq!(other.tokens_granted("u1", "c1").await.unwrap(), ["token-1", "token-1-2"], "each once");
    assert!(other.end_refresh_family(&code(1).token_id, &audit()).await.unwrap());
    assert!(!other.end_refresh_family(&code(1).token_id, &audit()).await.unwrap());
    assert!(!other.end_refresh_family("token-9", &audit()).await.unwrap());
    assert_eq!(refresh(&*store, &exchange(2, 3), 10).await, Refresh::Ended);
}

async fn add(store: &dyn AccountStore, family: &RefreshFamily) {
    let digest = family.id.trim_start_matches("token-").parse().unwrap();
    store.add_refresh_family(family, &[digest; 32], &granted(&family.id), 100).await.unwrap();
}

async fn refresh(store: &dyn AccountStore, presented: &PresentedRefreshToken, now: i64) -> Refresh {
    store.refresh(presented, &audit(), now).await.unwrap()
}

fn granted(id: &str) -> GrantedToken {
    GrantedToken { id: id.into(), expires_at: 100 }
}

/// Of the session 1, whose first token has that number as its digest.
fn family(number: u8) -> RefreshFamily {
    RefreshFamily {
        id: format!("token-{number}"),
        client_id: "c1".into(),
        user_id: "u1".into(),
        session_id: "s1".into(),
        scope: "read:sites read:reports".into(),
        is_offline: false,
        confirmation: Vec::new(),
        successor_key: SuccessorKey::new([number; 32]),
        number: 1,
        authenticated_at: 1,
        created_at: 5,
        rotated_at: 5,
        expires_at: 200,
        ends_at: 1_000,
        is_ended: false,
    }
}

/// As it is returned: it ends with its session at the latest, which is later here.
fn of_session(family: RefreshFamily) -> RefreshFamily {
    RefreshFamily { ends_at: family.ends_at.min(1_001), ..family }
}

fn exchange(from: u8, to: u8) -> PresentedRefreshToken {
    PresentedRefreshToken {
        digest: [from; 32],
        client_id: "c1".into(),
        confirmation: Vec::new(),
        is_scope_granted: true,
        retry_within: 0,
        successor: [to; 32],
        successor_expires_at: 200 + i64::from(to),
        token: GrantedToken { id: format!("token-{from}-{to}"), expires_at: 110 },
        max: 100,
    }
}
