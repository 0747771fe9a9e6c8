//! The allocations of a layer for a known request: only the principal's entry in the request's extensions.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use allocation_counter::measure;
use http::{Request, Response};
use tollgate::{Algorithm, Engine, Principal, Source, Sources};
use tollgate_tests::{Draft, NOW, issuer, signing_key};
use tollgate_tower::AuthLayer;
use tower::{Layer, Service, service_fn};

fn served(_: Request<()>) -> Ready<Result<Response<()>, Infallible>> {
    ready(Ok(Response::new(())))
}

#[test]
fn a_warm_request_allocates_no_more_than_the_extension_of_its_principal() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = Arc::new(Engine::builder().issuer(issuer([&key])).clock(|| NOW).build().unwrap());
    let token = format!("Bearer {}", Draft::new(&key).sign(&key));
    let request = || Request::get("/").header("host", "a").header("authorization", &token).body(()).unwrap();
    let principal: Principal = engine.verify(&token).unwrap();
    let (mut bare, mut inserted) = (request(), Some(principal));
    let of_extension = measure(|| drop(bare.extensions_mut().insert(inserted.take().unwrap()))).count_total;

    let sources = Sources::new([
        Source::scheme("Token").unwrap(),
        Source::authorization(),
        Source::cookie("__Host-session").unwrap(),
        Source::api_key_field("x-api-key").unwrap(),
    ]);
    let plain = AuthLayer::new(engine.clone()).public_paths(["/healthz", "GET /docs/*"]).unwrap();
    let everywhere = AuthLayer::new(engine.clone()).sources(sources).unwrap().pass_preflights().observe(|_, _| ());
    for (name, layer) in [("plain", plain), ("everywhere", everywhere)] {
        let mut service = layer.layer(service_fn(served));
        // The thread's own cache grows when a token is seen for the second and third time.
        (0..4).for_each(|_| drop(service.call(request())));
        let mut next = Some(request());
        let counted = measure(|| drop(service.call(next.take().unwrap()))).count_total;
        assert_eq!(counted, of_extension, "{name}");
    }
}

#[cfg(feature = "remote")]
#[test]
fn a_layer_that_may_wait_allocates_no_more_either() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = Arc::new(Engine::builder().issuer(issuer([&key])).clock(|| NOW).build().unwrap());
    let token = format!("Bearer {}", Draft::new(&key).sign(&key));
    let request = || Request::get("/").header("authorization", &token).body(()).unwrap();
    let mut service = AuthLayer::new(engine.clone()).layer(service_fn(served));
    let mut waiting = AuthLayer::with_verifier(tollgate_remote::Verifier::new(engine)).layer(service_fn(served));
    (0..4).for_each(|_| drop((service.call(request()), waiting.call(request()))));
    let mut requests = [Some(request()), Some(request())];
    let at_once = measure(|| drop(service.call(requests[0].take().unwrap()))).count_total;
    let may_wait = measure(|| drop(waiting.call(requests[1].take().unwrap()))).count_total;
    assert_eq!(at_once, may_wait);
}
