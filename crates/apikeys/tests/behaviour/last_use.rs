//! Notes of the last use of keys.

use allocation_counter::measure;
use std::num::NonZeroU32;
use std::thread;
use tollgate_apikeys::limits::LAST_USES_PER_SEAT;
use tollgate_apikeys::{Digest, LastUse};

fn digest(key: u32) -> Digest {
    let mut bytes = [0xA5; 32];
    bytes[..4].copy_from_slice(&key.to_le_bytes());
    Digest::from_bytes(bytes)
}

#[test]
fn one_in_so_many_uses_is_noted() {
    let last_use = LastUse::one_in(NonZeroU32::new(10).unwrap());
    for key in 0..1_000 {
        last_use.note(&digest(key), 1);
    }
    assert_eq!(last_use.drain().len(), 100);
}

#[test]
fn of_all_threads_the_latest_time_counts() {
    let last_use = LastUse::one_in(NonZeroU32::MIN);
    thread::scope(|scope| {
        for times in [1..50, 50..100, 20..30] {
            let last_use = &last_use;
            scope.spawn(move || times.rev().for_each(|time| last_use.note(&digest(7), time)));
        }
    });
    assert_eq!(last_use.drain(), [(digest(7), 99)]);
}

#[test]
fn threads_beyond_the_number_of_slots_share_them() {
    let last_use = LastUse::one_in(NonZeroU32::MIN);
    let threads = 5 * 4 * thread::available_parallelism().unwrap().get() as u32;
    for key in 0..threads {
        thread::scope(|scope| drop(scope.spawn(|| last_use.note(&digest(key), 1))));
    }
    assert_eq!(last_use.drain().len(), threads as usize);
}

#[test]
fn what_is_noted_is_bounded_and_takes_no_memory_of_its_own() {
    let last_use = LastUse::one_in(NonZeroU32::MIN);
    last_use.note(&digest(0), 1);
    let counted = measure(|| (0..2 * LAST_USES_PER_SEAT as u32).for_each(|key| last_use.note(&digest(key), 1)));
    assert_eq!(counted.count_total, 0);
    assert_eq!(last_use.drain().len(), LAST_USES_PER_SEAT);
    last_use.note(&digest(1), 2);
    assert_eq!(last_use.drain(), [(digest(1), 2)]);
}
