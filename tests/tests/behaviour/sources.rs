//! The places in a request where its credential may be, and that it has only one.

mod twin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tollgate::{
    AcceptedCredentials, Algorithm, ApiKey, ApiKeyTable, CsrfRule, Engine, KeyFormat, KeyRecord, Principal,
    PrincipalKind, Rejection, RequestLine, Source, Sources,
};
use tollgate_tests::{Draft, NOW, issuer, signing_key};

/// An engine that accepts everything, and a credential of each kind.
struct World {
    engine: Engine,
    jwt: String,
    key: String,
    secret: String,
}

impl World {
    fn new() -> Self {
        let signer = signing_key(Algorithm::ES256, 0);
        let format = KeyFormat::new("tg", "live").unwrap();
        let [key, secret] = std::array::from_fn(|_| ApiKey::generate(&format).unwrap());
        let table = ApiKeyTable::new(format);
        table.insert(&key, KeyRecord::api_key("key", "user_7"));
        table.insert(&secret, KeyRecord::client_secret("secret", "reporter"));
        let engine = Engine::builder().issuer(issuer([&signer])).api_keys(table).clock(|| NOW).build().unwrap();
        let jwt = Draft::new(&signer).sign(&signer);
        World { engine, jwt, key: key.as_str().to_owned(), secret: secret.as_str().to_owned() }
    }

    fn verify(&self, sources: &Sources, fields: &[(&str, &str)]) -> Result<Principal, Rejection> {
        self.verify_line(sources, RequestLine { method: "GET", ..RequestLine::default() }, fields)
    }

    fn verify_line(
        &self,
        sources: &Sources,
        line: RequestLine<'_>,
        fields: &[(&str, &str)],
    ) -> Result<Principal, Rejection> {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        match sources.find(line, fields)? {
            Some(request) => self.engine.verify_request(&request),
            None => Err(Rejection::MissingCredential),
        }
    }
}

fn kind(verdict: Result<Principal, Rejection>) -> Result<&'static str, &'static str> {
    verdict.map(|principal| principal.kind().as_str()).map_err(|rejection| rejection.code())
}

fn keys() -> AcceptedCredentials {
    AcceptedCredentials::only([PrincipalKind::ApiKey])
}

fn all_sources() -> Sources {
    Sources::new([
        Source::scheme("Token").unwrap().accept(keys()),
        Source::authorization(),
        Source::api_key_field("X-API-Key").unwrap(),
        Source::field("cf-access-jwt-assertion").unwrap(),
        Source::cookie("__Host-session").unwrap(),
        Source::web_socket_protocol("bearer.").unwrap(),
    ])
}

#[test]
fn a_credential_is_found_in_each_source_and_names_are_of_any_case() {
    let world = World::new();
    let (jwt, key) = (&*world.jwt, &*world.key);
    for (name, value, found) in [
        ("Authorization", format!("Bearer {jwt}"), Ok("jwt")),
        ("AUTHORIZATION", jwt.to_owned(), Ok("jwt")),
        ("authorization", format!("tOkEn   {key}"), Ok("api-key")),
        ("authorization", format!("Token {jwt}"), Err("credential-not-accepted")),
        ("authorization", "Token".to_owned(), Err("missing-credential")),
        ("authorization", format!("Tokens {key}"), Err("unsupported-scheme")),
        ("authorization", format!("Token: {key}"), Err("malformed-credential")),
        ("x-api-key", key.to_owned(), Ok("api-key")),
        ("x-api-key", jwt.to_owned(), Err("malformed-api-key")),
        ("Cf-Access-Jwt-Assertion", jwt.to_owned(), Ok("jwt")),
        ("cf-access-jwt-assertion", key.to_owned(), Ok("api-key")),
        ("cf-access-jwt-assertion", format!("Bearer {jwt}"), Err("malformed-credential")),
        ("cf-access-jwt-assertion", String::new(), Err("missing-credential")),
        ("Cookie", format!("theme=dark; __Host-session={jwt}; x=y"), Ok("jwt")),
        ("cookie", format!("__Host-session=\"{jwt}\""), Ok("jwt")),
        ("cookie", "__Host-session=".to_owned(), Err("missing-credential")),
        ("cookie", format!("__host-session={jwt}; a__Host-session={jwt}"), Err("missing-credential")),
        ("cookie", format!("other=a __Host-session={jwt}"), Err("missing-credential")),
        ("Sec-WebSocket-Protocol", format!("chat, bearer.{jwt}"), Ok("jwt")),
        ("sec-websocket-protocol", format!("Bearer.{jwt}"), Err("missing-credential")),
        ("x-other", jwt.to_owned(), Err("missing-credential")),
    ] {
        assert_eq!(kind(world.verify(&all_sources(), &[("host", "a"), (name, &value)])), found, "{name}: {value}");
    }
    let none = Sources::default().find(RequestLine::default(), [("cookie", &b"a=b"[..])]);
    assert!(none.unwrap().is_none());
}

