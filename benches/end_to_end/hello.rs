//! A server that says hello, for load tests: without authentication, behind tollgate, or behind jsonwebtoken.
//!
//!     hello none|tollgate|jsonwebtoken ALG TOKENS_FILE
//!
//! It writes 1,000 good tokens to the file, one a line, prints its address and serves until it is killed. Every variant
//! gets the same requests; the first ignores the tokens.

#![forbid(unsafe_code)]

use std::io::Write;
use std::sync::Arc;
use std::{env, fs, io};

use axum::Router;
use axum::routing::get;
use tollgate::Algorithm;
use tollgate_bench::unix_time;
use tollgate_issuer::SigningKey;
use tollgate_tests::{engine, signing_key, traffic_token};
use tollgate_tower::AuthLayer;

const TOKENS: usize = 1_000;

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [variant, algorithm, tokens_file] = arguments.as_slice() else {
        return Err(io::Error::other("give none, tollgate or jsonwebtoken; an algorithm; a file for the tokens"));
    };
    let algorithm = Algorithm::from_name(algorithm).ok_or_else(|| io::Error::other("no such algorithm"))?;
    let key = signing_key(algorithm, 0);
    let now = unix_time();
    let tokens: Vec<String> = (0..TOKENS).map(|index| traffic_token(&key, index, now)).collect();
    fs::write(tokens_file, tokens.join("\n") + "\n")?;

    let hello = Router::new().route("/", get(|| async { "hello" }));
    let server = match variant.as_str() {
        "none" => hello,
        "tollgate" => hello.layer(AuthLayer::new(Arc::new(engine([&key])))),
        "jsonwebtoken" => behind_jsonwebtoken(hello, &key)?,
        _ => return Err(io::Error::other("no such variant")),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    io::stdout().flush()?;
    axum::serve(listener, server).await
}

#[cfg(not(feature = "peers"))]
fn behind_jsonwebtoken(_: Router, _: &SigningKey) -> io::Result<Router> {
    Err(io::Error::other("jsonwebtoken comes with the feature `peers`"))
}

/// A hand-written middleware: puts the claims into the request's extensions, and answers a bad token with 401.
#[cfg(feature = "peers")]
fn behind_jsonwebtoken(hello: Router, key: &SigningKey) -> io::Result<Router> {
    use axum::extract::{Request, State};
    use axum::http::{StatusCode, header::AUTHORIZATION};
    use axum::middleware::{Next, from_fn_with_state};
    use axum::response::Response;
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use tollgate_tests::{AUDIENCE, ISSUER};

    #[derive(Clone, serde::Deserialize)]
    #[expect(dead_code, reason = "read by nobody here, as by a handler that only says hello")]
    struct Claims {
        iss: String,
        sub: String,
        aud: Vec<String>,
        exp: i64,
        jti: String,
        client_id: String,
        scope: String,
        roles: Vec<String>,
        email: String,
    }

    struct Verifier {
        key: DecodingKey,
        validation: Validation,
    }

    async fn authenticate(
        State(verifier): State<Arc<Verifier>>,
        mut request: Request,
        next: Next,
    ) -> Result<Response, StatusCode> {
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
        let claims =
            decode::<Claims>(token, &verifier.key, &verifier.validation).map_err(|_| StatusCode::UNAUTHORIZED)?.claims;
        request.extensions_mut().insert(claims);
        Ok(next.run(request).await)
    }

    let public = serde_json::from_str(&key.public_jwk().unwrap_or_default())?;
    let mut validation = Validation::new(key.algorithm().name().parse().map_err(io::Error::other)?);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    let key = DecodingKey::from_jwk(&public).map_err(io::Error::other)?;
    Ok(hello.layer(from_fn_with_state(Arc::new(Verifier { key, validation }), authenticate)))
}
