use super::accounts::AccountWorld;
use crate::accounts::SpentJti;
use crate::error::{Refusal, StorageError};
use std::sync::Arc;

pub async fn a_jti_is_spent_once_even_by_two_processes_at_once(world: &dyn AccountWorld) {
    let stores = [world.open().await, world.open().await];
    for round in 0..10_u8 {
        let spenders: Vec<_> = (0..4)
            .map(|index| {
                let store = Arc::clone(&stores[index % 2]);
                tokio::spawn(async move { store.spend_jti(&jti("c1", round), 1, 100).await.unwrap() })
            })
            .collect();
        let mut spent = 0;
        for spender in spenders {
            spent += u8::from(spender.await.unwrap());
        }
        assert_eq!(spent, 1);
    }
    assert!(stores[0].spend_jti(&jti("c2", 0), 1, 100).await.unwrap(), "another owner's");
}

pub async fn a83_an_owner_has_at_most_so_many_spent_jtis(world: &dyn AccountWorld) {
    let store = world.open().await;
    for number in 1..=2 {
        assert!(store.spend_jti(&jti("c1", number), 1, 2).await.unwrap());
    }
    let refused = store.spend_jti(&jti("c1", 3), 1, 2).await.unwrap_err();
    assert!(matches!(refused, StorageError::Refused(Refusal::TooMany { max: 2 })), "{refused}");
    assert_eq!(store.spend_jti(&jti("c1", 3), 1, 2).await.unwrap_err().code(), "too-many");
    assert!(!store.spend_jti(&jti("c1", 2), 1, 2).await.unwrap());
    assert!(store.spend_jti(&jti("c2", 3), 1, 2).await.unwrap(), "each owner has its own share");
    // The earlier ones have expired by then, and are removed.
    let later = SpentJti { expires_at: 200, ..jti("c1", 1) };
    assert!(store.spend_jti(&later, 100, 2).await.unwrap());
    assert!(!store.spend_jti(&later, 100, 2).await.unwrap());
}

fn jti(owner: &str, number: u8) -> SpentJti {
    SpentJti { owner: owner.into(), digest: [number; 32], expires_at: 100 }
}
