//! Measures a store of keys, and prints the rows of docs/storage.md and docs/postgres.md:
//! `cargo run --release -p tollgate-service --example store_figures -- URL PART...`.
//!
//! URL: a folder, or `postgres://...`; an empty store, which is filled. Parts: `writes`, `revocations`, `verify`, and a number: so many keys
//! are imported, and the whole store is loaded into a table. `ordered-NUMBER` imports keys in the order of their digests, which takes a part of the
//! time and makes no difference to a load; `load` loads what is there.

#![forbid(unsafe_code)]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tollgate::{ApiKey, ApiKeyTable, Digest, Engine, KeyFormat, KeyRecord, KeyState, Revocations};
use tollgate_service::StoreUrl;
use tollgate_storage::limits::LINES_PER_TRANSACTION;
use tollgate_storage::{
    Actor, AuditRecord, Command, Door, Existing, Follower, FollowerThread, KeyStore, StoredKey, new_key_id,
};

/// How long is measured, for each row.
const MEASURED: Duration = Duration::from_secs(5);

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let url = StoreUrl::parse(Path::new(&arguments.next().ok_or("which store?")?))?;
    let store = url.open_keys().await?;
    for part in arguments {
        match part.as_str() {
            "writes" => writes(&store).await?,
            "revocations" => revocations(&url, &store).await?,
            "verify" => verify(&url, &store).await?,
            "load" => load(&store).await?,
            part => {
                let (number, in_order) = part.strip_prefix("ordered-").map_or((part, false), |number| (number, true));
                import(&store, number.parse()?, in_order).await?;
                load(&store).await?;
            }
        }
    }
    Ok(())
}

async fn writes(store: &Arc<dyn KeyStore>) -> Outcome {
    println!("| writers, changes a transaction | transactions/s | changes/s | acknowledged after, median, 99 of 100 |");
    println!("|---|---|---|---|");
    for (writers, batch) in [(1, 1), (8, 1), (64, 1), (64, 10), (64, 100)] {
        let tasks: Vec<_> = (0..writers).map(|_| tokio::spawn(write(Arc::clone(store), batch, MEASURED))).collect();
        let mut delays = Vec::new();
        for task in tasks {
            delays.extend(task.await?);
        }
        delays.sort_unstable();
        let rate = delays.len() as f64 / MEASURED.as_secs_f64();
        let (median, most) = (at(&delays, 0.5), at(&delays, 0.99));
        println!("| {writers}, {batch} | {rate:.0} | {:.0} | {median:.2?}, {most:.2?} |", rate * batch as f64);
    }
    Ok(())
}

/// Adds keys, so many in a transaction, one transaction after the other; how long each took. From 100 keys on they are imported.
async fn write(store: Arc<dyn KeyStore>, batch: usize, length: Duration) -> Vec<Duration> {
    let (end, mut delays) = (Instant::now() + length, Vec::new());
    while Instant::now() < end {
        let keys: Vec<StoredKey> = (0..batch).map(|_| key().expect("the system gives randomness").1).collect();
        let begun = Instant::now();
        if batch < 100 {
            let commands = keys.into_iter().map(|key| Command::AddKey { key, max: None }).collect();
            store.execute(commands).await.expect("the store works");
        } else {
            store.import(keys, Existing::Refuse, &audit()).await.expect("the store works");
        }
        delays.push(begun.elapsed());
    }
    delays
}

