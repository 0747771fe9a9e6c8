use super::World;
use super::accounts::{AccountWorld, site, user};
use super::sample::{add, audit, id};
use crate::error::StorageError;
use crate::write_gate::WriteGate;

pub async fn a78_what_was_given_up_is_not_written(world: &dyn World) {
    let store = world.open().await;
    let gate = WriteGate::default();
    assert!(gate.close());
    let refused = gate.scope(store.run(add(1))).await.unwrap_err();
    assert!(matches!(refused, StorageError::Busy), "{refused}");
    assert_eq!(store.key(&id(1)).await.unwrap(), None);
    let gate = WriteGate::default();
    gate.scope(store.run(add(1))).await.unwrap();
    assert!(gate.may_have_written() && !gate.close());
    assert!(store.key(&id(1)).await.unwrap().is_some());
}

pub async fn a78_what_was_given_up_changes_no_account(world: &dyn AccountWorld) {
    let store = world.open().await;
    store.add_user(&user("u1"), "", &audit()).await.unwrap();
    let gate = WriteGate::default();
    assert!(gate.close());
    let (site, record) = (site("s1", "u1", 1), audit());
    let refused = gate.scope(store.add_site(&site, 10, &record)).await.unwrap_err();
    assert!(matches!(refused, StorageError::Busy), "{refused}");
    assert_eq!(store.sites_of("u1", 10).await.unwrap(), []);
    // A write that fails by itself has changed nothing either.
    let gate = WriteGate::default();
    gate.scope(store.add_user(&user("u1"), "", &audit())).await.unwrap_err();
    assert!(gate.close());
    let gate = WriteGate::default();
    gate.scope(store.add_site(&site, 10, &record)).await.unwrap();
    assert!(gate.may_have_written() && !gate.close());
}
