//! Introspection of opaque tokens by their issuer, over real sockets.

use std::time::Instant;

use tokio::task::{self, JoinHandle};
use tollgate::{Engine, OpaqueIssuer, Principal, Rejection};
use tollgate_remote::{HeaderSource, Introspection, IntrospectionBuilder, Verifier, limits};

use crate::support::*;

const NAME: &str = "https://as.example/";
const ACTIVE: &str = r#"{"active":true,"aud":"https://api.example.com","sub":"user-7"}"#;

fn asking(provider: &Provider) -> IntrospectionBuilder {
    Introspection::at(&provider.uri("/introspect")).client_secret("rs 1", HeaderSource::value("s%cret:+"))
}

/// For tokens that begin with `as_`.
fn verifier(introspection: IntrospectionBuilder) -> Verifier {
    verifier_by(&introspection.start().unwrap())
}

fn verifier_by(introspection: &Introspection) -> Verifier {
    let issuer = OpaqueIssuer::new(NAME).token_prefix("as_").audience(AUDIENCE).introspector(introspection.clone());
    Verifier::new(Engine::builder().opaque_issuer(issuer).build().unwrap())
}

fn verify(verifier: &Verifier, token: &str) -> JoinHandle<Result<Principal, Rejection>> {
    let (verifier, header) = (verifier.clone(), format!("Bearer {token}"));
    task::spawn(async move { verifier.verify(header).await })
}

async fn code(verifier: &Verifier, token: &str) -> &'static str {
    verify(verifier, token).await.unwrap().map_or_else(|rejection| rejection.code(), |_| "accepted")
}

