use super::accounts::{AccountWorld, code, log_in, presented, user};
use super::sample::audit;
use crate::accounts::{AuthorizationCode, Consent, KnownDevice, PresentedCode, Redemption, UserChange};
use std::sync::Arc;

pub async fn consents_are_remembered_per_user_and_client_and_add_up(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    store.add_user(&user("u1"), "", &audit()).await.unwrap();
    store.add_user(&user("u2"), "", &audit()).await.unwrap();
    assert_eq!(store.consent("u1", "c1").await.unwrap(), None);
    store.add_consent(&consent("u1", "c1", "b a", 1), &audit()).await.unwrap();
    assert_eq!(other.consent("u1", "c1").await.unwrap(), Some(consent("u1", "c1", "b a", 1)));
    other.add_consent(&consent("u1", "c1", "a c", 2), &audit()).await.unwrap();
    assert_eq!(store.consent("u1", "c1").await.unwrap(), Some(consent("u1", "c1", "b a c", 2)));
    store.add_consent(&consent("u1", "C0", "a", 3), &audit()).await.unwrap();
    store.add_consent(&consent("u2", "c1", "z", 3), &audit()).await.unwrap();
    let all = [consent("u1", "C0", "a", 3), consent("u1", "c1", "b a c", 2)];
    assert_eq!(other.consents_of("u1").await.unwrap(), all);
    assert_eq!(other.consents_of("u3").await.unwrap(), []);
    let nobody = store.add_consent(&consent("u3", "c1", "a", 1), &audit()).await.unwrap_err();
    assert_eq!(nobody.code(), "changed");
}

pub async fn consents_that_are_given_at_once_all_count(world: &dyn AccountWorld) {
    let stores = [world.open().await, world.open().await];
    stores[0].add_user(&user("u1"), "", &audit()).await.unwrap();
    let givers: Vec<_> = (0..8)
        .map(|number| {
            let store = Arc::clone(&stores[number % 2]);
            let given = consent("u1", "c1", &format!("s{number}"), 1);
            tokio::spawn(async move { store.add_consent(&given, &audit()).await.unwrap() })
        })
        .collect();
    for giver in givers {
        giver.await.unwrap();
    }
    let all = stores[0].consent("u1", "c1").await.unwrap().unwrap();
    assert!(all.covers("s0 s1 s2 s3 s4 s5 s6 s7"), "{all:?}");
}

pub async fn a71_a_consent_that_is_revoked_takes_its_unused_codes_along_and_names_its_tokens(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    log_in(&*store, &user("u1")).await;
    store.add_consent(&consent("u1", "c1", "a", 1), &audit()).await.unwrap();
    store.add_consent(&consent("u1", "c2", "a", 1), &audit()).await.unwrap();
    for number in 1..=2 {
        store.add_code(&code(number), 1_000).await.unwrap();
    }
    store.add_code(&AuthorizationCode { client_id: "c2".into(), ..code(3) }, 1_000).await.unwrap();
    assert_eq!(store.tokens_granted("u1", "c1").await.unwrap(), Vec::<String>::new());
    store.redeem_code(&presented(1), 50).await.unwrap();
    assert_eq!(other.tokens_granted("u1", "c1").await.unwrap(), ["token-1"]);
    assert_eq!(other.tokens_granted("u2", "c1").await.unwrap(), Vec::<String>::new());
    assert!(other.revoke_consent("u1", "c1", &audit()).await.unwrap());
    assert!(!other.revoke_consent("u1", "c1", &audit()).await.unwrap());
    assert_eq!(store.consents_of("u1").await.unwrap(), [consent("u1", "c2", "a", 1)]);
    assert_eq!(store.redeem_code(&presented(2), 50).await.unwrap(), Redemption::Unknown);
    assert_eq!(store.redeem_code(&presented(1), 50).await.unwrap(), Redemption::Again(code(1)));
    assert_eq!(store.tokens_granted("u1", "c1").await.unwrap(), ["token-1"], "so that they can be revoked");
    let of_other = PresentedCode { client_id: "c2".into(), ..presented(3) };
    assert!(matches!(store.redeem_code(&of_other, 50).await.unwrap(), Redemption::First(_)), "another client's");
    // A code that was in flight when the consent was revoked.
    store.add_code(&code(4), 1_000).await.unwrap();
    assert!(!store.revoke_consent("u1", "c1", &audit()).await.unwrap());
    assert_eq!(store.redeem_code(&presented(4), 50).await.unwrap(), Redemption::Unknown);
}

pub async fn a_user_who_is_removed_takes_consents_and_devices_along(world: &dyn AccountWorld) {
    let store = world.open().await;
    store.add_user(&user("u1"), "", &audit()).await.unwrap();
    store.add_consent(&consent("u1", "c1", "a", 1), &audit()).await.unwrap();
    let device = KnownDevice { digest: [1; 32], user_id: "u1".into(), last_login_at: 1, expires_at: 100 };
    store.add_known_device(&device, 10, &audit()).await.unwrap();
    store.change_user("u1", &UserChange::Password { hash: "second".into() }, &audit()).await.unwrap();
    assert!(store.consent("u1", "c1").await.unwrap().is_some());
    assert!(store.is_known_device("u1", &[1; 32], 1).await.unwrap());
    store.change_user("u1", &UserChange::Remove, &audit()).await.unwrap();
    assert_eq!(store.consent("u1", "c1").await.unwrap(), None);
    assert!(!store.is_known_device("u1", &[1; 32], 1).await.unwrap());
}

fn consent(user_id: &str, client_id: &str, scopes: &str, granted_at: i64) -> Consent {
    Consent { user_id: user_id.into(), client_id: client_id.into(), scopes: scopes.into(), granted_at }
}
