//! Attacks on the table, by their number in SECURITY.md.

use crate::support::{key, live, native, scrambled};
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tollgate_apikeys::{ApiKeyTable, Digest, Flaw, KeyDigest, KeyError};

/// One wrong bit anywhere in the digest is a miss.
#[test]
fn a45_a_digest_that_differs_in_one_bit_does_not_match() {
    let table = ApiKeyTable::<usize>::new(live());
    let key = key(45);
    for bit in 0..256 {
        let mut near = *key.digest().as_bytes();
        near[bit / 8] ^= 1 << (bit % 8);
        let near = Digest::from_bytes(near);
        assert_ne!(near, key.digest());
        table.insert(KeyDigest::Native(near), bit);
    }
    assert_eq!(table.len(), 256);
    assert_eq!(table.find(key.as_str().as_bytes()).unwrap_err(), KeyError::Unknown);
    table.insert(&key, 256_usize);
    assert_eq!(*table.find(key.as_str().as_bytes()).unwrap().record(), 256);
}

/// A stolen digest is no credential: presented as a key, it is garbage.
#[test]
fn a45_a_stolen_digest_is_not_a_key() {
    let table = ApiKeyTable::<()>::new(live());
    let key = key(45);
    table.insert(&key, ());
    let hex = key.digest().to_hex();
    for stolen in [key.digest().as_bytes().as_slice(), hex.as_bytes()] {
        assert_eq!(table.find(stolen).unwrap_err(), KeyError::Malformed(Flaw::Prefix));
    }
}

/// Digests chosen to collide in an unkeyed table. Inserting and finding them must cost what random digests cost; if
/// they collided, it would cost hundreds of times that. A native key's position depends on its checksum alone, and
/// hitting another key's checksum takes 2^32 draws. So the native digests here agree in all other bytes, or have
/// checksums in sequence.
#[test]
fn a46_digests_chosen_to_collide_cost_no_more_than_random_ones() {
    const KEYS: u64 = 20_000;
    let ordinary = cost(KEYS, KeyDigest::Native, |_, _| {});
    type Choose = fn(&mut [u8; 32], u64);
    type Origin = fn(Digest) -> KeyDigest;
    let choices: [(&str, Origin, Choose); 6] = [
        ("first half", KeyDigest::Foreign, |digest, _| digest[..16].fill(0)),
        ("last half", KeyDigest::Foreign, |digest, _| digest[16..].fill(0)),
        ("all but four bytes", KeyDigest::Foreign, |digest, _| digest[4..].fill(0xA5)),
        ("all but the checksum", KeyDigest::Native, |digest, _| digest[4..].fill(0xA5)),
        ("low checksums", KeyDigest::Native, |digest, n| digest[..4].copy_from_slice(&(n as u32).to_be_bytes())),
        ("high checksums", KeyDigest::Native, |digest, n| digest[..4].copy_from_slice(&(n as u32).to_le_bytes())),
    ];
    for (equal, origin, choose) in choices {
        let chosen = cost(KEYS, origin, choose);
        // Generous, for busy machines. A chain of 20,000 colliding keys exceeds the bound many times over.
        let bound = ordinary * 20 + Duration::from_millis(50);
        assert!(chosen < bound, "{equal}: {chosen:?} against {ordinary:?}");
    }
}

fn cost(keys: u64, origin: fn(Digest) -> KeyDigest, choose: fn(&mut [u8; 32], u64)) -> Duration {
    let table = ApiKeyTable::<()>::builder(live()).capacity(keys as usize).build();
    let digests: Vec<_> = (0..keys)
        .map(|number| {
            let mut bytes = *native(number).digest().as_bytes();
            choose(&mut bytes, number);
            Digest::from_bytes(bytes)
        })
        .collect();
    let start = Instant::now();
    for &digest in &digests {
        table.insert(origin(digest), ());
    }
    assert!(digests.iter().all(|digest| black_box(table.get(digest)).is_some()));
    start.elapsed()
}

#[test]
fn a54_what_a_predicate_removes_during_a_replacement_is_gone_for_good() {
    let table = ApiKeyTable::<String>::new(live());
    let (removed, kept) = (key(1), key(2));
    let of = |key, record: &str| (key, record.to_owned());
    let both = || [of(&removed, "expired"), of(&kept, "good")];
    table.replace_all(both());
    let (begun, may_end) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        let replacing = scope.spawn(|| {
            // The retain runs after all entries were given and before they are swapped in.
            let pause = std::iter::from_fn(|| {
                begun.wait();
                may_end.wait();
                None
            });
            table.replace_all(both().into_iter().chain(pause));
        });
        begun.wait();
        let retaining = scope.spawn(|| {
            let removed_now = table.retain(|entry| entry.record() != "expired");
            (removed_now, table.find(removed.as_str().as_bytes()).is_ok())
        });
        thread::sleep(Duration::from_millis(20));
        may_end.wait();
        assert_eq!(retaining.join().unwrap(), (1, false));
        replacing.join().unwrap();
    });
    assert!(table.find(removed.as_str().as_bytes()).is_err());
    assert_eq!(table.find(kept.as_str().as_bytes()).unwrap().record(), "good");
}

