//! Providers whose keys are not a public JWK set.

use serde_json::json;

use super::Provider;

#[test]
fn firebase() {
    Provider::of("Firebase Authentication")
        .accepts("without custom claims", json!({"payload": {"permissions": null}}), json!({"scopes": []}))
        .refuses(
            "a token of another project",
            json!({"payload": {"iss": "https://securetoken.google.com/other", "aud": "other"}}),
        )
        .refuses("a token for another project", json!({"payload": {"aud": "other"}}))
        .refuses("an anonymous user", json!({"payload": {"firebase": {"sign_in_provider": "anonymous"}}}))
        .refuses("a session cookie", json!({"payload": {"iss": "https://session.firebase.google.com/shop-1a2b3"}}))
        .run();
}

#[test]
fn spiffe() {
    let of = |sub: &str| json!({"payload": {"sub": sub}});
    let oidc = "https://oidc.example.org";
    Provider::of("SPIFFE")
        .key("key-1", json!({"use": "jwt-svid"}))
        .key("key-x509", json!({"use": "x509-svid"}))
        .accepts("with an iss", json!({"payload": {"iss": oidc}}), json!({}))
        .accepts("without typ", json!({"header": {"typ": null}}), json!({}))
        .refuses("a workload of another trust domain", of("spiffe://other.example/ns/shop/sa/checkout"))
        .refuses("a trust domain with a port", of("spiffe://example.org:443/ns/shop/sa/checkout"))
        .refuses("a token for another workload", json!({"payload": {"aud": ["spiffe://example.org/ns/shop/sa/mail"]}}))
        .refuses("the trust domain itself, a SPIFFE ID without a path", of("spiffe://example.org"))
        .refuses("a path that is to be normalised", of("spiffe://example.org/ns/test/../shop/sa/checkout"))
        .refuses("a token under a key for X.509-SVIDs", json!({"header": {"kid": "key-x509"}}))
        .refuses("a token without an expiry", json!({"payload": {"exp": null}}))
        .run();
}

#[test]
fn kubernetes() {
    Provider::of("Kubernetes")
        .accepts(
            "of the other namespace",
            json!({"payload": {"sub": "system:serviceaccount:billing:x", "kubernetes.io": {"namespace": "billing"}}}),
            json!({"subject": "system:serviceaccount:billing:x"}),
        )
        .refuses(
            "a token for the API server",
            json!({"payload": {"aud": ["https://kubernetes.default.svc.cluster.local"]}}),
        )
        .refuses(
            "a token of another namespace",
            json!({"payload": {"sub": "system:serviceaccount:test:x", "kubernetes.io": {"namespace": "test"}}}),
        )
        .refuses(
            "a token from a Secret, which does not expire",
            json!({"payload": {"iss": "kubernetes/serviceaccount", "aud": null, "exp": null}}),
        )
        .run();
}
