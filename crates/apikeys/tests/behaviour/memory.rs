//! Bytes a key in the table proper, the shared records apart. Run with
//! `cargo test --release -p tollgate-apikeys memory:: -- --ignored --nocapture`.

use allocation_counter::measure;
use std::sync::Arc;
use tollgate_apikeys::{ApiKeyTable, Digest, KeyFormat};

/// From limits.md of the design: at 10 million keys.
const MOST_BYTES_A_KEY: f64 = 80.0;

#[test]
fn a_hundred_thousand_keys_take_at_most_eighty_bytes_each() {
    assert!(bytes_a_key(100_000) <= MOST_BYTES_A_KEY);
}

#[test]
#[ignore = "takes a gigabyte and a minute"]
fn ten_million_keys_take_at_most_eighty_bytes_each() {
    for keys in [1_000, 100_000, 1_000_000] {
        bytes_a_key(keys);
    }
    assert!(bytes_a_key(10_000_000) <= MOST_BYTES_A_KEY);
}

fn bytes_a_key(keys: u32) -> f64 {
    let record = Arc::new(());
    let mut table = None;
    let counted = measure(|| {
        let format = KeyFormat::new("tg", "live").unwrap();
        let filled = ApiKeyTable::with_capacity(format, keys as usize);
        for key in 0..keys {
            filled.insert(Digest::of(&key.to_le_bytes()), record.clone());
        }
        table = Some(filled);
    });
    assert_eq!(table.map(|table| table.len()), Some(keys as usize));
    let more_while_loading = counted.bytes_max as f64 / counted.bytes_current as f64;
    assert!(more_while_loading < 1.02, "shards were moved while loading: {more_while_loading}");
    let each = counted.bytes_current as f64 / f64::from(keys);
    println!("{keys} keys: {each:.1} bytes each");
    each
}
