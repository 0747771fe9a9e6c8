use super::accounts::{AccountWorld, log_in, user};
use super::sample::audit;
use crate::account_store::AccountStore;
use crate::accounts::{Consent, DeviceApproval, DeviceAuthorization, DeviceDecision, DevicePoll, UserChange};
use crate::error::{Refusal, StorageError};

/// RFC 8628 sections 3.1 to 3.5.
pub async fn a_device_gets_its_approval_once_even_from_two_processes_at_once(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    add(&*store, &asked(1)).await;
    assert_eq!(other.device_authorization(&[101; 32], 99).await.unwrap(), Some(asked(1)));
    assert_eq!(other.device_authorization(&[101; 32], 100).await.unwrap(), None, "it has expired");
    assert_eq!(other.device_authorization(&[1; 32], 1).await.unwrap(), None, "the digest of the other code");
    assert_eq!(poll(&*other, 1, 1).await, DevicePoll::Pending);
    let approval = approved("s1");
    let (first, second) = tokio::join!(decide(&*store, 1, &approval), decide(&*other, 1, &approval));
    assert!(first != second, "decided once");
    assert!(!decide(&*store, 1, &DeviceDecision::Denied).await);
    assert_eq!(store.device_authorization(&[101; 32], 2).await.unwrap(), None);

    assert_eq!(
        store.poll_device_authorization(&[1; 32], "c2", 2).await.unwrap(),
        DevicePoll::Unknown,
        "another client"
    );
    let (first, second) = tokio::join!(poll(&*store, 1, 2), poll(&*other, 1, 2));
    let polls = [first, second];
    let DevicePoll::First(found, approval) = polls.iter().find(|poll| **poll != DevicePoll::Used).unwrap() else {
        panic!("{polls:?}");
    };
    assert!(polls.contains(&DevicePoll::Used));
    assert_eq!((found.scope.as_str(), approval), ("a", &approval_in("s1")), "the scope granted");
    assert_eq!(store.tokens_granted("u1", "c1").await.unwrap(), ["token"]);
    let notices = store.end_login_session("u1", "s1", &audit()).await.unwrap();
    assert!(notices);
    let told = store.claim_logout_notices(10, 10, 2, 10).await.unwrap();
    assert_eq!(told.iter().map(|notice| notice.client_id.as_str()).collect::<Vec<_>>(), ["c1"]);
}

/// RFC 8628 section 3.5, `slow_down`.
pub async fn a_device_that_polls_too_soon_has_to_wait_longer_each_time(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    let long = DeviceAuthorization { expires_at: 100_000, ..asked(1) };
    add(&*store, &long).await;
    assert_eq!(poll(&*store, 1, 10).await, DevicePoll::Pending);
    assert_eq!(poll(&*other, 1, 14).await, DevicePoll::TooSoon, "five seconds");
    assert_eq!(poll(&*store, 1, 23).await, DevicePoll::TooSoon, "ten");
    assert_eq!(poll(&*other, 1, 38).await, DevicePoll::Pending, "fifteen");
    for _ in 0..20 {
        assert_eq!(poll(&*store, 1, 38).await, DevicePoll::TooSoon);
    }
    assert_eq!(poll(&*store, 1, 38 + DeviceAuthorization::MAX_INTERVAL).await, DevicePoll::Pending, "no further");
}

pub async fn a_device_gets_nothing_when_it_is_denied_or_too_late(world: &dyn AccountWorld) {
    let store = world.open().await;
    log_in(&*store, &user("u1")).await;
    for number in 1..=3 {
        add(&*store, &asked(number)).await;
    }
    assert!(decide(&*store, 1, &DeviceDecision::Denied).await);
    assert_eq!(poll(&*store, 1, 2).await, DevicePoll::Denied);
    assert!(decide(&*store, 2, &approved("s1")).await);
    assert_eq!(poll(&*store, 2, 100).await, DevicePoll::Expired);
    let late = store.decide_device_authorization(&[103; 32], &approved("s1"), "a", 100, &[audit()]).await.unwrap();
    assert!(!late);
    let consents = store.consents_of("u1").await.unwrap();
    let clients: Vec<_> =
        consents.iter().map(|consent| (consent.client_id.as_str(), consent.scopes.as_str())).collect();
    assert_eq!(clients, [("c1", "a")], "of the approval alone");
    assert!(store.revoke_consent("u1", "c1", &audit()).await.unwrap());
    assert!(!store.decide_device_authorization(&[103; 32], &approved("s1"), "a", 100, &[audit()]).await.unwrap());
    assert_eq!(store.consents_of("u1").await.unwrap(), [], "none without an approval");
    assert_eq!(poll(&*store, 3, 100).await, DevicePoll::Expired);
    assert_eq!(poll(&*store, 9, 2).await, DevicePoll::Unknown);
}