/// The lost update of a separate read, change and insert: the key is removed, replaced or changed in between.
#[test]
fn a55_a_key_that_is_removed_during_an_update_stays_removed() {
    let table = ApiKeyTable::<u64>::new(live());
    let key = key(1);
    let (digest, find) = (key.digest(), || table.find(key.as_str().as_bytes()).map(|matched| *matched.record()));
    assert!(table.update(&digest, |_| panic!("it is not there")).is_none());

    table.insert(&key, 1_u64);
    let mut calls = 0;
    let updated = table.update(&digest, |number| {
        calls += 1;
        table.remove(&digest);
        number + 1
    });
    assert_eq!((updated.is_none(), calls, find()), (true, 1, Err(KeyError::Unknown)));

    // Another thread's change is not lost, even if it stores an equal record.
    for by in [1, 0] {
        table.insert(&key, 10_u64);
        let mut is_first = true;
        let updated = table.update(&digest, |number| {
            if std::mem::take(&mut is_first) {
                table.insert(&key, 10 + by);
            }
            number + 100
        });
        assert_eq!((updated.map(|entry| *entry.record()), find()), (Some(110 + by), Ok(110 + by)));
    }

    // When everything is replaced meanwhile, the new record is updated, and a key that is gone stays gone.
    let new = |record: Option<u64>| record.map(|record| (&key, record));
    for (record, expected) in [(Some(20), Some(120)), (None, None)] {
        table.insert(&key, 10_u64);
        let mut is_first = true;
        let updated = table.update(&digest, |number| {
            if std::mem::take(&mut is_first) {
                table.replace_all(new(record));
            }
            number + 100
        });
        assert_eq!((updated.map(|entry| *entry.record()), find().ok()), (expected, expected));
    }
    assert!(table.is_empty());
}

/// A key that is switched off during a replacement is off afterwards, and a key that the replacement lacks is not
/// created.
#[test]
fn a55_an_update_during_a_replacement_holds_after_it() {
    let table = ApiKeyTable::<&str>::new(live());
    let (reloaded, dropped) = (key(1), key(2));
    for key in [&reloaded, &dropped] {
        table.insert(key, "on");
    }
    let mut updates = 0;
    let update = std::iter::from_fn(|| {
        for key in [&reloaded, &dropped] {
            updates += usize::from(table.update(&key.digest(), |_| "off").is_some());
        }
        None
    });
    table.replace_all([(&reloaded, "on")].into_iter().chain(update));
    assert_eq!(updates, 2);
    assert_eq!(*table.find(reloaded.as_str().as_bytes()).unwrap().record(), "off");
    assert_eq!(table.find(dropped.as_str().as_bytes()).unwrap_err(), KeyError::Unknown);
}

/// A find that starts after a removal has returned does not find the key, whatever other removals run at once.
#[test]
fn a54_what_one_of_many_removals_at_once_has_removed_is_not_found_afterwards() {
    const KEYS: usize = 16;
    let table = ApiKeyTable::<u64>::new(live());
    let keys: Vec<_> = (0..KEYS as u64).map(key).collect();
    let begun: Vec<_> = keys.iter().map(|_| AtomicBool::new(false)).collect();
    // Set before each removal, also during a replacement: a key removed from then on must not come back.
    let is_wanted = |n: &usize| !begun[*n].load(Ordering::SeqCst);
    let wanted = || (0..KEYS).filter(is_wanted).map(|n| (&keys[n], n as u64));
    let remove = |n: usize, way: u64| {
        let digest = keys[n].digest();
        match way % 4 {
            0 => drop(table.remove(&digest)),
            1 => _ = table.retain(|entry| *entry.digest() != digest),
            2 => table.replace_all(wanted()),
            _ => {
                table.update(&digest, |number| number + 1_000);
                table.remove(&digest);
            }
        }
    };
    for round in 0..300 {
        begun.iter().for_each(|begun| begun.store(false, Ordering::SeqCst));
        table.replace_all(wanted());
        thread::scope(|scope| {
            for remover in 0..4 {
                let (table, keys, begun, remove) = (&table, &keys, &begun, &remove);
                scope.spawn(move || {
                    for n in (remover..KEYS).step_by(4) {
                        begun[n].store(true, Ordering::SeqCst);
                        remove(n, scrambled(round * KEYS as u64 + n as u64));
                        assert!(table.find(keys[n].as_str().as_bytes()).is_err(), "removed, and found");
                    }
                });
            }
        });
        assert!(keys.iter().all(|key| table.find(key.as_str().as_bytes()).is_err()), "a removed key came back");
    }
}