#[test]
fn a47_credentials_in_two_sources_are_rejected_unread() {
    let world = World::new();
    let places: Vec<(&str, String)> = vec![
        ("authorization", format!("Bearer {}", world.jwt)),
        ("authorization", format!("Token {}", world.key)),
        ("authorization", "Digest x".to_owned()),
        ("authorization", String::new()),
        ("x-api-key", world.key.clone()),
        ("cf-access-jwt-assertion", world.jwt.clone()),
        ("cookie", format!("__Host-session={}", world.jwt)),
        ("sec-websocket-protocol", format!("bearer.{}", world.jwt)),
    ];
    for one in &places {
        for other in &places {
            let fields = [(one.0, &*one.1), ("accept", "*/*"), (other.0, &*other.1)];
            assert_eq!(kind(world.verify(&all_sources(), &fields)), Err("multiple-credentials"), "{fields:?}");
        }
        for query in ["access_token=x", "a=b&access_token", "%61ccess%5ftoken=x"] {
            let line = RequestLine { method: "GET", query: Some(query), ..RequestLine::default() };
            let verdict = world.verify_line(&all_sources(), line, &[(one.0, &*one.1)]);
            assert_eq!(kind(verdict), Err("multiple-credentials"), "{one:?} {query}");
        }
    }
    for (name, value) in [
        ("cookie", format!("__Host-session={0}; __Host-session={0}", world.jwt)),
        ("sec-websocket-protocol", format!("bearer.{0}, bearer.{0}", world.jwt)),
        ("cf-access-jwt-assertion", format!("{0}, {0}", world.jwt)),
    ] {
        assert_eq!(kind(world.verify(&all_sources(), &[(name, &value)])), Err("multiple-credentials"), "{name}");
    }
}

#[test]
fn a57_a_source_takes_its_own_kinds_alone() {
    let world = World::new();
    let jwts = AcceptedCredentials::only([PrincipalKind::Jwt]);
    let sources = Sources::new([Source::authorization().accept(jwts), Source::cookie("k").unwrap().accept(keys())]);
    let (jwt, key) = (&*world.jwt, &*world.key);
    for (name, value, found) in [
        ("authorization", format!("Bearer {jwt}"), Ok("jwt")),
        ("authorization", format!("Bearer {key}"), Err("credential-not-accepted")),
        ("authorization", key.to_owned(), Err("credential-not-accepted")),
        ("cookie", format!("k={key}"), Ok("api-key")),
        ("cookie", format!("k={jwt}"), Err("credential-not-accepted")),
    ] {
        assert_eq!(kind(world.verify(&sources, &[(name, &value)])), found, "{name}: {value}");
    }
    // A request that is restricted twice accepts what both allow.
    let request = tollgate::Request::new().authorization(jwt).accept(jwts).accept(AcceptedCredentials::ALL);
    assert!(world.engine.verify_request(&request).is_ok());
    assert!(world.engine.verify_request(&request.accept(keys())).is_err());
}

