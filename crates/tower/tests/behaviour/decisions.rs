//! The calls of the layers' observer, and layers that only report.

use std::sync::{Arc, Mutex};

use http::{Request, request};
use tollgate_tower::{AuthLayer, Decision, Require};
use tower::ServiceBuilder;

use crate::support::{Fixture, answer};

/// An observer, and the lines that it writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn observer(&self) -> impl Fn(Decision<'_>, &request::Parts) + Clone + Send + Sync + 'static {
        let lines = Arc::clone(&self.0);
        move |decision, request| {
            let decision = match decision {
                Decision::Accepted(principal) => format!("accepted {}", principal.subject().unwrap_or_default()),
                Decision::Anonymous => "anonymous".to_owned(),
                Decision::Rejected(rejection) => format!("rejected {}", rejection.code()),
                Decision::Tolerated(rejection) => format!("tolerated {}", rejection.code()),
                other => panic!("{other:?}"),
            };
            lines.lock().unwrap().push(format!("{} {} {decision}", request.method, request.uri.path()));
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn one_observer_is_told_what_each_layer_decides() {
    let (fixture, log) = (Fixture::new(), Log::default());
    let auth = AuthLayer::new(fixture.engine.clone()).optional().observe(log.observer());
    let scopes = Require::any_scope(["admin"]).unwrap().observe(log.observer());
    let stack = ServiceBuilder::new().layer(auth.clone()).layer(scopes).into_inner();
    answer(&auth, Request::get("/absent")).await;
    answer(&auth, Request::get("/good").header("authorization", fixture.bearer())).await;
    answer(&auth, Request::put("/expired").header("authorization", &fixture.expired)).await;
    assert_eq!(log.take(), ["GET /absent anonymous", "GET /good accepted user_7", "PUT /expired rejected expired"]);
    answer(&stack, Request::get("/nobody")).await;
    answer(&stack, Request::get("/lacks").header("authorization", fixture.bearer())).await;
    assert_eq!(
        log.take(),
        [
            "GET /nobody anonymous",
            "GET /nobody rejected missing-credential",
            "GET /lacks accepted user_7",
            "GET /lacks rejected insufficient-scope"
        ]
    );
}

#[tokio::test]
async fn a_layer_that_only_reports_lets_everything_pass_and_vouches_for_nobody() {
    let (fixture, log) = (Fixture::new(), Log::default());
    let auth = AuthLayer::new(fixture.engine.clone()).danger_report_only().observe(log.observer());
    for (authorization, subject) in [("Bearer x", "nobody"), (&fixture.expired, "nobody"), (&fixture.key, "user_7")] {
        let response = answer(&auth, Request::get("/").header("authorization", authorization)).await;
        assert_eq!((response.status().as_u16(), response.body().as_str()), (200, subject));
        assert!(!response.headers().contains_key("www-authenticate"));
    }
    assert_eq!(answer(&auth, Request::get("/")).await.status(), 200);
    let [malformed, expired, good, missing] = &log.take()[..] else { panic!() };
    assert!(malformed.starts_with("GET / tolerated "), "{malformed}");
    assert_eq!(
        [&**expired, good, missing],
        ["GET / tolerated expired", "GET / accepted user_7", "GET / tolerated missing-credential"]
    );
    let scopes = Require::scopes(["admin"]).unwrap();
    let strict = ServiceBuilder::new().layer(auth.clone()).layer(scopes.clone()).into_inner();
    assert_eq!(answer(&strict, Request::get("/")).await.status(), 401, "another layer is as strict as ever");
    let lax = scopes.danger_report_only().observe(log.observer());
    let lax = ServiceBuilder::new().layer(auth).layer(lax).into_inner();
    log.take();
    let response = answer(&lax, Request::get("/").header("authorization", &fixture.key)).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "user_7"));
    assert_eq!(log.take(), ["GET / accepted user_7", "GET / tolerated insufficient-scope"]);
}

#[tokio::test]
async fn a_layer_that_only_reports_takes_an_outer_principal_out() {
    let (outer, inner) = (Fixture::new(), Fixture::new());
    let outer_layer = AuthLayer::new(outer.engine.clone());
    let inner_layer = AuthLayer::new(inner.engine.clone()).danger_report_only();
    let stack = ServiceBuilder::new().layer(outer_layer).layer(inner_layer).into_inner();
    let response = answer(&stack, Request::get("/").header("authorization", &outer.key)).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "nobody"));
}

#[cfg(feature = "remote")]
#[tokio::test]
async fn a_layer_of_a_verifier_tells_and_reports_as_that_of_an_engine_does() {
    let (fixture, log) = (Fixture::new(), Log::default());
    let layer = AuthLayer::with_verifier(tollgate_remote::Verifier::new(fixture.engine.clone()))
        .danger_report_only()
        .observe(log.observer());
    for authorization in [&fixture.key, &fixture.expired] {
        assert_eq!(answer(&layer, Request::get("/").header("authorization", authorization)).await.status(), 200);
    }
    assert_eq!(log.take(), ["GET / accepted user_7", "GET / tolerated expired"]);
}