/// From the call that revokes a key until each engine rejects it.
async fn revocations(url: &StoreUrl, store: &Arc<dyn KeyStore>) -> Outcome {
    println!("| followers | rejected after, median | 99 of 100 |\n|---|---|---|");
    for count in [1, 8, 32] {
        let mut engines = Vec::new();
        for _ in 0..count {
            engines.push(follow(url).await?);
        }
        let mut delays = Vec::new();
        for _ in 0..100 {
            let (secret, key) = key()?;
            let id = key.record.id().to_owned();
            let (_, added) = store.run(Command::AddKey { key, max: None }).await?;
            for (_, thread) in &engines {
                while !thread.wait_for(added.number, Duration::ZERO) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            let begun = Instant::now();
            let revoked = tokio::spawn({
                let store = Arc::clone(store);
                async move { store.run(Command::PutKeyInState { id, state: KeyState::Revoked }).await.map(drop) }
            });
            let mut left: Vec<&Engine> = engines.iter().map(|(engine, _)| engine).collect();
            while !left.is_empty() {
                left.retain(|engine| {
                    let is_good = engine.verify(secret.as_str()).is_ok();
                    if !is_good {
                        delays.push(begun.elapsed());
                    }
                    is_good
                });
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
            revoked.await??;
        }
        delays.sort_unstable();
        println!("| {count} | {:.1?} | {:.1?} |", at(&delays, 0.5), at(&delays, 0.99));
    }
    Ok(())
}

/// How long a verify takes, while nothing is written, and while eight writers add keys which this engine's follower applies.
async fn verify(url: &StoreUrl, store: &Arc<dyn KeyStore>) -> Outcome {
    let (engine, thread) = follow(url).await?;
    let mut secrets = Vec::new();
    for _ in 0..1_000 {
        let (secret, key) = key()?;
        let (_, added) = store.run(Command::AddKey { key, max: None }).await?;
        assert!(thread.wait_for(added.number, Duration::from_secs(10)), "the follower follows");
        secrets.push(secret);
    }
    println!(
        "| verify of 1,000 API keys in turn | median | 99 of 100 | 999 of 1,000 | changes meanwhile |\n|---|---|---|---|---|"
    );
    let (engine, secrets) = (Arc::new(engine), Arc::new(secrets));
    for (name, writers) in [("quiet", 0), ("8 writers", 8), ("quiet again", 0), ("8 writers again", 8)] {
        let (has_ended, changes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let measured = std::thread::spawn({
            let (engine, secrets, has_ended) = (Arc::clone(&engine), Arc::clone(&secrets), Arc::clone(&has_ended));
            move || {
                let mut delays = Vec::new();
                for secret in secrets.iter().cycle() {
                    if has_ended.load(Ordering::Relaxed) {
                        break;
                    }
                    let begun = Instant::now();
                    let is_good = engine.verify(secret.as_str()).is_ok();
                    delays.push(begun.elapsed());
                    assert!(is_good, "the key is good");
                }
                delays
            }
        });
        let tasks: Vec<_> = (0..writers).map(|_| tokio::spawn(write(Arc::clone(store), 1, MEASURED))).collect();
        if tasks.is_empty() {
            tokio::time::sleep(MEASURED).await;
        }
        for task in tasks {
            changes.fetch_add(task.await?.len() as u64, Ordering::Relaxed);
        }
        has_ended.store(true, Ordering::Relaxed);
        let mut delays = measured.join().map_err(|_| "the thread that verifies panicked")?;
        delays.sort_unstable();
        let [median, most, nearly_all] = [0.5, 0.99, 0.999].map(|share| at(&delays, share));
        println!("| {name} | {median:.2?} | {most:.2?} | {nearly_all:.2?} | {} |", changes.load(Ordering::Relaxed));
    }
    Ok(())
}

/// Imports so many keys.
async fn import(store: &Arc<dyn KeyStore>, keys: u64, in_order: bool) -> Outcome {
    let (begun, mut waited, mut next) = (Instant::now(), Duration::ZERO, 0);
    while next < keys {
        let end = keys.min(next + LINES_PER_TRANSACTION as u64);
        let mut batch = (next..end).map(|_| Ok(key()?.1)).collect::<Outcome<Vec<_>>>()?;
        for (number, key) in (next..end).zip(&mut batch).filter(|_| in_order) {
            let mut digest = *key.digest.as_bytes();
            digest[..8].copy_from_slice(&(number * (u64::MAX / keys)).to_be_bytes());
            key.digest = Digest::from_bytes(digest);
        }
        next = end;
        let sent = Instant::now();
        store.import(batch, Existing::Refuse, &audit()).await?;
        waited += sent.elapsed();
    }
    let took = begun.elapsed();
    println!("| {keys} keys imported | {took:.1?} | of it the store {waited:.1?} |");
    Ok(())
}

/// Loads everything into a table, as an engine does that starts.
async fn load(store: &Arc<dyn KeyStore>) -> Outcome {
    for _ in 0..2 {
        let table = Arc::new(ApiKeyTable::builder(format()?).capacity(store.key_count().await?).build());
        let begun = Instant::now();
        Follower::new(store.clone(), table.clone(), Revocations::new()).load(|_| {}).await?;
        let (took, held) = (begun.elapsed(), table.len());
        println!("| {held} keys loaded | {took:.2?} | {:.0} keys/s |", held as f64 / took.as_secs_f64());
    }
    Ok(())
}

/// An engine with a connection of its own, as another process has.
async fn follow(url: &StoreUrl) -> Outcome<(Engine, FollowerThread)> {
    let (table, revocations) = (Arc::new(ApiKeyTable::new(format()?)), Revocations::new());
    let engine = Engine::builder().api_keys(table.clone()).revocations(revocations.clone()).build()?;
    Ok((engine, Follower::new(url.open_keys().await?, table, revocations).spawn()?))
}

fn at(sorted: &[Duration], share: f64) -> Duration {
    sorted.get((sorted.len().saturating_sub(1) as f64 * share) as usize).copied().unwrap_or_default()
}

fn key() -> Outcome<(ApiKey, StoredKey)> {
    let (format, id) = (format()?, new_key_id("key")?);
    let key = ApiKey::generate(&format)?;
    let [first, second, ..] = *key.digest().as_bytes();
    let subject = format!("user_{}", u16::from_be_bytes([first, second]));
    let stored = StoredKey::native(&format, &key, KeyRecord::api_key(&id, &subject).scopes(["read:sites"]));
    Ok((key, stored))
}

fn format() -> Outcome<KeyFormat> {
    Ok(KeyFormat::new("tg", "live")?)
}

fn audit() -> AuditRecord {
    AuditRecord::new(&Actor::unknown(Door::Service), "api-key.import", "").expect("the system gives randomness")
}
