//! An actix-web server: a middleware verifies, extractors tell who is calling.
//!
//! ```toml
//! [dependencies]
//! actix-web = "4"
//! serde = { version = "1", features = ["derive"] }
//! tollgate = "0.1"
//! tollgate-actix = "0.1"
//! ```
//!
//! `actix ADDRESS JWKS` serves the bearers of tokens that `https://auth.example.com/` has signed with a key in the file JWKS. A token stands in
//! Authorization, or in the cookie `__Host-session`.

#![forbid(unsafe_code)]

use std::error::Error;

use actix_web::{App, HttpServer, web};
use serde::Deserialize;
use tollgate::{Engine, Issuer, KeySet, Source, Sources};
use tollgate_actix::{Auth, Authenticated, Claims, Rejected};

#[derive(Deserialize)]
struct Caller {
    sub: String,
}

async fn sites(Claims(Caller { sub }): Claims<Caller>) -> String {
    format!("the sites of {sub}\n")
}

async fn remove(Authenticated(caller): Authenticated) -> Result<String, Rejected> {
    caller.require_scope("write:sites")?;
    Ok("removed\n".to_owned())
}

async fn healthz() -> &'static str {
    "well\n"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(jwks)) = (arguments.next(), arguments.next()) else {
        return Err("usage: actix ADDRESS JWKS".into());
    };
    let keys = KeySet::builder().jwks(&std::fs::read(jwks)?)?.build()?;
    let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys);
    let sources = Sources::new([Source::authorization(), Source::cookie("__Host-session")?]);
    let auth = Auth::new(Engine::builder().issuer(issuer).build()?).realm("sites").sources(sources);

    let server = HttpServer::new(move || {
        let sites = web::resource("/sites").get(sites).delete(remove).wrap(auth.clone());
        App::new().route("/healthz", web::get().to(healthz)).service(sites)
    });
    let server = server.workers(2).bind(address)?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await?;
    Ok(())
}
