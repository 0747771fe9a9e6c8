use super::{CALLBACK, Provider, claims, id_token, now, request};
use crate::authorize::{Browser, code_in, location};
use crate::support::{INVALID_TOKEN, assert_problem, decode};
use serde_json::{Value, json};
use tollgate::jwt::base64url;
use tollgate::{Engine, Issuer, KeySet, Rejection, Revocation, TypProfile};

/// An engine that verifies tokens of this provider, as another server would have it.
fn engine(provider: &Provider, audience: &str, typ: TypProfile) -> Engine {
    let jwks = provider.server().client.get(provider.server().url("/.well-known/jwks.json")).send().unwrap();
    let keys = KeySet::builder().jwks(&jwks.bytes().unwrap()).unwrap().build().unwrap();
    let issuer = Issuer::new(&provider.server().origin).audience(audience).typ(typ).keys(keys);
    Engine::builder().issuer(issuer).build().unwrap()
}

/// OpenID Connect Core 1.0 sections 2, 3.1.3.3, 3.1.3.6 and 3.1.3.7.
#[test]
fn a_relying_party_gets_an_id_token_that_it_can_verify() {
    let provider = Provider::start();
    let before = now();
    let (_, tokens) = provider.logged_in(&[]);
    assert_eq!(tokens["scope"], "openid email");
    let principal = engine(&provider, "rp", TypProfile::Jwt).verify(format!("Bearer {}", id_token(&tokens))).unwrap();
    assert_eq!(principal.subject(), Some(provider.site.user_id.as_str()));

    let (header, claims) = decode(id_token(&tokens));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("JWT")));
    assert_eq!(claims["iss"], provider.server().origin);
    assert_eq!(claims["aud"], "rp", "the client is the only audience");
    assert_eq!(claims["nonce"], "n-0S6", "unchanged");
    assert!(claims["azp"].is_null(), "section 2: only where the audience is another");
    let time = |name: &str| claims[name].as_i64().unwrap();
    assert!((before..=now()).contains(&time("auth_time")) && time("iat") >= time("auth_time"));
    assert_eq!(time("exp"), time("iat") + tokens["expires_in"].as_i64().unwrap());
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:tollgate:acr:password"), &json!(["pwd"])));
    let access_token = tokens["access_token"].as_str().unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, access_token.as_bytes());
    assert_eq!(claims["at_hash"], base64url::encode(&digest.as_ref()[..16]), "section 3.1.3.6");
    let (_, of_access) = decode(access_token);
    assert_eq!(of_access["sub"], claims["sub"], "section 5.3.2");
    assert_eq!(of_access["sid"], claims["sid"]);
    for name in ["email", "email_verified"] {
        assert!(claims[name].is_null(), "section 5.4: at the userinfo endpoint, where there is an access token");
    }
}

/// OpenID Connect Core 1.0 section 3.1.2.1: without the scope openid it is no authentication request.
#[test]
fn without_openid_there_is_no_id_token() {
    let provider = Provider::start();
    let (_, tokens) = provider.logged_in(&[("scope", "read:sites")]);
    assert!(tokens["id_token"].is_null());
}

#[test]
fn without_a_nonce_the_id_token_has_none() {
    let provider = Provider::start();
    let (_, tokens) = provider.logged_in(&[("nonce", "")]);
    assert!(claims(&tokens)["nonce"].is_null());
}

/// RFC 8725 sections 3.11 and 3.12, attack 20.
#[test]
fn a20_an_id_token_is_no_access_token_here_or_anywhere() {
    let provider = Provider::start();
    let (_, tokens) = provider.logged_in(&[("scope", "openid email profile read:sites")]);
    let bearer = format!("Bearer {}", id_token(&tokens));
    for path in ["/api/v2/sites", "/api/v2/profile", "/api/v2/sessions", "/oauth/v2/userinfo"] {
        assert_problem(provider.server().get(path, &bearer), 401, INVALID_TOKEN, "invalid_token");
    }
    let origin = &provider.server().origin;
    let rejected = |audience, typ| engine(&provider, audience, typ).verify(&bearer).unwrap_err();
    assert!(
        matches!(rejected("rp", TypProfile::AccessToken), Rejection::TypeNotAllowed { .. }),
        "also of the client itself"
    );
    assert_eq!(rejected(origin, TypProfile::JwtOrAccessToken).code(), "wrong-audience");
    // And no logout token.
    let principal = engine(&provider, "rp", TypProfile::Jwt).verify(&bearer).unwrap();
    assert!(Revocation::from_logout_token(&principal).is_err());
}

/// Whoever gets the code of another authentication cannot have its nonce.
#[test]
fn each_code_has_the_nonce_and_the_client_of_its_own_request() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    let first = code_in(&provider.log_in(&mut browser, &[("nonce", "one")]));
    let second = code_in(&location(&browser.get(provider.server(), &request(&[("nonce", "two")]))));
    let second = claims(&provider.tokens(&second));
    let first = claims(&provider.tokens(&first));
    assert_eq!((&first["nonce"], &second["nonce"]), (&json!("one"), &json!("two")));
    assert_eq!((&first["sid"], &first["auth_time"]), (&second["sid"], &second["auth_time"]), "one login");
}

/// OpenID Connect Core 1.0 section 11, and section 3.1.2.1: unknown scopes of the client's are its mistake, this one is ignored.
#[test]
fn a73_offline_access_is_ignored_for_a_client_without_refresh_tokens() {
    let provider = Provider::start();
    let (_, tokens) = provider.logged_in(&[("scope", "openid offline_access")]);
    assert_eq!(tokens["scope"], "openid");
    assert!(tokens["refresh_token"].is_null());
}

/// `openid` of any user; what tells more has to be registered.
#[test]
fn a73_any_client_of_users_may_ask_who_they_are_and_no_more() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    provider.log_in(&mut browser, &[]);
    let of_blog = |scope: &str| {
        let replaced = [("client_id", "blog"), ("redirect_uri", crate::authorize::BLOG), ("scope", scope)];
        crate::authorize::parameters_of(&location(
            &Browser { cookies: browser.cookies.clone() }.get(provider.server(), &request(&replaced)),
        ))
    };
    assert!(of_blog("openid").contains_key("code"));
    assert_eq!(of_blog("openid email")["error"], "invalid_scope");
    assert_ne!(CALLBACK, crate::authorize::BLOG);
}

/// What the access token says of the login (RFC 9068 section 2.2.1).
#[test]
fn an_access_token_says_when_and_how_the_user_logged_in() {
    let provider = Provider::start();
    let (_, tokens) = provider.logged_in(&[("scope", "read:sites")]);
    let (_, claims): (Value, Value) = decode(tokens["access_token"].as_str().unwrap());
    assert!(claims["auth_time"].as_i64().is_some_and(|at| at <= now()));
    assert_eq!(claims["acr"], "urn:tollgate:acr:password");
}
