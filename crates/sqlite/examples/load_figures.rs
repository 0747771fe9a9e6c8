//! Measures import, export and load at the numbers of keys given as arguments and prints a row of docs/storage.md for each:
//! `cargo run --release -p tollgate-sqlite --example load_figures -- 100000 1000000 10000000`.
//!
//! Ten million keys need some 5 GB of disk in the folder for temporary files, and many minutes. With
//! `TOLLGATE_FIGURES_IN=FOLDER` the stores are kept in that folder, and another run only loads them.

#![forbid(unsafe_code)]

use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tollgate::{ApiKey, ApiKeyTable, KeyFormat, Revocations};
use tollgate_sqlite::SqliteKeyStore;
use tollgate_storage::{FileFormat, Follower, Import, KeyStore, export_keys};

const SCOPE_SETS: [&str; 10] = ["a", "b", "a b", "c", "a c", "b c", "a b c", "d", "a d", "b d"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "| keys | file | import | export | store on disk | load into the table | of it processor | resident for it | keys a second |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for keys in std::env::args().skip(1).filter_map(|keys| keys.parse().ok()) {
        row(keys).await?;
    }
    Ok(())
}

async fn row(keys: u64) -> Result<(), Box<dyn std::error::Error>> {
    let format = KeyFormat::new("tg", "live")?;
    let temporary = tempfile::tempdir()?;
    let folder = match std::env::var_os("TOLLGATE_FIGURES_IN") {
        Some(kept) => PathBuf::from(kept).join(keys.to_string()),
        None => temporary.path().to_owned(),
    };
    std::fs::create_dir_all(&folder)?;
    let store = SqliteKeyStore::open(&folder)?;
    let written = if store.key_count().await? as u64 == keys {
        "| | | |".to_owned()
    } else {
        write(&store, &folder.join("keys.csv"), &format, keys).await?
    };
    let on_disk = std::fs::metadata(store.file())?.len();

    let (before, worked) = (resident(), processor_seconds());
    let start = Instant::now();
    let table = Arc::new(ApiKeyTable::builder(format.clone()).capacity(store.key_count().await?).build());
    let mut follower = Follower::new(Arc::new(store), table.clone(), Revocations::new());
    follower.load(|_| {}).await?;
    let (load, worked) = (start.elapsed(), processor_seconds() - worked);
    assert_eq!(table.len() as u64, keys);
    assert!(table.find(key(&format, keys / 2).as_str().as_bytes()).is_ok());
    println!(
        "| {keys} {written} {} MB | {load:.2?} | {worked:.2} s | {} B a key | {:.0} |",
        on_disk / 1_000_000,
        resident().saturating_sub(before) / keys,
        keys as f64 / load.as_secs_f64(),
    );
    Ok(())
}

/// Imports that many keys and exports them again. Returns these columns of the row.
async fn write(
    store: &SqliteKeyStore,
    file: &Path,
    format: &KeyFormat,
    keys: u64,
) -> Result<String, Box<dyn std::error::Error>> {
    write_file(file, format, keys)?;
    let start = Instant::now();
    Import::new(FileFormat::Csv).run(store, &mut BufReader::new(std::fs::File::open(file)?)).await?;
    let import = start.elapsed();
    let start = Instant::now();
    export_keys(store, FileFormat::JsonLines, &mut std::io::sink(), &mut |_| {}).await?;
    let export = start.elapsed();
    let bytes = std::fs::metadata(file)?.len();
    std::fs::remove_file(file)?;
    Ok(format!("| {} MB | {import:.1?} | {export:.1?} |", bytes / 1_000_000))
}

fn write_file(path: &Path, format: &KeyFormat, keys: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "digest,id,kind,subject,scopes,created_at,prefix,env")?;
    for number in 0..keys {
        let (digest, user) = (key(format, number).digest().to_hex(), number % 100_000);
        let scopes = SCOPE_SETS[number as usize % SCOPE_SETS.len()];
        writeln!(file, "{digest},key_{number:026},api-key,user_{user},{scopes},1763800000,tg,live")?;
    }
    file.flush()
}

fn key(format: &KeyFormat, number: u64) -> ApiKey {
    let mut entropy = [0; 32];
    for (lane, bytes) in (0..).zip(entropy.chunks_exact_mut(8)) {
        // One step of splitmix64.
        let n = (number * 4 + lane + 1_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bytes.copy_from_slice(&(n ^ (n >> 31)).to_le_bytes());
    }
    ApiKey::danger_from_entropy(format, &entropy)
}

/// The processor time of all threads, in seconds; 0 if `/proc` is not as on Linux.
fn processor_seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time, in hundredths.
    status.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The memory of this process, in bytes; 0 if `/proc` is not as on Linux.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0_u64);
    pages * 4096
}
