//! `find` allocates nothing, found or not.

use crate::support::{key, live};
use allocation_counter::measure;
use std::hint::black_box;
use tollgate_apikeys::{ApiKey, ApiKeyTable, KeyFormat};

#[test]
fn find_allocates_nothing() {
    let table = ApiKeyTable::<()>::new(live());
    let (present, absent) = (key(1), key(2));
    let other = ApiKey::danger_from_entropy(&KeyFormat::new("old", "live").unwrap(), &[3; 32]);
    let foreign = b"9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52";
    table.insert(&present, ());
    table.insert(&other, ());
    let presented: [&[u8]; 7] = [
        present.as_str().as_bytes(),
        absent.as_str().as_bytes(),
        other.as_str().as_bytes(),
        b"tg_live_2000000000000000000000000000000000000000000023A3zt",
        foreign,
        b"",
        &[0xFF; 10_000],
    ];
    for with_foreign in [false, true] {
        if with_foreign {
            table.insert(table.digest_of(foreign).unwrap(), ());
        }
        for presented in presented {
            let find = || black_box(table.find(black_box(presented))).is_ok();
            let mut found = false;
            // The first look-up of a process may set up what the digest's library keeps.
            find();
            let counted = measure(|| found = find());
            assert_eq!(counted.count_total, 0, "{}", presented.escape_ascii());
            let is_native = [&present, &other].iter().any(|key| presented == key.as_str().as_bytes());
            assert_eq!(found, is_native || (with_foreign && presented == foreign));
        }
    }
}