#[test]
fn an_authorization_field_of_no_source_is_an_unsupported_scheme() {
    let world = World::new();
    let sources = Sources::new([Source::scheme("ApiKey").unwrap()]);
    assert_eq!(kind(world.verify(&sources, &[("authorization", &format!("apikey {}", world.key))])), Ok("api-key"));
    for value in [format!("Bearer {}", world.key), world.key.clone(), String::new()] {
        let verdict = world.verify(&sources, &[("authorization", &value)]);
        assert_eq!(kind(verdict), Err("unsupported-scheme"), "{value}");
    }
    // If no source reads Authorization, that field is ignored.
    let cookie = Sources::new([Source::cookie("s").unwrap()]);
    let fields = [("authorization", "Basic eDp5"), ("cookie", &*format!("s={}", world.jwt))];
    assert_eq!(kind(world.verify(&cookie, &fields)), Ok("jwt"));
}

#[test]
fn a49_the_user_of_basic_is_a_key_where_there_is_no_password() {
    let world = World::new();
    let sources = Sources::new([Source::basic_user(), Source::authorization()]);
    let basic = |text: String| format!("Basic {}", STANDARD.encode(text));
    let (key, secret) = (&world.key, &world.secret);
    for (value, found) in [
        (basic(format!("{key}:")), Ok("api-key")),
        (basic(format!("{key}:x")), Err("malformed-credential")),
        (basic(key.clone()), Err("malformed-credential")),
        (basic(format!(":{key}")), Err("malformed-credential")),
        (basic(format!("reporter:{secret}")), Err("malformed-credential")),
        (basic(format!("{secret}:")), Err("unknown-api-key")),
        (basic(":".to_owned()), Err("malformed-api-key")),
        ("Basic".to_owned(), Err("missing-credential")),
        (format!("Basic {key}:"), Err("malformed-credential")),
        (format!("Bearer {key}"), Ok("api-key")),
    ] {
        let verdict = world.verify(&sources, &[("authorization", &value)]);
        let is_basic = |rejection: &Rejection| rejection.challenge().scheme() == "Basic";
        assert!(verdict.as_ref().err().is_none_or(|rejection| is_basic(rejection) || value == "Basic"), "{value}");
        assert_eq!(kind(verdict), found, "{value}");
    }
    // Without the source, it is an unknown client.
    let verdict = world.verify(&Sources::default(), &[("authorization", &basic(format!("{key}:")))]);
    assert_eq!(kind(verdict), Err("unknown-client"));
}

