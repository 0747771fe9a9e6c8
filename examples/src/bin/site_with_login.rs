//! A web site that knows no passwords: its visitors log in at `tollgate serve`, or at another OAuth 2.0 authorization server, by authorization
//! code and PKCE (RFC 6749 section 4.1, RFC 7636, RFC 9207). The access token is then its visitor's cookie, and an engine verifies it on every request.
//!
//! ```toml
//! [dependencies]
//! axum = { version = "0.8", features = ["query"] }
//! base64-simd = "0.8"
//! reqwest = { version = "0.13", features = ["form", "json"] }
//! ring = "0.17"
//! serde = { version = "1", features = ["derive"] }
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "time"] }
//! tollgate = "0.1"
//! tollgate-remote = "0.1"
//! ```
//!
//! `site_with_login ADDRESS ISSUER CLIENT_ID SECRET_FILE`; the redirect URI to register is `http://ADDRESS/callback`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use base64_simd::URL_SAFE_NO_PAD;
use reqwest::Url;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use tokio::net::TcpListener;
use tollgate::{Engine, Issuer, TypProfile};
use tollgate_remote::{RemoteKeys, Verifier};

struct Site {
    issuer: String,
    client_id: String,
    secret: String,
    redirect_uri: String,
    http: reqwest::Client,
    verifier: Verifier,
}

#[derive(Deserialize)]
struct Callback {
    code: Option<String>,
    error_description: Option<String>,
    state: Option<String>,
    iss: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, issuer, client_id, secret_file] = &arguments[..] else {
        return Err("usage: site_with_login ADDRESS ISSUER CLIENT_ID SECRET_FILE".into());
    };
    let keys = RemoteKeys::from_authorization_server(issuer).start()?;
    // Its access tokens are for its own API, which is what the site would call for the visitor.
    let trusted = Issuer::new(issuer).audience(issuer).typ(TypProfile::AccessToken).keys(keys.key_ring());
    let engine = Engine::builder().issuer(trusted).build()?;
    tokio::time::timeout(Duration::from_secs(10), keys.ready()).await?;

    let listener = TcpListener::bind(address).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let site = Site {
        issuer: issuer.clone(),
        client_id: client_id.clone(),
        secret: std::fs::read_to_string(secret_file)?.trim_end().to_owned(),
        redirect_uri: format!("{origin}/callback"),
        http: reqwest::Client::new(),
        verifier: Verifier::new(engine),
    };
    let app = Router::new()
        .route("/", get(home))
        .route("/login", get(login))
        .route("/callback", get(callback))
        .with_state(Arc::new(site));
    println!("listening on {origin}");
    Ok(axum::serve(listener, app).await?)
}

/// Greets whom the engine accepts.
async fn home(State(site): State<Arc<Site>>, headers: HeaderMap) -> Html<String> {
    let token = cookie(&headers, &site.cookie("token")).unwrap_or_default();
    Html(match site.verifier.verify(format!("Bearer {token}").as_bytes()).await {
        Ok(visitor) => {
            let subject = escaped(visitor.subject().unwrap_or_default());
            format!("<p>Hello, {subject}. You are logged in at {}.", site.client_id)
        }
        Err(_) => format!("<p>You are not logged in at {}. <a href=\"/login\">Log in</a>", site.client_id),
    })
}

/// Sends the visitor to the authorization server; a cookie remembers what has to come back.
async fn login(State(site): State<Arc<Site>>) -> Result<Response, StatusCode> {
    let (state, verifier) = (random()?, random()?);
    let challenge = URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, verifier.as_bytes()).as_ref());
    let parameters = [
        ("response_type", "code"),
        ("client_id", &site.client_id),
        ("redirect_uri", &site.redirect_uri),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let endpoint = format!("{}/oauth/v2/authorize", site.issuer);
    let request = Url::parse_with_params(&endpoint, parameters).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let pending =
        format!("{}={state}.{verifier}; Path=/callback; Max-Age=600; HttpOnly; SameSite=Lax", site.cookie("login"));
    Ok(([(header::SET_COOKIE, pending)], Redirect::to(request.as_str())).into_response())
}

/// Exchanges the code, and keeps the token in the visitor's cookie.
async fn callback(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(back): Query<Callback>,
) -> Result<Response, (StatusCode, String)> {
    let refused = |reason: &str| (StatusCode::BAD_REQUEST, format!("not logged in: {reason}\n"));
    let pending = cookie(&headers, &site.cookie("login")).ok_or_else(|| refused("no login was begun here"))?;
    let (state, verifier) = pending.split_once('.').ok_or_else(|| refused("no login was begun here"))?;
    // Otherwise it is the login of somebody else, or of another server (RFC 9207 section 2.4).
    if back.state.as_deref() != Some(state) || back.iss.as_ref() != Some(&site.issuer) {
        return Err(refused("the answer belongs to another login"));
    }
    let Some(code) = back.code else { return Err(refused(&back.error_description.unwrap_or_default())) };
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &site.redirect_uri),
        ("code_verifier", verifier),
    ];
    let request = site.http.post(format!("{}/oauth/v2/token", site.issuer)).form(&form);
    let answer = request.basic_auth(&site.client_id, Some(&site.secret)).send().await;
    let answer = answer.and_then(reqwest::Response::error_for_status).map_err(|_| refused("the code is not good"))?;
    let token: Token = answer.json().await.map_err(|_| refused("the token endpoint did not answer"))?;
    let (name, Token { access_token, expires_in }) = (site.cookie("token"), token);
    let kept = format!("{name}={access_token}; Path=/; Max-Age={expires_in}; HttpOnly; SameSite=Lax");
    Ok(([(header::SET_COOKIE, kept)], Redirect::to("/")).into_response())
}

impl Site {
    /// The name of a cookie. Sites of one host share their cookies, whatever their ports.
    fn cookie(&self, of: &str) -> String {
        format!("{}-{of}", self.client_id)
    }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = headers.get(header::COOKIE)?.to_str().ok()?.split("; ");
    pairs.filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// As it may stand in an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// 256 bits as base64url, which is a code verifier too (RFC 7636 section 4.1).
fn random() -> Result<String, StatusCode> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(URL_SAFE_NO_PAD.encode_to_string(bytes))
}
