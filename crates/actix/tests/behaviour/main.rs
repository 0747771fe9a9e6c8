//! The middleware and the extractors as an actix-web application meets them.

#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Deserialize;
use tollgate::jwt::base64url;
use tollgate::keys::sha256;
use tollgate::{
    AddressBlock, ApiKey, ApiKeyTable, CertificateField, Dpop, Engine, ForwardedField, Issuer, KeyFormat, KeyRecord,
    Rejection, Source, Sources, TrustedProxies,
};
use tollgate_actix::{Auth, Authenticated, Claims, PeerCertificate, Rejected};
use tollgate_issuer::{Minter, SigningKey, SigningKeys};
use tollgate_remote::{RemoteKeys, Verifier};
use tollgate_tests::{Draft, NOW, issuer, signing_key};

/// An engine, a key with the scope `read:sites`, one for 192.0.2.0/24 alone, and a JWT.
struct Fixture {
    auth: Auth,
    key: String,
    bound: String,
    jwt: String,
}

impl Fixture {
    fn new() -> Self {
        let signer = signing_key(tollgate::Algorithm::ES256, 0);
        let format = KeyFormat::new("tg", "test").unwrap();
        let [key, bound] = std::array::from_fn(|_| ApiKey::generate(&format).unwrap());
        let table = ApiKeyTable::new(format);
        table.insert(&key, KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]));
        let here: [AddressBlock; 1] = ["192.0.2.0/24".parse().unwrap()];
        table.insert(&bound, KeyRecord::api_key("key_2", "user_9").allowed_addresses(here));
        let engine = Engine::builder().issuer(issuer([&signer])).api_keys(table).dpop(Dpop::new());
        let jwt = Draft::new(&signer).claim("tenant", 7).sign(&signer);
        let auth = Auth::new(engine.clock(|| NOW).build().unwrap());
        Fixture { auth, key: key.as_str().to_owned(), bound: bound.as_str().to_owned(), jwt }
    }
}

#[derive(Deserialize)]
struct Tenant {
    tenant: u32,
}

async fn who(caller: Option<Authenticated>) -> String {
    caller.and_then(|caller| caller.0.subject().map(str::to_owned)).unwrap_or_else(|| "nobody".to_owned())
}

async fn sites(Authenticated(caller): Authenticated) -> Result<HttpResponse, Rejected> {
    caller.require_scope("read:sites")?;
    Ok(HttpResponse::Ok().body("sites"))
}

async fn users(Authenticated(caller): Authenticated) -> Result<String, Rejected> {
    caller.require_scope("read:users")?;
    Ok("users".to_owned())
}

async fn tenant(Claims(Tenant { tenant }): Claims<Tenant>) -> String {
    tenant.to_string()
}

/// What an application behind `auth` answers.
async fn answer(auth: &Auth, request: TestRequest) -> ServiceResponse<impl MessageBody + use<>> {
    let app = App::new()
        .wrap(auth.clone())
        .route("/who", web::to(who))
        .route("/sites", web::to(sites))
        .route("/users", web::to(users))
        .route("/tenant", web::to(tenant));
    call_service(&init_service(app).await, request.to_request()).await
}

async fn text(response: ServiceResponse<impl MessageBody>) -> String {
    String::from_utf8(read_body(response).await.to_vec()).unwrap()
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

fn challenge<B>(response: &ServiceResponse<B>) -> &str {
    response.headers().get("www-authenticate").unwrap().to_str().unwrap()
}

#[actix_web::test]
async fn a_good_credential_passes_with_its_principal() {
    let fixture = Fixture::new();
    for (authorization, subject) in [(&fixture.key, "user_7"), (&format!("Bearer {}", fixture.jwt), "user-1")] {
        let response =
            answer(&fixture.auth, get("/who").insert_header(("authorization", authorization.as_str()))).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(response).await, subject);
    }
    assert_eq!(
        text(answer(&fixture.auth, get("/sites").insert_header(("authorization", fixture.key.as_str()))).await).await,
        "sites"
    );
}

