//! Engines and requests that accept only some kinds of credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tollgate::{
    AcceptedCredentials, Algorithm, ApiKey, ApiKeyTable, BuildError, Engine, EngineBuilder, KeyFormat, KeyRecord,
    KeyRecordBuilder, PrincipalKind, Rejection, Request,
};
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{Draft, NOW, issuer, signing_key};

/// A way to send a credential, and the kind that it then has.
struct Sent {
    name: &'static str,
    kind: PrincipalKind,
    bare: bool,
    value: String,
    in_own_header: bool,
}

/// An engine that accepts everything, and a valid credential of each kind in each of its places.
fn world() -> (impl Fn() -> EngineBuilder, Vec<Sent>) {
    let signer = signing_key(Algorithm::ES256, 0);
    let format = KeyFormat::new("tg", "live").unwrap();
    let table = std::sync::Arc::new(ApiKeyTable::new(format.clone()));
    let new = |record: KeyRecordBuilder<'_>| {
        let key = ApiKey::generate(&format).unwrap();
        table.insert(&key, record);
        key.as_str().to_owned()
    };
    let jwt = Draft::new(&signer).sign(&signer);
    let key = new(KeyRecord::api_key("key", "u"));
    let token = new(KeyRecord::access_token("token", "u"));
    let secret = new(KeyRecord::client_secret("secret", "c"));
    let sent = |name, kind, bare, value: String| Sent { name, kind, bare, value, in_own_header: false };
    let all = vec![
        sent("jwt", PrincipalKind::Jwt, false, format!("Bearer {jwt}")),
        sent("bare jwt", PrincipalKind::Jwt, true, jwt),
        sent("key as Bearer", PrincipalKind::ApiKey, false, format!("Bearer {key}")),
        sent("bare key", PrincipalKind::ApiKey, true, key.clone()),
        Sent { in_own_header: true, ..sent("x-api-key", PrincipalKind::ApiKey, false, key) },
        sent("access token", PrincipalKind::AccessToken, false, format!("Bearer {token}")),
        sent("client", PrincipalKind::Client, false, format!("Basic {}", STANDARD.encode(format!("c:{secret}")))),
    ];
    (move || Engine::builder().issuer(issuer([&signer])).api_keys(table.clone()), all)
}

impl Sent {
    fn request(&self) -> Request<'_> {
        if self.in_own_header { Request::new().api_key(&self.value) } else { Request::new().authorization(&self.value) }
    }
}

/// Every choice of kinds, with and without bare values.
fn choices() -> impl Iterator<Item = AcceptedCredentials> {
    (1..16u8).flat_map(|bits| {
        let kinds = PrincipalKind::ALL.into_iter().enumerate().filter(move |(n, _)| bits >> n & 1 == 1);
        let only = AcceptedCredentials::only(kinds.map(|(_, kind)| kind));
        [only, only.no_bare()]
    })
}

/// The rejection before anything is looked up or verified. A Bearer token that may be a key or an access token has to
/// be looked up first, to know whether its kind is accepted.
fn expected(accepted: AcceptedCredentials, sent: &Sent) -> Option<Rejection> {
    let kind_is_accepted = accepted.contains(sent.kind);
    if kind_is_accepted && (accepted.has_bare() || !sent.bare) {
        return None;
    }
    let opaque = [PrincipalKind::ApiKey, PrincipalKind::AccessToken];
    let looked_up = sent.value.starts_with("Bearer ")
        && opaque.contains(&sent.kind)
        && opaque.into_iter().any(|kind| accepted.contains(kind));
    Some(match sent.value.starts_with("Bearer ") {
        _ if looked_up => Rejection::UnknownApiKey,
        true => Rejection::CredentialNotAccepted,
        false => Rejection::MethodNotAccepted,
    })
}

#[test]
fn a57_an_engine_takes_the_kinds_that_it_was_told_to() {
    let (builder, all) = world();
    for accepted in choices() {
        let engine = builder().accept(accepted).build().unwrap();
        assert_eq!(engine.accepted(), accepted);
        for sent in &all {
            let before = signature_checks();
            let verdict = engine.verify_request_at(&sent.request(), NOW);
            assert_eq!(verdict.as_ref().err(), expected(accepted, sent).as_ref(), "{accepted:?} {}", sent.name);
            assert!(verdict.is_ok() || signature_checks() == before, "{accepted:?} {}", sent.name);
        }
    }
}

#[test]
fn a57_a_request_takes_the_kinds_of_its_route_from_an_engine_that_takes_all() {
    let (builder, all) = world();
    let engine = builder().build().unwrap();
    for accepted in choices() {
        for sent in &all {
            let request = sent.request().accept(accepted);
            // The second time, the token comes from the cache.
            for _ in 0..2 {
                let verdict = engine.verify_request_at(&request, NOW);
                assert_eq!(verdict.err(), expected(accepted, sent), "{accepted:?} {}", sent.name);
            }
            assert_eq!(engine.verify_request_at(&sent.request(), NOW).unwrap().kind(), sent.kind, "{}", sent.name);
        }
    }
}

