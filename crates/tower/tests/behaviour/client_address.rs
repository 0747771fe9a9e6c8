//! Keys that may be used only from certain addresses, and the sources of the client's address.

use std::net::IpAddr;

use http::request::Builder;
use http::{Request, Response};
use tollgate::{ForwardedField, TrustedProxies};
use tollgate_tower::{AuthLayer, PeerAddress};

use crate::support::{Fixture, answer, challenge, rejections};

const INSIDE: &str = "192.0.2.7";
const OUTSIDE: &str = "203.0.113.5";
const PROXY: &str = "10.0.0.1";

fn from(peer: &str) -> Builder {
    Request::get("/").extension(PeerAddress(address(peer)))
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn proxies(field: ForwardedField) -> TrustedProxies {
    TrustedProxies::new(["10.0.0.0/24".parse().unwrap()], field)
}

fn verdict(response: &Response<String>) -> (u16, &str) {
    (response.status().as_u16(), response.body())
}

#[tokio::test]
async fn a56_a_key_with_addresses_passes_from_these_alone() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).api_key_header("x-api-key").unwrap();
    for (name, value) in [("authorization", &fixture.bound), ("x-api-key", &fixture.bound)] {
        assert_eq!(verdict(&answer(&layer, from(INSIDE).header(name, value)).await), (200, "user_9"));
        assert_eq!(verdict(&answer(&layer, from("::ffff:192.0.2.7").header(name, value)).await), (200, "user_9"));
        for peer in [OUTSIDE, "::ffff:203.0.113.5", "::1"] {
            let response = answer(&layer, from(peer).header(name, value)).await;
            assert_eq!((verdict(&response), challenge(&response)), ((403, ""), "Bearer"), "{peer}");
        }
        // No server has named the peer.
        assert_eq!(verdict(&answer(&layer, Request::get("/").header(name, value)).await), (403, ""));
        assert_eq!(verdict(&answer(&layer.clone().optional(), Request::get("/").header(name, value)).await), (403, ""));
    }
    assert_eq!(answer(&layer, Request::get("/").header("authorization", &fixture.key)).await.status(), 200);
}

#[tokio::test]
async fn a75_only_a_trusted_proxy_says_who_the_client_is() {
    let fixture = Fixture::new();
    let all = [
        (ForwardedField::XForwardedFor, "x-forwarded-for", ["192.0.2.7", "192.0.2.7, 203.0.113.5", "unknown"]),
        (ForwardedField::Forwarded, "forwarded", ["for=192.0.2.7", "for=192.0.2.7, for=203.0.113.5", "for=_hidden"]),
    ];
    for (field, name, [inside, outside, nowhere]) in all {
        let plain = AuthLayer::new(fixture.engine.clone());
        let layer = plain.clone().trusted_proxies(proxies(field));
        let request = |peer: &str, value: &str| from(peer).header("authorization", &fixture.bound).header(name, value);
        assert_eq!(answer(&layer, request(PROXY, inside)).await.status(), 200, "{name}");
        for (peer, value) in [(PROXY, outside), (PROXY, nowhere), (PROXY, ""), (OUTSIDE, inside)] {
            assert_eq!(answer(&layer, request(peer, value)).await.status(), 403, "{name} {peer} {value}");
        }
        assert_eq!(answer(&layer, request(INSIDE, outside)).await.status(), 200, "{name}: not a proxy's");
        assert_eq!(answer(&plain, request(PROXY, inside)).await.status(), 403, "{name}: nobody is trusted");
        let two_lines = request(PROXY, inside).header(name, outside);
        assert_eq!(answer(&layer, two_lines).await.status(), 403, "{name}: the last line counts");
        let two_lines = request(PROXY, outside).header(name, inside);
        assert_eq!(answer(&layer, two_lines).await.status(), 200, "{name}: the last line counts");
        let no_field = from(PROXY).header("authorization", &fixture.bound);
        assert_eq!(answer(&layer, no_field).await.status(), 403, "{name}: absent");
        let other = from(PROXY).header("authorization", &fixture.bound).header("x-real-ip", INSIDE);
        let other = other.header("x-forwarded-for", "192.0.2.7").header("forwarded", "for=192.0.2.7");
        assert_eq!(answer(&layer, other.header(name, nowhere)).await.status(), 403, "{name}: no other field counts");
    }
}

#[tokio::test]
async fn what_the_observer_is_told_is_the_address_that_was_found() {
    use std::sync::{Arc, Mutex};
    let (fixture, seen) = (Fixture::new(), Arc::new(Mutex::new(Vec::new())));
    let told = seen.clone();
    let proxies = proxies(ForwardedField::XForwardedFor);
    let layer = AuthLayer::new(fixture.engine.clone()).trusted_proxies(proxies.clone());
    let layer = layer.observe(rejections(move |rejection, request| {
        let client = tollgate_tower::client_address(request, &proxies);
        told.lock().unwrap().push((rejection.to_string(), client));
    }));
    let request = from(PROXY).header("authorization", &fixture.bound);
    answer(&layer, request.header("x-forwarded-for", "192.0.2.7, 203.0.113.5")).await;
    let expected = ("the key may not be used from 203.0.113.5".to_owned(), Some(address(OUTSIDE)));
    assert_eq!(*seen.lock().unwrap(), [expected]);
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn a56_axum_says_who_the_peer_is() {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;
    use axum::extract::connect_info::MockConnectInfo;
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone());
    let socket = |peer: &str| SocketAddr::new(address(peer), 4711);
    for (peer, status) in [(INSIDE, 200), (OUTSIDE, 403)] {
        let request = || Request::get("/").header("authorization", &fixture.bound);
        assert_eq!(answer(&layer, request().extension(ConnectInfo(socket(peer)))).await.status(), status);
        assert_eq!(answer(&layer, request().extension(MockConnectInfo(socket(peer)))).await.status(), status);
        let both = request().extension(ConnectInfo(socket(peer))).extension(MockConnectInfo(socket(INSIDE)));
        assert_eq!(answer(&layer, both).await.status(), status);
        let both = from(peer).header("authorization", &fixture.bound).extension(ConnectInfo(socket(INSIDE)));
        assert_eq!(answer(&layer, both).await.status(), status);
    }
}
