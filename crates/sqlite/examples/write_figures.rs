//! Measures how many changes a second the store takes, and how soon an engine goes by them, and prints the rows of docs/storage.md:
//! `cargo run --release -p tollgate-sqlite --example write_figures`.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{Duration, Instant};
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyState, Revocations};
use tollgate_sqlite::SqliteKeyStore;
use tollgate_storage::{Command, Follower, KeyStore, StoredKey, new_key_id};

/// How long is measured, for each row.
const MEASURED: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("| writers | changes a second | acknowledged after, median |\n|---|---|---|");
    for writers in [1, 8, 64] {
        let folder = tempfile::tempdir()?;
        let store: Arc<dyn KeyStore> = Arc::new(SqliteKeyStore::open(folder.path())?);
        let tasks: Vec<_> = (0..writers).map(|_| tokio::spawn(write(Arc::clone(&store)))).collect();
        let mut delays = Vec::new();
        for task in tasks {
            delays.extend(task.await?);
        }
        delays.sort_unstable();
        let rate = delays.len() as f64 / MEASURED.as_secs_f64();
        println!("| {writers} | {rate:.0} | {:.2?} |", delays[delays.len() / 2]);
    }
    println!(
        "\n| an engine goes by a revocation, of another process's connection | median | 99 of 100 |\n|---|---|---|"
    );
    for followers in [1, 8] {
        let mut delays = revocations(followers).await?;
        delays.sort_unstable();
        let (median, most) = (delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
        println!("| {followers} followers | {median:.1?} | {most:.1?} |");
    }
    Ok(())
}

/// Adds keys one after the other; how long each took.
async fn write(store: Arc<dyn KeyStore>) -> Vec<Duration> {
    let (end, mut delays) = (Instant::now() + MEASURED, Vec::new());
    while Instant::now() < end {
        let (_, key) = key().expect("the system gives randomness");
        let begun = Instant::now();
        store.run(Command::AddKey { key, max: None }).await.expect("the store works");
        delays.push(begun.elapsed());
    }
    delays
}

/// From the call that revokes until each engine rejects.
async fn revocations(followers: usize) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store: Arc<dyn KeyStore> = Arc::new(SqliteKeyStore::open(folder.path())?);
    let mut engines = Vec::new();
    for _ in 0..followers {
        let (table, revocations) = (Arc::new(ApiKeyTable::new(format()?)), Revocations::new());
        let engine = Engine::builder().api_keys(table.clone()).revocations(revocations.clone()).build()?;
        // A store of its own, as each process has.
        let followed = Arc::new(SqliteKeyStore::open(folder.path())?);
        engines.push((engine, Follower::new(followed, table, revocations).spawn()?));
    }
    let mut delays = Vec::new();
    for _ in 0..100 {
        let (secret, key) = key()?;
        let id = key.record.id().to_owned();
        let (_, added) = store.run(Command::AddKey { key, max: None }).await?;
        assert!(engines.iter().all(|(_, thread)| thread.wait_for(added.number, Duration::from_secs(10))));
        let begun = Instant::now();
        store.run(Command::PutKeyInState { id, state: KeyState::Revoked }).await?;
        for (engine, _) in &engines {
            while engine.verify(secret.as_str()).is_ok() {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            delays.push(begun.elapsed());
        }
    }
    Ok(delays)
}

fn key() -> Result<(ApiKey, StoredKey), Box<dyn std::error::Error>> {
    let (format, id) = (format()?, new_key_id("key")?);
    let key = ApiKey::generate(&format)?;
    let stored = StoredKey::native(&format, &key, KeyRecord::api_key(&id, "user_7").scopes(["read:sites"]));
    Ok((key, stored))
}

fn format() -> Result<KeyFormat, Box<dyn std::error::Error>> {
    Ok(KeyFormat::new("tg", "live")?)
}
