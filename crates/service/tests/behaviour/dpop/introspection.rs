//! Bound tokens at the endpoints of those who do not hold them (RFC 7662, RFC 7009).

use super::{Bound, jkt, key, proof};
use crate::support::{json, run_async};
use serde_json::{Value, json};
use tollgate::{Dpop, Engine, Issuer, Request, TypProfile};
use tollgate_issuer::SigningKey;
use tollgate_remote::{HeaderSource, Introspection, RemoteKeys, Verifier};

/// The answers of RFC 7662 to the client of the token, and to a resource server.
pub(super) fn introspected(bound: &Bound, token: &str) -> [Value; 2] {
    let (id, secret) = bound.site.blog();
    let api = bound.server().accounts.add_client("api", "The API", "introspect", &[]).unwrap();
    [(id, secret), ("api", api.secret.as_str())].map(|(id, secret)| {
        let request = bound.server().client.post(bound.server().url("/oauth/v2/introspect"));
        json(request.basic_auth(id, Some(secret)).form(&[("token", token)]).send().unwrap(), 200)
    })
}

#[test]
fn a51_whoever_introspects_a_bound_token_is_told_of_its_key() {
    // Section 6.2; the endpoint takes no proof of the token's holder.
    let bound = Bound::start();
    let answer = json(bound.token(&bound.proof().sign(&bound.key)), 200);
    for told in introspected(&bound, answer["access_token"].as_str().unwrap()) {
        assert_eq!((&told["active"], &told["token_type"]), (&true.into(), &"DPoP".into()), "{told}");
        assert_eq!(told["cnf"], json!({"jkt": jkt(&bound.key)}));
    }
}

#[test]
fn a_bound_access_token_is_revoked_without_a_proof_by_its_client_alone() {
    let bound = Bound::start();
    let answer = json(bound.token(&bound.proof().sign(&bound.key)), 200);
    let token = answer["access_token"].as_str().unwrap();
    // It is good, but a client that speaks for itself has no sites.
    let status = || bound.sites("DPoP", token, &bound.key).status().as_u16();
    assert_eq!(status(), 403);
    let revoke = |(id, secret): (&str, &str)| {
        let request = bound.server().client.post(bound.server().url("/oauth/v2/revoke")).basic_auth(id, Some(secret));
        assert_eq!(request.form(&[("token", token)]).send().unwrap().status().as_u16(), 200);
    };
    revoke(bound.site.shop());
    assert_eq!(status(), 403, "another client's");
    revoke(bound.site.blog());
    assert_eq!(status(), 401);
    assert_eq!(introspected(&bound, token), [json!({"active": false}), json!({"active": false})]);
}

#[test]
fn a51_an_engine_elsewhere_that_introspects_has_the_sender_prove_its_key() {
    let bound = Bound::start();
    let answer = json(bound.token(&bound.proof().sign(&bound.key)), 200);
    let token = answer["access_token"].as_str().unwrap();
    let api = bound.server().accounts.add_client("api", "The API", "introspect", &[]).unwrap();
    let origin = &bound.server().origin;
    run_async(async {
        let keys = RemoteKeys::from_jwks_uri(&format!("{origin}/.well-known/jwks.json")).start().unwrap();
        let secret = HeaderSource::value(api.secret.as_str());
        let endpoint = Introspection::at(&format!("{origin}/oauth/v2/introspect")).client_secret("api", secret);
        let issuer = Issuer::new(origin).audience(origin).typ(TypProfile::JwtOrAccessToken).keys(keys.key_ring());
        let issuer = issuer.introspect(endpoint.start().unwrap(), 30);
        let engine = Engine::builder().issuer(issuer).dpop(Dpop::new().started_at(0)).build().unwrap();
        let verifier = Verifier::new(engine);
        let uri = "https://api.example/x";
        let by = async |key: &SigningKey| {
            let (header, proof) = (format!("DPoP {token}"), proof(key, "GET", uri, Some(token)).sign(key));
            let request = Request::new().authorization(&header).method("GET").uri(uri).proof(&proof);
            verifier.verify_request(&request).await.map(drop).map_err(|rejection| rejection.code())
        };
        assert_eq!(by(&bound.key).await, Ok(()));
        assert_eq!(by(&key()).await, Err("wrong-proof-key"));
        let bearer = verifier.verify(format!("Bearer {token}")).await.unwrap_err();
        assert_eq!(bearer.code(), "proof-required");
    });
}