#[actix_web::test]
async fn everything_else_is_answered_with_status_and_challenge() {
    let fixture = Fixture::new();
    let auth = fixture.auth.clone().realm("sites");
    let response = answer(&auth, get("/who")).await;
    assert_eq!((response.status().as_u16(), challenge(&response)), (401, r#"Bearer realm="sites""#));
    let rejected = response.response().extensions().get::<Rejected>().cloned();
    assert_eq!(rejected, Some(Rejected(Rejection::MissingCredential)));
    let response = answer(&auth, get("/who").insert_header(("authorization", "Bearer x"))).await;
    assert_eq!(challenge(&response), r#"Bearer realm="sites", error="invalid_token""#);
    let two = get("/who").append_header(("authorization", "a")).append_header(("authorization", "b"));
    assert_eq!(answer(&auth, two).await.status(), StatusCode::BAD_REQUEST);
    let query = get("/who?access_token=x").insert_header(("authorization", fixture.key.as_str()));
    assert_eq!(answer(&auth, query).await.status(), StatusCode::BAD_REQUEST);
    let forbidden = answer(&auth, get("/users").insert_header(("authorization", fixture.key.as_str()))).await;
    assert_eq!(forbidden.status(), StatusCode::FORBIDDEN);
    assert_eq!(challenge(&forbidden), r#"Bearer error="insufficient_scope", scope="read:users""#);
}

#[actix_web::test]
async fn optional_lets_only_the_absent_credential_pass() {
    let fixture = Fixture::new();
    let auth = fixture.auth.clone().optional();
    assert_eq!(text(answer(&auth, get("/who")).await).await, "nobody");
    assert_eq!(answer(&auth, get("/sites")).await.status(), StatusCode::UNAUTHORIZED, "the extractor");
    let bad = get("/who").insert_header(("authorization", "Bearer x"));
    assert_eq!(answer(&auth, bad).await.status(), StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn typed_claims_are_extracted() {
    let fixture = Fixture::new();
    let jwt = format!("Bearer {}", fixture.jwt);
    assert_eq!(text(answer(&fixture.auth, get("/tenant").insert_header(("authorization", jwt))).await).await, "7");
    let key = get("/tenant").insert_header(("authorization", fixture.key.as_str()));
    let response = answer(&fixture.auth, key).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(response.response().error().unwrap().to_string().contains("tenant"));
}

#[actix_web::test]
async fn credentials_stand_where_the_sources_say() {
    let fixture = Fixture::new();
    let sources = Sources::new([Source::authorization(), Source::cookie("session").unwrap()]);
    let auth = fixture.auth.clone().sources(sources);
    let cookie = format!("session={}", fixture.key);
    let with = |request: TestRequest| request.insert_header(("cookie", cookie.as_str()));
    assert_eq!(text(answer(&auth, with(get("/who"))).await).await, "user_7");
    let both = with(get("/who")).insert_header(("authorization", fixture.key.as_str()));
    assert_eq!(answer(&auth, both).await.status(), StatusCode::BAD_REQUEST);
    let cross_site = with(TestRequest::post().uri("/who")).insert_header(("sec-fetch-site", "cross-site"));
    assert_eq!(answer(&auth, cross_site).await.status(), StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a56_an_address_is_that_of_the_peer_or_of_trusted_proxies() {
    let fixture = Fixture::new();
    let from = |peer: &str| get("/who").peer_addr(format!("{peer}:40000").parse().unwrap());
    let with = |request: TestRequest| request.insert_header(("authorization", fixture.bound.as_str()));
    assert_eq!(answer(&fixture.auth, with(get("/who"))).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(text(answer(&fixture.auth, with(from("192.0.2.7"))).await).await, "user_9");
    let forwarded = || with(from("198.51.100.1")).insert_header(("x-forwarded-for", "192.0.2.7"));
    assert_eq!(answer(&fixture.auth, forwarded()).await.status(), StatusCode::FORBIDDEN);
    let proxies = TrustedProxies::new(["198.51.100.0/24".parse().unwrap()], ForwardedField::XForwardedFor);
    let behind = fixture.auth.clone().trusted_proxies(proxies);
    assert_eq!(text(answer(&behind, forwarded()).await).await, "user_9");
}

#[actix_web::test]
async fn a52_a_certificate_is_that_of_the_connection_or_of_trusted_proxies() {
    let signer = signing_key(tollgate::Algorithm::ES256, 0);
    let cnf = serde_json::json!({ "x5t#S256": base64url::encode(sha256(b"own")) });
    let bearer = format!("Bearer {}", Draft::new(&signer).claim("cnf", cnf).sign(&signer));
    let auth = Auth::new(Engine::builder().issuer(issuer([&signer])).clock(|| NOW).build().unwrap());
    let proxies = TrustedProxies::nameless(["198.51.100.0/24".parse().unwrap()]);
    let behind = auth.clone().trusted_proxies(proxies.client_certificate(CertificateField::ClientCert));
    let from = |peer: &str| {
        let request = get("/who").peer_addr(format!("{peer}:40000").parse().unwrap());
        request.insert_header(("authorization", bearer.as_str()))
    };
    // RFC 9440: the DER in base64 between colons.
    let named = |request: TestRequest| request.insert_header(("client-cert", ":b3du:"));
    assert_eq!(answer(&behind, named(from("198.51.100.1"))).await.status(), StatusCode::OK);
    assert_eq!(answer(&behind, named(from("203.0.113.1"))).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer(&auth, named(from("198.51.100.1"))).await.status(), StatusCode::UNAUTHORIZED);

    // A real connection, of whose handshake the server is told.
    for (certificate, expected) in [(Some(&b"own"[..]), 200), (Some(b"other"), 401), (None, 401)] {
        let auth = auth.clone();
        let server = HttpServer::new(move || App::new().wrap(auth.clone()).route("/who", web::to(who)))
            .on_connect(move |_, data| {
                if let Some(der) = certificate {
                    data.insert(PeerCertificate::from_der(der));
                }
            })
            .workers(1)
            .bind("127.0.0.1:0")
            .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        assert_eq!(status(address, &bearer).await, expected, "{certificate:?}");
        handle.stop(false).await;
    }
}

#[actix_web::test]
async fn a_verifier_waits_for_a_key_that_was_just_published() {
    let key = || SigningKey::generate(tollgate::Algorithm::ES256).unwrap();
    let signing_keys = Arc::new(SigningKeys::new(key()));
    let published = Arc::clone(&signing_keys);
    let provider = HttpServer::new(move || {
        let published = Arc::clone(&published);
        let jwks = move || HttpResponse::Ok().content_type("application/json").body(published.jwks().to_string());
        App::new().route("/jwks", web::get().to(move || std::future::ready(jwks())))
    });
    let provider = provider.workers(1).bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/jwks", provider.addrs()[0]);
    actix_web::rt::spawn(provider.run());
    let keys = RemoteKeys::from_jwks_uri(&uri).start().unwrap();
    keys.ready().await;
    let issuer = Issuer::new("https://as.example").audience("https://api.example").keys(keys.key_ring());
    let engine = Arc::new(Engine::builder().issuer(issuer).build().unwrap());
    let minter = Minter::new("https://as.example", Arc::clone(&signing_keys)).unwrap();
    let bearer =
        || format!("Bearer {}", minter.token().subject("user_7").audience("https://api.example").mint().unwrap());
    let with = |bearer: &str| get("/who").insert_header(("authorization", bearer));

    let (deciding, waiting) = (Auth::new(Arc::clone(&engine)), Auth::with_verifier(Verifier::new(engine)));
    assert_eq!(text(answer(&deciding, with(&bearer())).await).await, "user_7");
    signing_keys.announce(key(), 1).unwrap();
    signing_keys.rotate(1).unwrap();
    let new = bearer();
    assert_eq!(text(answer(&waiting, with(&new)).await).await, "user_7");
    // It was fetched by then.
    assert_eq!(text(answer(&deciding, with(&new)).await).await, "user_7");
    // What no fetch helps is answered all the same.
    let forged = format!("{}.{}", new.rsplit_once('.').unwrap().0, "A".repeat(86));
    assert_eq!(answer(&waiting, with(&forged)).await.status(), StatusCode::UNAUTHORIZED);
}

/// What a server answers over a connection of its own.
async fn status(address: SocketAddr, authorization: &str) -> u16 {
    let request =
        format!("GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {authorization}\r\n\r\n");
    let asking = web::block(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    asking.await.unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}
