//! A hyper server that verifies every request. The engine is one call, without a framework or a layer.
//!
//! ```toml
//! [dependencies]
//! http-body-util = "0.1"
//! hyper = { version = "1", features = ["http1", "server"] }
//! hyper-util = { version = "0.1", features = ["tokio"] }
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tollgate = "0.1"
//! ```
//!
//! `hyper ADDRESS JWKS` serves the bearers of tokens that `https://auth.example.com/` has signed with a key in the file JWKS.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tollgate::{Engine, Issuer, KeySet, Rejection};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(jwks)) = (arguments.next(), arguments.next()) else {
        return Err("usage: hyper ADDRESS JWKS".into());
    };
    let keys = KeySet::builder().jwks(&std::fs::read(jwks)?)?.build()?;
    let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys);
    let engine = Arc::new(Engine::builder().issuer(issuer).build()?);

    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let response = respond(&engine, &request);
                async { Ok::<_, Infallible>(response) }
            });
            if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                eprintln!("{error}");
            }
        });
    }
}

fn respond(engine: &Engine, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    // With every field that there is: more than one is an error, because a proxy may have looked at the other one.
    let fields = request.headers().get_all(AUTHORIZATION).into_iter();
    let credential = fields.fold(tollgate::Request::new(), tollgate::Request::authorization);
    let verdict = engine.verify_request(&credential).and_then(|principal| {
        principal.require_scope("read:sites")?;
        Ok(principal)
    });
    match verdict {
        Ok(principal) => text(200, format!("the sites of {}\n", principal.subject().unwrap_or("nobody"))),
        Err(rejection) => rejected(&rejection),
    }
}

/// The code is for the log. A client learns no more than the challenge says.
fn rejected(rejection: &Rejection) -> Response<Full<Bytes>> {
    eprintln!("{}: {rejection}", rejection.code());
    let mut response = text(rejection.status(), String::new());
    if let Ok(challenge) = rejection.challenge().to_string().parse() {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = rejection.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn text(status: u16, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}
