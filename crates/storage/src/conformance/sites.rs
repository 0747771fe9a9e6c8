use super::accounts::{AccountWorld, site, user};
use super::sample::audit;
use crate::accounts::Site;
use crate::audit::{AuditFilter, AuditRecord};
use crate::error::{Refusal, StorageError};
use std::sync::Arc;

pub async fn a_site_is_added_renamed_and_removed_by_its_user_alone(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    store.add_user(&user("u1"), "", &audit()).await.unwrap();
    store.add_user(&user("u2"), "", &audit()).await.unwrap();
    store.add_site(&site("s1", "u1", 1), 10, &audit()).await.unwrap();
    let taken = store.add_site(&site("s1", "u2", 1), 10, &audit()).await.unwrap_err();
    assert!(matches!(taken, StorageError::Refused(Refusal::AlreadyExists { what: "site" })), "{taken}");
    let nobody = store.add_site(&site("s2", "u3", 1), 10, &audit()).await.unwrap_err();
    assert!(matches!(nobody, StorageError::Refused(Refusal::Changed { what: "user" })), "{nobody}");
    assert!(other.rename_site("u1", "s1", "Work", &audit()).await.unwrap());
    let renamed = Site { name: "Work".into(), ..site("s1", "u1", 1) };
    assert_eq!(store.sites_of("u1", 10).await.unwrap(), [renamed]);
    for (user_id, id) in [("u2", "s1"), ("u1", "s2"), ("u1", "s\0"), ("u3", "s1")] {
        assert!(!store.rename_site(user_id, id, "Theirs", &audit()).await.unwrap(), "{user_id} {id}");
        assert!(!store.remove_site(user_id, id, &audit()).await.unwrap(), "{user_id} {id}");
    }
    assert!(store.remove_site("u1", "s1", &audit()).await.unwrap());
    assert!(!other.remove_site("u1", "s1", &audit()).await.unwrap());
    assert_eq!(other.sites_of("u1", 10).await.unwrap(), []);
}

pub async fn a_change_of_a_site_is_written_down_with_it_and_a_refused_one_is_not(world: &dyn AccountWorld) {
    let store = world.open().await;
    let done: [AuditRecord; 4] = std::array::from_fn(|_| audit());
    store.add_user(&user("u1"), "", &done[0]).await.unwrap();
    store.add_site(&site("s1", "u1", 1), 1, &done[1]).await.unwrap();
    store.add_site(&site("s2", "u1", 1), 1, &audit()).await.unwrap_err();
    store.add_site(&site("s2", "u2", 1), 1, &audit()).await.unwrap_err();
    assert!(store.rename_site("u1", "s1", "Work", &done[2]).await.unwrap());
    assert!(!store.rename_site("u1", "s2", "Work", &audit()).await.unwrap());
    assert!(store.remove_site("u1", "s1", &done[3]).await.unwrap());
    assert!(!store.remove_site("u1", "s1", &audit()).await.unwrap());
    let mut done = done.to_vec();
    done.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(store.audit(&AuditFilter::default(), None, 100).await.unwrap(), done);
}

pub async fn a83_a_user_has_at_most_so_many_sites_whoever_adds_at_once(world: &dyn AccountWorld) {
    let stores = [world.open().await, world.open().await];
    stores[0].add_user(&user("u1"), "", &audit()).await.unwrap();
    stores[0].add_user(&user("u2"), "", &audit()).await.unwrap();
    stores[0].add_site(&site("other", "u2", 1), 1, &audit()).await.unwrap();
    let adders: Vec<_> = (0..8)
        .map(|number| {
            let store = Arc::clone(&stores[number % 2]);
            let site = site(&format!("s{number}"), "u1", 1);
            tokio::spawn(async move { store.add_site(&site, 3, &audit()).await })
        })
        .collect();
    let mut refused = 0;
    for adder in adders {
        if let Err(error) = adder.await.unwrap() {
            assert!(matches!(error, StorageError::Refused(Refusal::TooMany { max: 3 })), "{error}");
            refused += 1;
        }
    }
    assert_eq!((refused, stores[0].sites_of("u1", 10).await.unwrap().len()), (5, 3));
}