pub async fn a71_an_approval_of_a_device_ends_with_its_login_session_and_its_consent(world: &dyn AccountWorld) {
    let store = world.open().await;
    log_in(&*store, &user("u1")).await;
    for number in 1..=3 {
        add(&*store, &asked(number)).await;
    }
    assert!(!decide(&*store, 1, &approved("s9")).await, "no such session");
    assert!(decide(&*store, 1, &approved("s1")).await);
    let consent = Consent { user_id: "u1".into(), client_id: "c1".into(), scopes: "a".into(), granted_at: 1 };
    store.add_consent(&consent, &audit()).await.unwrap();
    assert!(store.revoke_consent("u1", "c1", &audit()).await.unwrap());
    assert_eq!(poll(&*store, 1, 2).await, DevicePoll::Unknown);
    assert!(decide(&*store, 2, &approved("s1")).await);
    store.change_user("u1", &UserChange::Disable { at: 9 }, &audit()).await.unwrap();
    assert_eq!(poll(&*store, 2, 2).await, DevicePoll::Denied);
    assert!(!decide(&*store, 3, &approved("s1")).await);
}

pub async fn a83_a_client_and_all_clients_have_at_most_so_many_device_authorizations(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    let of = |number: u8, client_id: &str| DeviceAuthorization { client_id: client_id.into(), ..asked(number) };
    let (adds, others): (Vec<_>, Vec<_>) =
        ((1..=4).map(|n| of(n, "c1")).collect(), (5..=8).map(|n| of(n, "c1")).collect());
    let (first, second) = tokio::join!(added(&*store, &adds), added(&*other, &others));
    assert_eq!(first + second, 2, "whoever adds at once");
    assert_eq!(added(&*store, &[of(9, "c2"), of(10, "c3")]).await, 1, "three of all");
    let refused = store.add_device_authorization(&of(11, "c3"), 2, 3, 1_000).await.unwrap_err();
    assert!(matches!(refused, StorageError::Refused(Refusal::TooMany { max: 3 })), "{refused}");
    // Those there were have expired.
    let later = |number: u8| DeviceAuthorization { created_at: 100, expires_at: 200, ..of(number, "c1") };
    assert_eq!(added(&*store, &[later(12), later(13), later(14)]).await, 2);
    let of_another = async |now| store.poll_device_authorization(&[9; 32], "c2", now).await.unwrap();
    assert_eq!(of_another(150).await, DevicePoll::Expired, "kept as long again, so that its device is told");
    let forgetting = DeviceAuthorization { created_at: 201, expires_at: 301, ..of(15, "c1") };
    add(&*store, &forgetting).await;
    assert_eq!(of_another(202).await, DevicePoll::Unknown);
    let twin = DeviceAuthorization { device_digest: [77; 32], ..forgetting };
    let refused = store.add_device_authorization(&twin, 10, 10, 1_000).await.unwrap_err();
    assert!(matches!(refused, StorageError::Refused(Refusal::AlreadyExists { .. })), "one user code: {refused}");
}

/// Of the client `c1`, from 0 to 100.
fn asked(number: u8) -> DeviceAuthorization {
    DeviceAuthorization {
        device_digest: [number; 32],
        user_digest: [100 + number; 32],
        client_id: "c1".into(),
        scope: "a b".into(),
        created_at: 0,
        expires_at: 100,
        interval: 5,
        polled_at: None,
        decision: None,
    }
}

fn approval_in(session_id: &str) -> DeviceApproval {
    DeviceApproval { user_id: "u1".into(), session_id: session_id.into(), token_id: "token".into() }
}

fn approved(session_id: &str) -> DeviceDecision {
    DeviceDecision::Approved(approval_in(session_id))
}

async fn add(store: &dyn AccountStore, authorization: &DeviceAuthorization) {
    store.add_device_authorization(authorization, 10, 10, 1_000).await.unwrap();
}

/// How many of these are added, where a client may have two and all may have three.
async fn added(store: &dyn AccountStore, authorizations: &[DeviceAuthorization]) -> usize {
    let mut added = 0;
    for authorization in authorizations {
        added += usize::from(store.add_device_authorization(authorization, 2, 3, 1_000).await.is_ok());
    }
    added
}

async fn decide(store: &dyn AccountStore, number: u8, decision: &DeviceDecision) -> bool {
    store.decide_device_authorization(&[100 + number; 32], decision, "a", 2, &[audit()]).await.unwrap()
}

async fn poll(store: &dyn AccountStore, number: u8, now: i64) -> DevicePoll {
    store.poll_device_authorization(&[number; 32], "c1", now).await.unwrap()
}
