//! The memory that keys take, and that removed keys leave behind.

use crate::support::{key, live, native};
use allocation_counter::measure;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tollgate_apikeys::{ApiKeyTable, KeyDigest};

/// At ten million keys, the bound is 200 bytes including the names of a usual record. This bound is without names.
const MOST_BYTES_A_KEY: f64 = 130.0;

/// As large as the engine's record.
type Record = [u64; 6];

#[test]
fn a_hundred_thousand_keys_take_at_most_130_bytes_each_and_none_moves() {
    const KEYS: u64 = 100_000;
    let mut table = None;
    let counted = measure(|| {
        let filled = ApiKeyTable::<Record>::builder(live()).capacity(KEYS as usize).build();
        for number in 0..KEYS {
            filled.insert(native(number), [number; 6]);
        }
        table = Some(filled);
    });
    assert_eq!(table.map(|table| table.len()), Some(KEYS as usize));
    let more_while_loading = counted.bytes_max as f64 / counted.bytes_current as f64;
    assert!(more_while_loading < 1.02, "shards were made anew while loading: {more_while_loading}");
    let each = counted.bytes_current as f64 / KEYS as f64;
    println!("{KEYS} keys: {each:.1} bytes each");
    assert!(each <= MOST_BYTES_A_KEY, "{each}");
}

#[test]
fn a63_a_million_keys_that_come_and_go_leave_nothing() {
    keys_that_come_and_go_leave_nothing(1_000_000);
}

#[test]
fn a63_a_hundred_thousand_keys_that_come_and_go_leave_nothing() {
    keys_that_come_and_go_leave_nothing(100_000);
}

/// Attack 63. Keys are inserted, then removed one by one or by a predicate; one key of a hundred stays.
fn keys_that_come_and_go_leave_nothing(keys: u64) {
    let kept = keys / 100;
    let table = ApiKeyTable::<String>::new(live());
    let insert = |number: u64| drop(table.insert(native(number), format!("user-{number}")));
    let before = measure(|| (0..kept).for_each(insert)).bytes_current;
    let counted = measure(|| {
        (kept..keys / 10).for_each(insert);
        (kept..keys / 10).rev().for_each(|number| assert!(table.remove(native(number).digest()).is_some()));
        (keys / 10..keys).for_each(insert);
        let is_kept = |user: &str| user[5..].parse::<u64>().is_ok_and(|number| number < kept);
        assert_eq!(table.retain(|entry| is_kept(entry.record())) as u64, keys - keys / 10);
        // A changed record leaves nothing behind either.
        for round in 0..2 * kept {
            assert!(table.update(native(round % kept).digest(), std::clone::Clone::clone).is_some());
        }
    });
    assert_eq!(table.len() as u64, kept);
    assert!(counted.bytes_current * 10 <= before, "{} bytes stayed beside {before}", counted.bytes_current);
    assert_eq!(table.retain(|_| false) as u64, kept);
    let emptied = measure(|| drop(black_box(table))).bytes_current;
    assert!(emptied > -20_000, "an empty table took {emptied} bytes");
}

/// Attack 63. A replacement that has panicked records no later change.
#[test]
fn a63_changes_after_a_replacement_that_panicked_leave_nothing() {
    let record = Arc::new(7_u64);
    let table = ApiKeyTable::<Arc<u64>>::new(live());
    let entries = std::iter::once_with(|| -> (KeyDigest, Arc<u64>) { panic!("the caller's iterator") });
    assert!(catch_unwind(AssertUnwindSafe(|| table.replace_all(entries))).is_err());
    for number in 0..1_000 {
        table.insert(native(number), record.clone());
        assert!(table.remove(native(number).digest()).is_some());
    }
    assert_eq!(Arc::strong_count(&record), 1);
}

/// Attack 63. Measured by the reference counts of all records.
#[test]
fn a63_a_match_that_is_kept_keeps_its_own_record_alone() {
    let records: Vec<Arc<u64>> = (0..1_000).map(Arc::new).collect();
    let table = ApiKeyTable::<Arc<u64>>::new(live());
    for record in &records {
        table.insert(&key(**record), record.clone());
    }
    let kept = table.find(key(7).as_str().as_bytes()).unwrap();
    let clone = kept.clone();
    let counts = || -> usize { records.iter().map(|record| Arc::strong_count(record) - 1).sum() };
    assert_eq!(counts(), 1_000);
    table.replace_all([(&key(1_000), Arc::new(1_000))]);
    assert_eq!((counts(), Arc::strong_count(&records[7]), **clone.record()), (1, 2, 7));
    let last = table.find(key(1_000).as_str().as_bytes()).unwrap();
    let freed = measure(|| drop(black_box(table)));
    assert!(freed.bytes_current < 0);
    assert_eq!((**last.record(), counts()), (1_000, 1));
    drop((kept, clone));
    assert_eq!(counts(), 0);
}