#[test]
fn a_cookie_counts_in_requests_of_ones_own_pages_alone() {
    let world = World::new();
    let cookie = format!("s={}", world.jwt);
    let origins = || CsrfRule::origins(["https://app.example.com".parse().unwrap()]);
    let same = CsrfRule::same_origin;
    let ok = Ok("jwt");
    let err = Err("cross-site-request");
    type Case<'c> = (CsrfRule, &'c str, &'c [(&'c str, &'c str)], Result<&'static str, &'static str>);
    let cases: [Case<'_>; 27] = [
        // A request that changes nothing is accepted from anywhere, but a WebSocket is opened with GET.
        (same(), "GET", &[("sec-fetch-site", "cross-site")], ok),
        (same(), "HEAD", &[], ok),
        (same(), "get", &[], err),
        (same(), "GET", &[("upgrade", "websocket"), ("origin", "https://evil.example")], err),
        (same(), "GET", &[("Upgrade", "websocket"), ("origin", "https://api.example.com")], ok),
        (same(), "CONNECT", &[("sec-fetch-site", "cross-site")], err),
        (same(), "POST", &[("sec-fetch-site", "same-origin")], ok),
        (same(), "POST", &[("Sec-Fetch-Site", "none")], ok),
        (same(), "POST", &[("sec-fetch-site", "same-site")], err),
        (same(), "POST", &[("sec-fetch-site", "cross-site"), ("origin", "https://api.example.com")], err),
        (same(), "POST", &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")], err),
        (same(), "POST", &[("sec-fetch-site", "")], err),
        (same(), "POST", &[], err),
        (same(), "POST", &[("origin", "https://api.example.com")], ok),
        (same(), "POST", &[("origin", "https://API.example.com:443")], ok),
        (same(), "POST", &[("origin", "https://api.example.com:8443")], err),
        (same(), "POST", &[("origin", "https://api.example.com.evil.example")], err),
        (same(), "POST", &[("origin", "null")], err),
        (same(), "POST", &[("origin", "https://api.example.com"), ("origin", "https://evil.example")], err),
        (same(), "POST", &[("referer", "https://api.example.com/")], err),
        (origins(), "POST", &[("sec-fetch-site", "same-site"), ("origin", "https://app.example.com")], ok),
        (origins(), "POST", &[("sec-fetch-site", "same-site"), ("origin", "http://app.example.com")], err),
        (origins(), "POST", &[("sec-fetch-site", "same-site"), ("origin", "https://dev.example.com")], err),
        (CsrfRule::field("X-Requested-With").unwrap(), "POST", &[("x-requested-with", "fetch")], ok),
        (CsrfRule::field("X-Requested-With").unwrap(), "POST", &[("sec-fetch-site", "same-origin")], err),
        (CsrfRule::danger_none(), "DELETE", &[("origin", "https://evil.example")], ok),
        (CsrfRule::default(), "DELETE", &[("origin", "https://evil.example")], err),
    ];
    for (rule, method, fields, expected) in cases {
        let sources = Sources::new([Source::cookie("s").unwrap(), Source::authorization()]).csrf(rule.clone());
        let own = [("host", "api.example.com"), ("cookie", &*cookie)];
        let all: Vec<_> = fields.iter().copied().chain(own).collect();
        let line = RequestLine { method, ..RequestLine::default() };
        assert_eq!(kind(world.verify_line(&sources, line, &all)), expected, "{rule:?} {method} {fields:?}");
        // In HTTP/2 the host is not a field.
        let line = RequestLine { method, authority: Some("api.example.com"), query: None };
        assert_eq!(
            kind(world.verify_line(&sources, line, &all[..all.len()])),
            expected,
            "{rule:?} {method} {fields:?}"
        );
        // A credential that no browser adds by itself needs no rule.
        let bearer = format!("Bearer {}", world.jwt);
        let with_header: Vec<_> = fields.iter().copied().chain([("authorization", &*bearer)]).collect();
        assert_eq!(kind(world.verify_line(&sources, line, &with_header)), ok, "{rule:?} {method} {fields:?}");
    }
    let rejection = Rejection::CrossSiteRequest;
    assert_eq!((rejection.status(), rejection.challenge().to_string().as_str()), (403, "Bearer"));
}

#[test]
fn what_names_no_source_is_refused() {
    for name in ["", "a b", "a:", "Bearer", "bearer", "DPoP", "Basic", "ä"] {
        assert_eq!(Source::scheme(name).unwrap_err().text(), name);
    }
    for name in ["", "a b", "a:", "authorization", "Cookie", "a\r\n"] {
        assert!(Source::field(name).is_err() && Source::api_key_field(name).is_err(), "{name}");
    }
    for name in ["", "a b", "a=b", "a;b", "\"a\""] {
        assert!(Source::cookie(name).is_err() && Source::web_socket_protocol(name).is_err(), "{name}");
    }
    for name in ["", "x", "origin", "accept", "content-type", "x- a", "ä"] {
        assert!(CsrfRule::field(name).is_err(), "{name}");
    }
    let error = Source::scheme("a\r\nb").unwrap_err();
    assert_eq!(error.to_string(), r#""a\r\nb" cannot name a source of credentials of that kind"#);
}

#[test]
fn fields_that_may_hold_a_credential_are_named() {
    for (name, may_hold) in [
        ("authorization", true),
        ("Cookie", true),
        ("CF-Access-JWT-Assertion", true),
        ("x-api-key", true),
        ("sec-websocket-protocol", true),
        ("x-other", false),
    ] {
        assert_eq!(all_sources().may_hold(name), may_hold, "{name}");
    }
    assert!(!Sources::default().may_hold("cookie"));
}
