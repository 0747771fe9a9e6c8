//! API keys in a PostgreSQL database that any number of processes follow, on as many hosts: what one makes or revokes counts at all.
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tollgate = "0.1"
//! tollgate-postgres = "0.1"
//! tollgate-storage = "0.1"
//! tollgate-tower = { version = "0.1", features = ["axum"] }
//! ```
//!
//! `two_processes_on_postgres ADDRESS URL` prints a first key when the database at URL (`postgres://USER@HOST/DATABASE`) has none.

#![forbid(unsafe_code)]

use std::error::Error;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Router, routing::delete, routing::get, routing::post};
use tokio::net::TcpListener;
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyState, Revocations};
use tollgate_postgres::{PostgresConfig, PostgresStore};
use tollgate_storage::{Command, Follower, KeyStore, StoredKey, new_key_id};
use tollgate_tower::{AuthLayer, Authenticated, Require};

#[derive(Clone)]
struct Keys {
    store: Arc<dyn KeyStore>,
    format: KeyFormat,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(url)) = (arguments.next(), arguments.next()) else {
        return Err("usage: two_processes_on_postgres ADDRESS URL".into());
    };
    // It makes the tables where they are missing.
    let store = PostgresStore::open(&PostgresConfig::from_url(&url)?).await?;
    let keys = Keys { store: Arc::new(store), format: KeyFormat::new("tg", "live")? };

    let (table, revocations) = (Arc::new(ApiKeyTable::new(keys.format.clone())), Revocations::new());
    // While the database cannot be reached for longer than a minute, nothing is known of revocations: keys are then answered with 503.
    let engine = Engine::builder().api_keys(Arc::clone(&table)).revocations(revocations.clone());
    let engine = engine.require_fresh_api_keys().build()?;
    let mut follower = Follower::new(keys.store.clone(), Arc::clone(&table), revocations);
    follower.load(|_| {}).await?;
    // The database tells each process of each change.
    let _follower = follower.spawn()?;
    if table.is_empty() {
        println!("{}", keys.make("admin", &["write:keys"]).await?);
    }

    let app = Router::new()
        .route("/keys", post(make).layer(Require::scopes(["write:keys"])?))
        .route("/keys/{id}", delete(revoke).layer(Require::scopes(["write:keys"])?))
        .route("/keys/mine", get(mine))
        .with_state(keys)
        .layer(AuthLayer::new(engine));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

impl Keys {
    async fn make(&self, subject: &str, scopes: &[&str]) -> Result<String, Box<dyn Error>> {
        let (key, id) = (ApiKey::generate(&self.format)?, new_key_id("key")?);
        let record = KeyRecord::api_key(&id, subject).scopes(scopes.iter().copied());
        let key_of_store = StoredKey::native(&self.format, &key, record);
        self.store.run(Command::AddKey { key: key_of_store, max: None }).await?;
        Ok(key.as_str().to_owned())
    }
}

/// Answers with the key. Nobody will see it again: its digest is kept.
async fn make(State(keys): State<Keys>) -> Result<String, StatusCode> {
    keys.make("customer", &[]).await.map_err(|error| failed(&*error))
}

async fn mine(Authenticated(principal): Authenticated) -> String {
    format!("{}\n", principal.credential_id().unwrap_or_default())
}

async fn revoke(
    State(keys): State<Keys>,
    axum::extract::Path(id): axum::extract::Path<String>,
) -> Result<StatusCode, StatusCode> {
    keys.store.run(Command::PutKeyInState { id, state: KeyState::Revoked }).await.map_err(|error| failed(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn failed(error: &dyn Error) -> StatusCode {
    eprintln!("{error}");
    StatusCode::SERVICE_UNAVAILABLE
}
