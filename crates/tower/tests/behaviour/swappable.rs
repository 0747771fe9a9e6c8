//! A layer whose engine is replaced while it answers.

use http::Request;
use tollgate::{AcceptedCredentials, ApiKeyTable, Engine, KeyFormat, PrincipalKind};
use tollgate_tower::{AuthLayer, LayerError, SwappableEngine};
use tower_layer::Layer;

use crate::support::{Fixture, answer};

#[tokio::test]
async fn requests_that_begin_after_a_swap_are_decided_by_the_new_engine() {
    let (old, new) = (Fixture::new(), Fixture::new());
    let engine = SwappableEngine::new(old.engine.clone());
    let layer = AuthLayer::swappable(engine.clone());
    let by = |fixture: &Fixture| Request::get("/").header("authorization", fixture.bearer());
    assert_eq!(answer(&layer, by(&old)).await.status(), 200);
    assert_eq!(answer(&layer, by(&new)).await.status(), 401);
    let before = engine.swap(new.engine.clone());
    assert!(std::sync::Arc::ptr_eq(&before, &old.engine) && std::sync::Arc::ptr_eq(&engine.current(), &new.engine));
    assert_eq!(answer(&layer, by(&old)).await.status(), 401);
    assert_eq!(answer(&layer, by(&new)).await.status(), 200);
}

#[test]
fn what_no_engine_of_now_accepts_is_refused() {
    let table = ApiKeyTable::new(KeyFormat::new("tg", "test").unwrap());
    let keys = AcceptedCredentials::only([PrincipalKind::ApiKey]);
    let engine = SwappableEngine::new(Engine::builder().api_keys(table).accept(keys).build().unwrap());
    let refused = AuthLayer::swappable(engine.clone()).accept(AcceptedCredentials::only([PrincipalKind::Jwt]));
    assert_eq!(refused.err(), Some(LayerError::NothingAccepted));
    let _ = AuthLayer::swappable(engine).layer(());
}