#[tokio::test]
async fn active_token_is_accepted_after_one_question() {
    let provider = Provider::start(publishes(ACTIVE));
    let verifier = verifier(asking(&provider));
    for _ in 0..3 {
        assert_eq!(verifier.verify("Bearer as_1").await.unwrap().subject(), Some("user-7"));
    }
    let requests = provider.requests();
    assert_eq!(requests.len(), 1);
    let [request] = &requests[..] else { panic!() };
    assert_eq!((&*request.method, &*request.path), ("POST", "/introspect"));
    assert_eq!(request.body, "token=as_1&token_type_hint=access_token");
    // Both are form-encoded first: rs+1:s%25cret%3A%2B
    assert_eq!(request.fields["authorization"], "Basic cnMrMTpzJTI1Y3JldCUzQSUyQg==");
    assert_eq!(request.fields["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.fields["accept"], "application/json");
}

#[tokio::test]
async fn token_is_encoded_as_a_form_has_it() {
    let provider = Provider::start(publishes(ACTIVE));
    let verifier = verifier(asking(&provider));
    assert!(verifier.verify("Bearer as_a|b:c/d+e=&%").await.is_ok());
    assert_eq!(provider.requests()[0].body, "token=as_a%7Cb%3Ac%2Fd%2Be%3D%26%25&token_type_hint=access_token");
}

#[tokio::test]
async fn all_who_ask_about_one_token_lead_to_one_question() {
    let gate = Gate::default();
    let provider = Provider::start(waits_for(&gate, publishes(ACTIVE)));
    let verifier = verifier(asking(&provider));
    let waiting: Vec<_> = (0..50).map(|_| verify(&verifier, "as_1")).collect();
    until("the question is under way", || provider.request_count() == 1).await;
    gate.open();
    for verdict in waiting {
        assert!(verdict.await.unwrap().is_ok());
    }
    assert_eq!(provider.request_count(), 1);
}

#[tokio::test]
async fn question_goes_on_when_those_who_asked_have_gone() {
    let gate = Gate::default();
    let provider = Provider::start(waits_for(&gate, publishes(ACTIVE)));
    let introspection = asking(&provider).start().unwrap();
    let verifier = verifier_by(&introspection);
    let gone = verify(&verifier, "as_1");
    until("the question is under way", || provider.request_count() == 1).await;
    gone.abort();
    let stays = verify(&verifier, "as_1");
    yield_often().await;
    gate.open();
    assert!(stays.await.unwrap().is_ok());
    assert_eq!(introspection.statistics().requests, 1);
}

#[tokio::test]
async fn a86_inactive_token_is_rejected_and_not_asked_about_again_at_once() {
    let provider = Provider::start(publishes(r#"{"active":false}"#));
    let verifier = verifier(asking(&provider));
    for _ in 0..3 {
        let rejection = verifier.verify("Bearer as_1").await.unwrap_err();
        assert_eq!((rejection.status(), rejection.code()), (401, "inactive-token"));
    }
    assert_eq!(provider.request_count(), 1);
}

#[tokio::test]
async fn a86_what_is_no_answer_is_503_and_nothing_is_remembered_of_it() {
    const OF: &str = "Content-Type: ";
    let long = format!(r#"{{"active":true,"aud":"https://api.example.com","x":"{}"}}"#, "x".repeat(64 * 1024));
    let cases = [
        ("an error", answers_status("500 Internal Server Error", "")),
        ("wrong credentials", answers_status("401 Unauthorized", "")),
        ("too many", answers_status("429 Too Many Requests", "")),
        ("a redirect", answers_status("307 Temporary Redirect", "Location: /elsewhere\r\n")),
        ("nothing", answers_status("204 No Content", "")),
        ("no media type", publishes_with(ACTIVE, "")),
        ("HTML", publishes_with(ACTIVE, &format!("{OF}text/html"))),
        ("a JWT", publishes_with(ACTIVE, &format!("{OF}application/token-introspection+jwt"))),
        ("another JSON", publishes_with(ACTIVE, &format!("{OF}application/jwk-set+json"))),
        ("bytes", publishes_with(ACTIVE, &format!("{OF}application/octet-stream"))),
        ("encoded", publishes_with(ACTIVE, &format!("{OF}application/json\r\nContent-Encoding: gzip"))),
        ("too long", publishes(long)),
        ("no JSON", publishes("active")),
        ("active in quotes", publishes(r#"{"active":"true","aud":"https://api.example.com"}"#)),
        ("active twice", publishes(r#"{"active":false,"active":true,"aud":"https://api.example.com"}"#)),
        (
            "half",
            sends("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"active\":true"),
        ),
        ("no HTTP", sends("{\"active\":true}")),
    ];
    for (what, behaviour) in cases {
        let provider = Provider::start(behaviour);
        let verifier = verifier(asking(&provider));
        let rejection = verifier.verify("Bearer as_1").await.unwrap_err();
        assert_eq!((rejection.status(), rejection.code()), (503, "issuer-unavailable"), "{what}");
        assert!(rejection.retry_after().is_some(), "{what}");
        assert!(!rejection.to_string().contains("as_1"), "{what}");
        provider.becomes(publishes_with(ACTIVE, "content-type: Application/JSON; charset=utf-8"));
        assert!(verifier.verify("Bearer as_1").await.is_ok(), "{what}");
    }
}

#[tokio::test]
async fn a86_endpoint_that_hangs_or_is_down_is_503_and_known_answers_serve() {
    let mut provider = Provider::start(publishes(ACTIVE));
    let verifier = verifier(asking(&provider).timeout(SECOND / 5));
    assert_eq!(code(&verifier, "as_1").await, "accepted");
    provider.becomes(hangs());
    let begin = Instant::now();
    assert_eq!(code(&verifier, "as_2").await, "issuer-unavailable");
    assert!(begin.elapsed() < 10 * SECOND);
    provider.goes_down();
    assert_eq!(code(&verifier, "as_2").await, "issuer-unavailable");
    assert_eq!(code(&verifier, "as_1").await, "accepted");
    provider.becomes(publishes(ACTIVE));
    provider.comes_back();
    assert_eq!(code(&verifier, "as_2").await, "accepted");
}

#[tokio::test]
async fn a86_no_token_goes_to_another_endpoint_than_its_own() {
    let [one, other] = [Provider::start(publishes(ACTIVE)), Provider::start(publishes(ACTIVE))];
    let issuer = |name: &str, prefix, provider| {
        OpaqueIssuer::new(name).token_prefix(prefix).audience(AUDIENCE).introspector(asking(provider).start().unwrap())
    };
    let builder = Engine::builder().opaque_issuer(issuer(NAME, "as_", &one));
    let builder = builder.opaque_issuer(issuer("https://other.example/", "other_", &other));
    let verifier = Verifier::new(builder.build().unwrap());
    assert_eq!(verifier.verify("Bearer as_1").await.unwrap().issuer(), Some(NAME));
    assert_eq!(verifier.verify("Bearer other_1").await.unwrap().issuer(), Some("https://other.example/"));
    for header in ["Bearer xas_1", "as_1", "Basic YXNfMTphc18x", "Bearer", "DPoP as_1"] {
        assert!(verifier.verify(header).await.is_err_and(|rejection| rejection.status() != 503), "{header}");
    }
    let asked = |provider: &Provider| provider.requests().into_iter().map(|request| request.body).collect::<Vec<_>>();
    assert_eq!(asked(&one), ["token=as_1&token_type_hint=access_token"]);
    assert_eq!(asked(&other), ["token=other_1&token_type_hint=access_token"]);
}

/// The budget is one request per second here, so only few tokens are introspected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a86_storm_of_a_million_random_tokens_leads_to_no_more_requests_than_the_budget_has() {
    let provider = Provider::start(publishes(r#"{"active":false}"#));
    provider.answers("/introspect", publishes(r#"{"active":false}"#));
    let introspection = asking(&provider).requests_per_second(10).start().unwrap();
    let verifier = verifier_by(&introspection);
    let begin = Instant::now();
    let storm = |thread: u64| {
        let verifier = verifier.clone();
        async move {
            let mut refused = 0;
            for index in 0..500_000_u64 {
                let token = format!("Bearer as_{:016x}", (2 * index + thread).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let rejection = verifier.verify(&token).await.unwrap_err();
                refused += u32::from(rejection.code() == "budget-spent");
                if rejection.code() == "budget-spent" {
                    assert_eq!((rejection.status(), rejection.retry_after()), (503, Some(1)));
                }
            }
            refused
        }
    };
    let [first, second] = [task::spawn(storm(0)), task::spawn(storm(1))];
    let refused = first.await.unwrap() + second.await.unwrap();
    let budget = 10 + begin.elapsed().as_millis() / 100 + 1;
    let requests = introspection.statistics().requests;
    assert!(u128::from(requests) <= budget, "{requests} of {budget}");
    assert!(provider.request_count() as u64 <= requests);
    assert_eq!(u64::from(refused), introspection.statistics().over_budget);
    assert!(refused > 900_000, "{refused}");
}

#[tokio::test]
async fn questions_under_way_are_bounded() {
    let provider = Provider::start(hangs());
    let verifier = verifier(asking(&provider).requests_per_second(10_000).timeout(SECOND));
    let waiting: Vec<_> =
        (0..limits::MAX_INTROSPECTIONS_AT_A_TIME + 20).map(|index| verify(&verifier, &format!("as_{index}"))).collect();
    let mut codes = Vec::new();
    for verdict in waiting {
        codes.push(verdict.await.unwrap().unwrap_err().code());
    }
    assert_eq!(codes.iter().filter(|code| **code == "budget-spent").count(), 20);
}

#[tokio::test]
async fn secret_in_a_file_is_read_anew_for_each_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "one\n").unwrap();
    let provider = Provider::start(publishes(ACTIVE));
    let builder = Introspection::at(&provider.uri("/introspect")).client_secret("rs1", HeaderSource::file(&file));
    let verifier = verifier(builder);
    assert_eq!(code(&verifier, "as_1").await, "accepted");
    std::fs::write(&file, "two").unwrap();
    assert_eq!(code(&verifier, "as_2").await, "accepted");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code(&verifier, "as_3").await, "issuer-unavailable");
    let asked: Vec<_> =
        provider.requests().into_iter().map(|request| request.fields["authorization"].clone()).collect();
    assert_eq!(asked, ["Basic cnMxOm9uZQ==", "Basic cnMxOnR3bw=="]);
}

#[tokio::test]
async fn key_signs_an_assertion_for_each_request_in_place_of_a_secret() {
    let provider = Provider::start(publishes(ACTIVE));
    let client = key("c1");
    let (uri, keys) = (provider.uri("/introspect"), jwks([&client]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.jwk");
    std::fs::write(&file, client.to_private_jwk().as_bytes()).unwrap();
    let settings = serde_json::json!({
        "endpoint": uri, "client_id": "rs1", "client_key_file": file, "client_assertion_audience": NAME,
    });
    let of_file = Introspection::from_settings(serde_json::from_value(settings).unwrap());
    let given = Introspection::at(&uri).private_key("rs1", client);
    for (builder, audience) in [(given, uri.as_str()), (of_file, NAME)] {
        let verifier = verifier(builder);
        let before = provider.request_count();
        assert_eq!(code(&verifier, "as_1").await, "accepted");
        assert_eq!(code(&verifier, "as_2").await, "accepted");
        let asked = provider.requests().split_off(before);
        let assertion = |body: &str| {
            let (rest, assertion) = body.split_once("&client_assertion=").unwrap();
            let kind = "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
            assert!(rest.starts_with("token=as_") && rest.ends_with(kind), "{rest}");
            assertion.to_owned()
        };
        let assertions: Vec<_> = asked.iter().map(|request| assertion(&request.body)).collect();
        assert_ne!(assertions[0], assertions[1]);
        assert!(asked.iter().all(|request| !request.fields.contains_key("authorization")));
        // Verified as the server would.
        let keys = tollgate::KeySet::builder().jwks(keys.as_bytes()).unwrap().build().unwrap();
        let issuer = tollgate::Issuer::new("rs1").audience(audience).keys(keys).leeway(0);
        let server = Engine::builder().issuer(issuer).build().unwrap();
        for assertion in assertions {
            let principal = server.verify(assertion).unwrap();
            assert_eq!((principal.subject(), principal.key_id()), (Some("rs1"), Some("c1")));
            assert!(principal.credential_id().is_some());
        }
    }
    let both = asking(&provider).private_key("rs1", key("c1"));
    assert_eq!(both.start().unwrap_err().code(), "invalid-client-authentication");
    std::fs::write(&file, "{}").unwrap();
    let settings = serde_json::json!({ "endpoint": uri, "client_id": "rs1", "client_key_file": file });
    let no_key = Introspection::from_settings(serde_json::from_value(settings).unwrap());
    assert_eq!(no_key.start().unwrap_err().code(), "client-key-file");
}

#[tokio::test]
async fn endpoint_behind_tls_is_asked_over_connections_that_are_kept() {
    let authority = Authority::new();
    let provider = Provider::start_tls(publishes(ACTIVE), authority.server("127.0.0.1"));
    let trusting = verifier(asking(&provider).root_certificates(authority.pem().as_bytes()));
    assert_eq!(code(&trusting, "as_1").await, "accepted");
    let other = verifier(asking(&provider).root_certificates(Authority::new().pem().as_bytes()));
    assert_eq!(code(&other, "as_1").await, "issuer-unavailable");
}

#[tokio::test]
async fn endpoint_that_demands_a_certificate_is_shown_one() {
    let [servers, clients] = [Authority::new(), Authority::new()];
    let provider = Provider::start_tls(publishes(ACTIVE), servers.server_for("127.0.0.1", &clients));
    let uri = provider.uri("/introspect");
    let at = || Introspection::at(&uri).root_certificates(servers.pem().as_bytes());
    let (certificate, its_key) = clients.client("rs 1");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let files = [file("rs1.pem", &certificate), file("rs1.key", &its_key), file("ca.pem", servers.pem())];
    let settings = serde_json::json!({
        "endpoint": uri, "client_id": "rs 1", "ca": "ca.pem",
        "client_certificate_file": "rs1.pem", "client_certificate_key_file": "rs1.key",
    });
    let mut settings: tollgate_remote::IntrospectionSettings = serde_json::from_value(settings).unwrap();
    settings.resolve_paths(folder.path());
    for builder in [
        at().client_certificate("rs 1", certificate.as_bytes(), its_key.as_bytes()),
        at().client_certificate_files("rs 1", &files[0], &files[1]),
        Introspection::from_settings(settings),
    ] {
        let before = provider.request_count();
        assert_eq!(code(&verifier(builder), "as_1").await, "accepted");
        let request = &provider.requests()[before];
        assert_eq!(request.body, "token=as_1&token_type_hint=access_token&client_id=rs+1");
        assert!(!request.fields.contains_key("authorization"));
    }
    // With a secret too, the secret authenticates the client.
    let with_secret = at().client_certificate("rs1", certificate.as_bytes(), its_key.as_bytes());
    let with_secret = with_secret.client_secret("rs1", HeaderSource::value("secret"));
    assert_eq!(code(&verifier(with_secret), "as_1").await, "accepted");
    let request = provider.requests().pop().unwrap();
    assert_eq!(request.body, "token=as_1&token_type_hint=access_token");
    assert!(request.fields["authorization"].starts_with("Basic "));
    // Without a certificate, or with someone else's, the server refuses the connection.
    let before = provider.request_count();
    let (of_others, others_key) = servers.client("rs 1");
    let secret = HeaderSource::value("secret");
    for nobody in
        [at().client_secret("rs1", secret), at().client_certificate("rs1", of_others.as_bytes(), others_key.as_bytes())]
    {
        assert_eq!(code(&verifier(nobody), "as_1").await, "issuer-unavailable");
    }
    assert_eq!(provider.request_count(), before);
    // An impossible configuration is refused at the start.
    let refused = |builder: IntrospectionBuilder| builder.start().unwrap_err().code();
    let (certificate, its_key) = (certificate.as_bytes(), its_key.as_bytes());
    for (certificate, key) in
        [(certificate, others_key.as_bytes()), (certificate, certificate), (its_key, its_key), (b"", b"")]
    {
        assert_eq!(refused(at().client_certificate("rs1", certificate, key)), "invalid-client-certificate");
    }
    let absent = at().client_certificate_files("rs1", folder.path().join("absent"), &files[1]);
    assert_eq!(refused(absent), "invalid-client-certificate");
    let plain = Introspection::at("http://127.0.0.1:9/").client_certificate("rs1", certificate, its_key);
    assert_eq!(refused(plain), "invalid-client-authentication");
    let half = serde_json::json!({ "endpoint": uri, "client_id": "rs1", "client_certificate_file": "rs1.pem" });
    let half = Introspection::from_settings(serde_json::from_value(half).unwrap());
    assert_eq!(refused(half), "invalid-client-authentication");
}

#[tokio::test]
async fn what_cannot_work_is_refused_at_the_start() {
    let code = |builder: IntrospectionBuilder| builder.start().unwrap_err().code();
    let at = |uri: &str| Introspection::at(uri).client_secret("rs1", HeaderSource::value("secret"));
    let local = || at("http://127.0.0.1:9/");
    assert!(local().start().is_ok());
    for uri in ["", "introspect", "https://user@as.example/", "ftp://as.example/", "https://as.example/#a"] {
        assert_eq!(code(at(uri)), "invalid-uri", "{uri}");
    }
    assert_eq!(code(at("http://as.example/introspect")), "insecure-uri");
    for nobody in
        [Introspection::at("http://127.0.0.1:9/"), local().header("authorization", HeaderSource::value("Bearer x"))]
    {
        assert_eq!(code(nobody), "invalid-client-authentication");
    }
    let by_token = Introspection::at("http://127.0.0.1:9/").header("authorization", HeaderSource::value("Bearer x"));
    assert!(by_token.start().is_ok());
    assert_eq!(code(local().requests_per_second(0)), "invalid-limit");
    assert_eq!(code(local().requests_per_second(10_001)), "invalid-limit");
    assert_eq!(code(local().timeout(SECOND - SECOND)), "invalid-limit");
    assert_eq!(code(local().timeout(SECOND * 6)), "invalid-limit");
    let shown = format!("{:?}{:?}", local(), local().start().unwrap());
    assert!(!shown.contains("secret\""), "{shown}");
}
