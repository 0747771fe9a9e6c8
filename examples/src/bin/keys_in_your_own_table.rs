//! API keys in a table that was there before: its own columns, one digest a key, and a `revoked` that somebody may set.
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
//! `keys_in_your_own_table ADDRESS FILE OWNER` makes a key for OWNER in the SQLite file FILE, prints it, and serves.

#![forbid(unsafe_code)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, routing::get};
use rusqlite::Connection;
use tokio::net::TcpListener;
use tollgate::apikeys::KeyDigest;
use tollgate::{ApiKey, ApiKeyTable, Digest, Engine, KeyFormat, KeyRecord};
use tollgate_tower::{AuthLayer, Authenticated};

/// The row's number is its name in logs; the digest alone is kept of the key.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS customer_keys (
    number INTEGER PRIMARY KEY, owner TEXT NOT NULL, scopes TEXT NOT NULL, sha256 BLOB NOT NULL UNIQUE, revoked INTEGER NOT NULL DEFAULT 0)";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file), Some(owner)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: keys_in_your_own_table ADDRESS FILE OWNER".into());
    };
    let database = Connection::open(file)?;
    database.execute_batch(TABLE)?;
    let format = KeyFormat::new("shop", "live")?;
    let key = ApiKey::generate(&format)?;
    let insert = "INSERT INTO customer_keys (owner, scopes, sha256) VALUES (?1, 'read:orders', ?2)";
    database.execute(insert, (&owner, key.digest().as_bytes()))?;
    println!("{}", key.as_str());

    let table = Arc::new(ApiKeyTable::new(format));
    load(&database, &table)?;
    let engine = Engine::builder().api_keys(Arc::clone(&table)).build()?;
    tokio::spawn(follow(database, table));

    let app = Router::new().route("/orders", get(orders)).layer(AuthLayer::new(engine));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn orders(Authenticated(principal): Authenticated) -> String {
    format!("the orders of {}\n", principal.subject().unwrap_or_default())
}

/// Loads the table anew when another connection has committed something, which serves for some ten thousand keys. For more, or
/// for several hosts, `tollgate-storage` has a feed of changes.
async fn follow(database: Connection, table: Arc<ApiKeyTable<KeyRecord>>) {
    let mut seen = None;
    loop {
        let version = database.query_row("PRAGMA data_version", (), |row| row.get::<_, i64>(0)).ok();
        if version != seen {
            match load(&database, &table) {
                Ok(()) => seen = version,
                Err(error) => eprintln!("{error}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Replaces all keys at once: a key that is not among them is rejected from then on, and every other is accepted throughout.
fn load(database: &Connection, table: &ApiKeyTable<KeyRecord>) -> rusqlite::Result<()> {
    let mut select = database.prepare("SELECT number, owner, scopes, sha256 FROM customer_keys WHERE NOT revoked")?;
    let keys = select.query_map((), |row| {
        let (number, owner, scopes): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let record = KeyRecord::api_key(&format!("key {number}"), &owner).scopes(scopes.split(' ')).build();
        Ok((KeyDigest::Native(Digest::from_bytes(row.get(3)?)), record))
    })?;
    table.replace_all(keys.collect::<rusqlite::Result<Vec<_>>>()?);
    Ok(())
}
