//! `find` allocates nothing, found or not.

use allocation_counter::measure;
use std::hint::black_box;
use std::sync::Arc;
use tollgate_apikeys::{ApiKey, ApiKeyTable, Digest, KeyFormat};

#[test]
fn find_allocates_nothing() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let table = ApiKeyTable::new(format.clone());
    let (present, absent) = (ApiKey::generate(&format).unwrap(), ApiKey::generate(&format).unwrap());
    let foreign = b"9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52";
    table.insert(present.digest(), Arc::new(()));
    let presented: [&[u8]; 6] = [
        present.as_str().as_bytes(),
        absent.as_str().as_bytes(),
        b"tg_live_100000000000000000000000000000000000000000000JtwuV",
        foreign,
        b"",
        &[0xFF; 10_000],
    ];
    for with_foreign in [false, true] {
        if with_foreign {
            table.insert_foreign(Digest::of(foreign), Arc::new(()));
        }
        for presented in presented {
            let find = || black_box(table.find(black_box(presented))).is_ok();
            let mut found = false;
            // The first look-up of a process may set up what the digest's library keeps.
            find();
            let counted = measure(|| found = find());
            assert_eq!(counted.count_total, 0, "{}", presented.escape_ascii());
            let expected = presented == present.as_str().as_bytes() || (with_foreign && presented == foreign);
            assert_eq!(found, expected);
        }
    }
}
