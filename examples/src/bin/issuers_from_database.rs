//! Tenants with an issuer each, in a table of a database. They come and go while the server runs.
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! rusqlite = { version = "0.41", features = ["bundled"] }
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "time"] }
//! tollgate = "0.1"
//! tollgate-tower = { version = "0.1", features = ["axum"] }
//! ```
//!
//! `issuers_from_database ADDRESS FILE` follows the table `issuers` of the SQLite file FILE.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, routing::get};
use rusqlite::Connection;
use tokio::net::TcpListener;
use tollgate::{Engine, Issuer, KeySet};
use tollgate_tower::{AuthLayer, Authenticated};

const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS issuers (name TEXT PRIMARY KEY, audience TEXT NOT NULL, jwks BLOB NOT NULL)";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: issuers_from_database ADDRESS FILE".into());
    };
    let database = Connection::open(file)?;
    database.execute_batch(TABLE)?;

    let engine = Arc::new(Engine::builder().issuers_at_run_time().build()?);
    let mut tenants = Tenants::new();
    bring_in_line(&engine, &database, &mut tenants)?;
    tokio::spawn(follow(Arc::clone(&engine), database, tenants));

    let app = Router::new().route("/tenant", get(tenant)).layer(AuthLayer::new(engine));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn tenant(Authenticated(principal): Authenticated) -> String {
    format!("{}\n", principal.issuer().unwrap_or_default())
}

/// What the engine was told: audience and keys of each issuer.
type Tenants = BTreeMap<String, (String, Vec<u8>)>;

/// Looks at the table when another connection has committed something.
async fn follow(engine: Arc<Engine>, database: Connection, mut tenants: Tenants) {
    let mut seen = None;
    loop {
        let version = database.query_row("PRAGMA data_version", (), |row| row.get::<_, i64>(0)).ok();
        if version != seen {
            match bring_in_line(&engine, &database, &mut tenants) {
                Ok(()) => seen = version,
                // The issuers stay as they were until an operator has seen to the row.
                Err(error) => eprintln!("{error}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Tokens of an issuer that has changed are verified anew, those of one that is gone are rejected. The others stay in the cache.
fn bring_in_line(engine: &Engine, database: &Connection, tenants: &mut Tenants) -> Result<(), Box<dyn Error>> {
    let mut select = database.prepare("SELECT name, audience, jwks FROM issuers")?;
    let rows = select.query_map((), |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    let rows = rows.collect::<rusqlite::Result<Tenants>>()?;

    let changed = rows.iter().filter(|(name, row)| tenants.get(*name) != Some(*row));
    let changed = changed.map(|(name, (audience, jwks))| {
        let keys = KeySet::builder().jwks(jwks)?.build()?;
        Ok(Issuer::new(name).audience(audience).keys(keys))
    });
    engine.replace_issuers(changed.collect::<Result<Vec<_>, Box<dyn Error>>>()?)?;
    for name in tenants.keys().filter(|name| !rows.contains_key(*name)) {
        engine.remove_issuer(name);
    }
    *tenants = rows;
    Ok(())
}
