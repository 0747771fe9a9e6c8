use super::accounts::{AccountWorld, user};
use super::sample::audit;
use crate::accounts::KnownDevice;
use crate::audit::{AuditFilter, AuditRecord};

pub async fn a74_a_device_is_known_for_its_user_until_it_expires(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    store.add_user(&user("u1"), "", &audit()).await.unwrap();
    store.add_user(&user("u2"), "", &audit()).await.unwrap();
    store.add_known_device(&device(1, "u1", 1), 10, &audit()).await.unwrap();
    assert!(other.is_known_device("u1", &[1; 32], 100).await.unwrap());
    assert!(!other.is_known_device("u1", &[1; 32], 101).await.unwrap(), "expired");
    assert!(!other.is_known_device("u1", &[2; 32], 1).await.unwrap());
    assert!(!other.is_known_device("u2", &[1; 32], 1).await.unwrap(), "another's");
    // One browser of two users, and a second login.
    other.add_known_device(&device(1, "u2", 2), 10, &audit()).await.unwrap();
    other.add_known_device(&device(1, "u1", 50), 10, &audit()).await.unwrap();
    assert!(store.is_known_device("u2", &[1; 32], 101).await.unwrap());
    assert!(store.is_known_device("u1", &[1; 32], 149).await.unwrap());
    assert_eq!(store.add_known_device(&device(1, "u3", 1), 10, &audit()).await.unwrap_err().code(), "changed");
}

pub async fn a83_a_user_has_at_most_so_many_known_devices(world: &dyn AccountWorld) {
    let store = world.open().await;
    store.add_user(&user("u1"), "", &audit()).await.unwrap();
    store.add_user(&user("u2"), "", &audit()).await.unwrap();
    store.add_known_device(&device(9, "u2", 1), 2, &audit()).await.unwrap();
    for (number, last_login_at) in [(1, 3), (2, 1), (3, 2)] {
        store.add_known_device(&device(number, "u1", last_login_at), 2, &audit()).await.unwrap();
    }
    let mut known = Vec::new();
    for number in 1..=3 {
        known.push(store.is_known_device("u1", &[number; 32], 3).await.unwrap());
    }
    assert_eq!(known, [true, false, true], "the oldest login was forgotten");
    assert!(store.is_known_device("u2", &[9; 32], 3).await.unwrap());
}

pub async fn a_device_is_written_down_when_it_is_new(world: &dyn AccountWorld) {
    let store = world.open().await;
    let done: [AuditRecord; 3] = std::array::from_fn(|_| audit());
    store.add_user(&user("u1"), "", &done[0]).await.unwrap();
    store.add_known_device(&device(1, "u1", 1), 10, &done[1]).await.unwrap();
    store.add_known_device(&device(1, "u1", 2), 10, &audit()).await.unwrap();
    store.add_known_device(&device(1, "u2", 2), 10, &audit()).await.unwrap_err();
    store.add_known_device(&device(2, "u1", 3), 10, &done[2]).await.unwrap();
    let mut done = done.to_vec();
    done.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(store.audit(&AuditFilter::default(), None, 100).await.unwrap(), done);
}

fn device(number: u8, user_id: &str, last_login_at: i64) -> KnownDevice {
    KnownDevice { digest: [number; 32], user_id: user_id.into(), last_login_at, expires_at: last_login_at + 100 }
}
