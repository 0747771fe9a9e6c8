//! An axum service behind an OpenID provider: keys that are fetched and kept fresh, typed claims, a scope for a route.
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! serde = { version = "1", features = ["derive"] }
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "time"] }
//! tollgate = "0.1"
//! tollgate-remote = "0.1"
//! tollgate-tower = { version = "0.1", features = ["axum", "remote"] }
//! ```
//!
//! `axum ADDRESS ISSUER`; ISSUER is the provider's, as in the `iss` of its tokens: `https://auth.example.com/`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::time::Duration;

use axum::routing::{delete, get};
use axum::{Router, extract::Path};
use serde::Deserialize;
use tokio::net::TcpListener;
use tollgate::{Engine, Issuer, Rejection, TypProfile};
use tollgate_remote::{RemoteKeys, Verifier};
use tollgate_tower::{AuthLayer, Authenticated, Claims, Require};

#[derive(Deserialize)]
struct Tenant {
    tenant: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(name)) = (arguments.next(), arguments.next()) else {
        return Err("usage: axum ADDRESS ISSUER".into());
    };
    let keys = RemoteKeys::from_openid_issuer(&name).start()?;
    let issuer =
        Issuer::new(&name).audience("https://api.example.com").typ(TypProfile::JwtOrAccessToken).keys(keys.key_ring());
    let engine = Engine::builder().issuer(issuer).build()?;
    // The first keys are here before the first request. Without keys every token is rejected.
    tokio::time::timeout(Duration::from_secs(10), keys.ready()).await?;

    let app = Router::new()
        .route("/sites", get(sites).layer(Require::scopes(["read:sites"])?))
        .route("/sites/{id}", delete(remove))
        .route("/healthz", get(|| async { "well\n" }))
        // With a verifier: the first request after a rotation of the provider's keys waits for them.
        .layer(AuthLayer::with_verifier(Verifier::new(engine)).realm("sites")?.public_paths(["/healthz"])?);
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn sites(Claims(Tenant { tenant }): Claims<Tenant>) -> String {
    format!("the sites of {tenant}\n")
}

async fn remove(Authenticated(caller): Authenticated, Path(id): Path<u32>) -> Result<String, Rejection> {
    caller.require_scope("write:sites")?;
    Ok(format!("site {id} is removed by {}\n", caller.subject().unwrap_or("nobody")))
}
