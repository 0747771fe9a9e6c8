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
