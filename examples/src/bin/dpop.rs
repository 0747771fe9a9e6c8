//! A server of tokens that are bound to a client's key (DPoP, RFC 9449): a stolen token is good for nothing.
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tollgate = "0.1"
//! tollgate-tower = { version = "0.1", features = ["axum"] }
//! ```
//!
//! `dpop ADDRESS JWKS` serves as `https://api.example.com`, behind a proxy that has the certificate.

#![forbid(unsafe_code)]

use std::error::Error;

use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tollgate::{Dpop, Engine, Issuer, KeySet};
use tollgate_tower::{AuthLayer, Authenticated};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(jwks)) = (arguments.next(), arguments.next()) else {
        return Err("usage: dpop ADDRESS JWKS".into());
    };
    let keys = KeySet::builder().jwks(&std::fs::read(jwks)?)?.build()?;
    let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys);
    // A proof is good for 30 s, and once. Several hosts share a `ReplayStore`.
    let engine = Engine::builder().issuer(issuer).dpop(Dpop::new().max_age(30)).build()?;

    // What a proof is for begins with this origin. The Host field would be the sender's word.
    let layer = AuthLayer::new(engine).public_origins(["https://api.example.com"])?;
    let app = Router::new().route("/sites", get(sites)).layer(layer);
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn sites(Authenticated(principal): Authenticated) -> String {
    format!("the sites of {}\n", principal.subject().unwrap_or("nobody"))
}