#[test]
fn a57_a_route_takes_no_more_than_its_engine() {
    let (builder, all) = world();
    let engine = builder().accept(AcceptedCredentials::only([PrincipalKind::Jwt]).no_bare()).build().unwrap();
    for sent in &all {
        let verdict = engine.verify_request_at(&sent.request().accept(AcceptedCredentials::ALL), NOW);
        assert_eq!(verdict.is_ok(), sent.name == "jwt", "{}", sent.name);
    }
}

#[test]
fn a57_what_is_not_accepted_is_not_read() {
    let (builder, _) = world();
    let jwts = builder().accept(AcceptedCredentials::only([PrincipalKind::Jwt])).build().unwrap();
    // All of them would be malformed if they were read.
    for header in ["Basic bm8tY29sb24=", "Basic Og==", "Basic", "Basic x", "tg_live_2"] {
        assert_eq!(jwts.verify(header).unwrap_err(), Rejection::MethodNotAccepted, "{header}");
    }
    assert_eq!(jwts.verify("Bearer tg_live_2").unwrap_err(), Rejection::CredentialNotAccepted);
    let keys = builder().accept(AcceptedCredentials::only([PrincipalKind::ApiKey])).build().unwrap();
    let not_accepted = [Rejection::MethodNotAccepted, Rejection::CredentialNotAccepted];
    for (header, expected) in ["ey.", "Bearer ey.a.b.c.d.e"].into_iter().zip(not_accepted) {
        assert_eq!(keys.verify(header).unwrap_err(), expected, "{header}");
        assert_eq!(keys.key_ring_of(&Request::new().authorization(header)).unwrap_err(), expected);
    }
}

#[test]
fn an_engine_takes_everything_that_it_can_check_unless_it_is_told_otherwise() {
    let (builder, all) = world();
    let engine = builder().build().unwrap();
    assert_eq!(engine.accepted(), AcceptedCredentials::default());
    for sent in &all {
        assert_eq!(engine.verify_request_at(&sent.request(), NOW).unwrap().kind(), sent.kind, "{}", sent.name);
    }
    let table = ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let keys_alone = Engine::builder().api_keys(table).build().unwrap();
    let of_the_table = [PrincipalKind::ApiKey, PrincipalKind::Client, PrincipalKind::AccessToken];
    assert_eq!(keys_alone.accepted(), AcceptedCredentials::only(of_the_table));
}

#[test]
fn an_engine_that_could_accept_nothing_is_not_built() {
    let signer = signing_key(Algorithm::ES256, 0);
    let table = || ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap());
    let refused = |builder: EngineBuilder| assert_eq!(builder.build().unwrap_err(), BuildError::NothingToAccept);
    refused(Engine::builder().accept(AcceptedCredentials::ALL));
    refused(Engine::builder().issuer(issuer([&signer])).api_keys(table()).accept(AcceptedCredentials::only([])));
    refused(Engine::builder().api_keys(table()).accept(AcceptedCredentials::only([PrincipalKind::Jwt])));
    let of_the_table = [PrincipalKind::ApiKey, PrincipalKind::Client, PrincipalKind::AccessToken];
    refused(Engine::builder().issuer(issuer([&signer])).accept(AcceptedCredentials::only(of_the_table)));
}

#[test]
fn a47_two_credentials_of_a_request_are_rejected_unread() {
    let (builder, all) = world();
    let engine = builder().build().unwrap();
    for (first, second) in all.iter().flat_map(|first| all.iter().map(move |second| (first, second))) {
        let request = match second.in_own_header {
            true => first.request().api_key(&second.value),
            false => first.request().authorization(&second.value),
        };
        for request in [request, first.request().api_key(""), first.request().authorization("")] {
            let before = signature_checks();
            assert_eq!(engine.verify_request_at(&request, NOW).unwrap_err(), Rejection::MultipleCredentials);
            assert_eq!(signature_checks(), before);
        }
    }
    assert_eq!(engine.verify_request(&Request::new()).unwrap_err(), Rejection::MissingCredential);
    assert_eq!(engine.verify_request(&Request::new().api_key("")).unwrap_err(), Rejection::MissingCredential);
}

#[test]
fn debug_of_a_request_shows_no_credential() {
    let shown = |request: Request<'_>| format!("{request:?}");
    for request in [Request::new().authorization("Bearer hidden"), Request::new().api_key("hidden")] {
        assert!(!shown(request).contains("hidden"));
        assert!(shown(request.authorization("hidden")).contains("several"));
    }
    let bearer_jwts = AcceptedCredentials::only([PrincipalKind::Jwt]).no_bare();
    let shown = shown(Request::new().accept(bearer_jwts));
    assert!(shown.contains("accepted: AcceptedCredentials { kinds: {Jwt}, bare: false }"), "{shown}");
}
