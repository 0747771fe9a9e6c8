//! Attacks on the table, by their number in SECURITY.md.

use crate::support::{number_of, record};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tollgate_apikeys::{ApiKey, ApiKeyTable, Digest, Flaw, KeyError, KeyFormat};

/// Every bit of the digest counts: wherever it lies, one wrong bit is a miss.
#[test]
fn a45_a_digest_that_differs_in_one_bit_does_not_match() {
    let table = ApiKeyTable::new(live());
    let key = ApiKey::danger_from_entropy(&live(), &[45; 32]);
    for bit in 0..256 {
        let mut near = *key.digest().as_bytes();
        near[bit / 8] ^= 1 << (bit % 8);
        let near = Digest::from_bytes(near);
        assert_ne!(near, key.digest());
        table.insert(near, record(bit as u64));
    }
    assert_eq!(table.len(), 256);
    assert_eq!(table.find(key.as_str().as_bytes()).unwrap_err(), KeyError::Unknown);
    table.insert(key.digest(), record(256));
    assert_eq!(number_of(table.find(key.as_str().as_bytes()).unwrap()), 256);
}

/// Digests alone open nothing: presented as keys they are garbage.
#[test]
fn a45_a_stolen_digest_is_not_a_key() {
    let table = ApiKeyTable::new(live());
    let key = ApiKey::danger_from_entropy(&live(), &[45; 32]);
    table.insert(key.digest(), Arc::new(()));
    let hex = key.digest().to_hex();
    for stolen in [key.digest().as_bytes().as_slice(), hex.as_bytes()] {
        assert_eq!(table.find(stolen).unwrap_err(), KeyError::Malformed(Flaw::Prefix));
    }
}

/// Digests chosen to agree wherever an unkeyed table would look: in their first half, in their last, or in all but a
/// counter. Inserting and finding them costs what random ones cost; were they to pile up, it would be hundreds of times
/// that.
#[test]
fn a46_digests_chosen_to_collide_cost_no_more_than_random_ones() {
    const KEYS: u32 = 20_000;
    let random = |n: u32| *Digest::of(&n.to_le_bytes()).as_bytes();
    let ordinary = cost(KEYS, random);
    let choices: [(&str, Choose); 3] = [
        ("first half", |digest| digest[..16].fill(0)),
        ("last half", |digest| digest[16..].fill(0)),
        ("all but four bytes", |digest| digest[4..].fill(0xA5)),
    ];
    for (equal, make_equal) in choices {
        let chosen = cost(KEYS, |n| {
            let mut digest = random(n);
            make_equal(&mut digest);
            digest
        });
        // Wide, for busy machines; a pile of 20,000 exceeds it many times over.
        let bound = ordinary * 20 + Duration::from_millis(50);
        assert!(chosen < bound, "{equal}: {chosen:?} against {ordinary:?}");
    }
}

type Choose = fn(&mut [u8; 32]);

fn cost(keys: u32, digest: impl Fn(u32) -> [u8; 32]) -> Duration {
    let table = ApiKeyTable::with_capacity(live(), keys as usize);
    let record = Arc::new(());
    let digests: Vec<_> = (0..keys).map(|n| Digest::from_bytes(digest(n))).collect();
    let start = Instant::now();
    for &digest in &digests {
        table.insert(digest, record.clone());
    }
    assert!(digests.iter().all(|digest| black_box(table.get(digest)).is_some()));
    start.elapsed()
}

fn live() -> KeyFormat {
    KeyFormat::new("tg", "live").unwrap()
}
