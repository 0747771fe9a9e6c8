//! The middleware and the extractors as an actix-web application meets them.

#![forbid(unsafe_code)]

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpResponse, web};
use serde::Deserialize;
use tollgate::{
    AddressBlock, ApiKey, ApiKeyTable, Dpop, Engine, ForwardedField, KeyFormat, KeyRecord, Rejection, Source, Sources,
    TrustedProxies,
};
use tollgate_actix::{Auth, Authenticated, Claims, Rejected};
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
