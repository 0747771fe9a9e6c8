use super::accounts::AccountWorld;
use crate::accounts::PushedRequest;
use crate::error::{Refusal, StorageError};
use std::sync::Arc;

pub async fn a_pushed_request_is_begun_once_by_its_client_and_ended_once(world: &dyn AccountWorld) {
    let (store, other) = (world.open().await, world.open().await);
    store.add_pushed_request(&pushed(1, "c1"), 1, 10).await.unwrap();
    let parameters = Some("state=a".to_owned());
    let begin = async |digest: u8, client_id: &str, now| {
        other.begin_pushed_request(&[digest; 32], client_id, &[101; 32], 500, now).await.unwrap()
    };
    assert_eq!(begin(1, "c2", 1).await, None, "another client's");
    assert_eq!(begin(2, "c1", 1).await, None, "unknown");
    assert_eq!(begin(1, "c1", 100).await, None, "expired");
    assert_eq!(store.begun_request(&[1; 32], "c1", 1).await.unwrap(), None, "not begun");
    assert!(!store.end_pushed_request(&[1; 32], "c1", 1).await.unwrap(), "not begun");
    assert_eq!(begin(1, "c1", 99).await, parameters);
    assert_eq!(begin(1, "c1", 99).await, None, "begun before");
    assert_eq!(begin(101, "c1", 99).await, None, "begun before");
    // From then on the request has another digest, and a later end.
    assert_eq!(store.begun_request(&[101; 32], "c1", 499).await.unwrap(), parameters);
    assert_eq!(store.begun_request(&[101; 32], "c2", 99).await.unwrap(), None, "another client's");
    assert_eq!(store.begun_request(&[101; 32], "c1", 500).await.unwrap(), None, "expired");
    assert!(!store.end_pushed_request(&[101; 32], "c2", 99).await.unwrap(), "another client's");
    assert!(!store.end_pushed_request(&[101; 32], "c1", 500).await.unwrap(), "expired");
    assert!(other.end_pushed_request(&[101; 32], "c1", 499).await.unwrap());
    assert!(!store.end_pushed_request(&[101; 32], "c1", 499).await.unwrap());
    assert_eq!(store.begun_request(&[101; 32], "c1", 99).await.unwrap(), None);
}

pub async fn a_pushed_request_is_begun_by_one_of_many_at_once(world: &dyn AccountWorld) {
    let stores = [world.open().await, world.open().await];
    for round in 0..10_u8 {
        stores[0].add_pushed_request(&pushed(round, "c1"), 1, 100).await.unwrap();
        let beginners: Vec<_> = (0..4_u8)
            .map(|index| {
                let store = Arc::clone(&stores[usize::from(index % 2)]);
                let next = [100 + 4 * round + index; 32];
                tokio::spawn(
                    async move { store.begin_pushed_request(&[round; 32], "c1", &next, 500, 1).await.unwrap() },
                )
            })
            .collect();
        let mut begun = 0;
        for beginner in beginners {
            begun += u8::from(beginner.await.unwrap().is_some());
        }
        assert_eq!(begun, 1);
    }
}

pub async fn a83_a_client_has_at_most_so_many_pushed_requests(world: &dyn AccountWorld) {
    let store = world.open().await;
    for number in 1..=2 {
        store.add_pushed_request(&pushed(number, "c1"), 1, 2).await.unwrap();
    }
    let refused = store.add_pushed_request(&pushed(3, "c1"), 1, 2).await.unwrap_err();
    assert!(matches!(refused, StorageError::Refused(Refusal::TooMany { max: 2 })), "{refused}");
    store.add_pushed_request(&pushed(3, "c2"), 1, 2).await.unwrap();
    // The earlier ones have expired by then, and are removed.
    let later = PushedRequest { expires_at: 200, ..pushed(1, "c1") };
    store.add_pushed_request(&later, 100, 2).await.unwrap();
}

fn pushed(digest: u8, client_id: &str) -> PushedRequest {
    PushedRequest { digest: [digest; 32], client_id: client_id.into(), parameters: "state=a".into(), expires_at: 100 }
}
