//! The table against a `HashMap`, and what belongs to it alone.

use crate::support::{Number, number_of, record};
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use tollgate_apikeys::{
    ApiKey, ApiKeyTable, Digest, Flaw, ForeignKey, KeyError, KeyFormat, Origin, Packed, Pepper, Record, TableEntry,
};

const UUID: &[u8] = b"9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52";
const HEX: &[u8] = b"7f3a9c0e5b1d48266a0f3cd9e87b1245";

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, u64),
    InsertForeign(u8, u64),
    /// More than are fetched at once now and then; whether each is a foreign one.
    InsertAll(Vec<(u8, u64, bool)>),
    Remove(u8),
    ReplaceAll(Vec<(u8, u64)>),
    RetainFourths,
    Find(u8),
    FindForeign(u8),
}

fn step() -> impl Strategy<Value = Step> {
    // Few keys, so that steps meet.
    let key = 0_u8..24;
    prop_oneof![
        4 => (key.clone(), any::<u64>()).prop_map(|(key, number)| Step::Insert(key, number)),
        3 => (key.clone(), any::<u64>()).prop_map(|(key, number)| Step::InsertForeign(key, number)),
        1 => proptest::collection::vec((key.clone(), any::<u64>(), any::<bool>()), 0..80).prop_map(Step::InsertAll),
        3 => key.clone().prop_map(Step::Remove),
        1 => proptest::collection::vec((key.clone(), any::<u64>()), 0..12).prop_map(Step::ReplaceAll),
        1 => Just(Step::RetainFourths),
        4 => key.clone().prop_map(Step::Find),
        4 => key.prop_map(Step::FindForeign),
    ]
}

proptest! {
    #[test]
    fn the_table_does_what_a_hash_map_does(steps in proptest::collection::vec(step(), 0..120)) {
        let table = ApiKeyTable::new(live());
        // The slow twin: by the presented bytes themselves.
        let mut twin = HashMap::<Vec<u8>, u64>::new();
        for step in steps {
            match step {
                Step::Insert(key, number) => {
                    let displaced = table.insert(native(key).digest(), record(number));
                    prop_assert_eq!(displaced.map(|record| record.0), twin.insert(native_bytes(key), number));
                }
                Step::InsertForeign(key, number) => {
                    let bytes = foreign(key);
                    let digest = table.foreign_digest(&ForeignKey::new(&live(), &bytes).unwrap());
                    let displaced = table.insert_foreign(digest, record(number));
                    prop_assert_eq!(displaced.map(|record| record.0), twin.insert(bytes, number));
                }
                Step::InsertAll(keys) => {
                    let bytes = |key, is_foreign| if is_foreign { foreign(key) } else { native_bytes(key) };
                    table.insert_all(keys.iter().map(|&(key, number, is_foreign)| TableEntry {
                        digest: Digest::of(&bytes(key, is_foreign)),
                        record: record(number),
                        origin: if is_foreign { Origin::Foreign } else { Origin::Native },
                    }));
                    twin.extend(keys.iter().map(|&(key, number, is_foreign)| (bytes(key, is_foreign), number)));
                }
                Step::Remove(key) => {
                    for bytes in [native_bytes(key), foreign(key)] {
                        let removed = table.remove(&Digest::of(&bytes)).map(|record| record.0);
                        prop_assert_eq!(removed, twin.remove(&bytes));
                    }
                }
                Step::ReplaceAll(keys) => {
                    twin = keys.iter().map(|&(key, number)| (native_bytes(key), number)).collect();
                    table.replace_all(keys.iter().map(|&(key, number)| (native(key).digest(), record(number))));
                }
                Step::RetainFourths => {
                    let before = twin.len();
                    twin.retain(|_, number| number.is_multiple_of(4));
                    prop_assert_eq!(table.retain(|_, record| record.0.is_multiple_of(4)), before - twin.len());
                }
                Step::Find(key) => {
                    let found = table.find(native(key).as_str().as_bytes());
                    let expected = twin.get(&native_bytes(key)).copied().ok_or(KeyError::Unknown);
                    prop_assert_eq!(found.map(number_of), expected);
                }
                Step::FindForeign(key) => {
                    let found = table.find(&foreign(key));
                    let any_foreign = twin.keys().any(|bytes| !bytes.starts_with(b"tg_live_"));
                    let absent = if any_foreign { KeyError::Unknown } else { KeyError::Malformed(Flaw::Prefix) };
                    let expected = twin.get(&foreign(key)).copied().ok_or(absent);
                    prop_assert_eq!(found.map(number_of), expected);
                }
            }
            prop_assert_eq!(table.len(), twin.len());
            prop_assert_eq!(table.is_empty(), twin.is_empty());
        }
        let mut listed = HashMap::new();
        table.for_each(|digest, record| assert!(listed.insert(digest.to_hex(), record.0).is_none()));
        let expected = twin.iter().map(|(bytes, &number)| (Digest::of(bytes).to_hex(), number)).collect();
        prop_assert_eq!(listed, expected);
    }
}

/// Enough keys for long runs, growth, and gaps that are closed.
#[test]
fn a_crowded_table_does_what_a_hash_map_does() {
    const KEYS: u64 = 4_000;
    for round in 0..4 {
        let (table, mut twin) = (ApiKeyTable::new(live()), HashMap::new());
        let digest = |n: u64| Digest::of(&n.to_le_bytes());
        let mut random = round;
        for step in 0..40_000 {
            random = u64::from_le_bytes(*digest(random).as_bytes().first_chunk().unwrap());
            let key = random % KEYS;
            // Grows, then shrinks, then grows again.
            let inserts = if (step / 10_000) % 2 == 0 { 70 } else { 30 };
            if random / KEYS % 100 < inserts {
                let displaced = table.insert(digest(key), record(step)).map(|record| record.0);
                assert_eq!(displaced, twin.insert(key, step));
            } else {
                assert_eq!(table.remove(&digest(key)).map(|record| record.0), twin.remove(&key));
            }
        }
        assert_eq!(table.len(), twin.len());
        for key in 0..KEYS {
            assert_eq!(table.get(&digest(key)).map(|record| record.0), twin.get(&key).copied());
        }
        assert_eq!(table.pages().flatten().count(), twin.len());
    }
}

#[test]
fn a_match_gives_the_record_and_the_digest_of_what_was_presented() {
    let table = ApiKeyTable::with_capacity(live(), 10);
    for (key, kept) in [(1, record(16)), (2, record(17))] {
        table.insert(native(key).digest(), kept.clone());
        let find = || table.find(native(key).as_str().as_bytes()).unwrap();
        assert_eq!(*find().digest(), native(key).digest());
        assert_eq!(number_of(find()), kept.0);
        assert_eq!(table.get(&native(key).digest()), Some(kept.clone()));
        // Only what does not pack is shared.
        assert_eq!(Arc::ptr_eq(&find().into_record(), &kept), kept.0 == 17);
    }
}

#[test]
fn a_record_changes_between_packed_and_whole() {
    let table = ApiKeyTable::new(live());
    let digest = native(1).digest();
    let mut before = None;
    for number in [2, 3, 5, 4, 6, 7, 8] {
        assert_eq!(table.insert(digest, record(number)).map(|record| record.0), before);
        assert_eq!(table.find(native(1).as_str().as_bytes()).map(number_of), Ok(number));
        assert_eq!(table.len(), 1);
        before = Some(number);
    }
    assert_eq!(table.remove(&digest), Some(record(8)));
    assert_eq!(table.insert(digest, record(9)), None);
    assert_eq!(table.remove(&digest), Some(record(9)));
    assert_eq!(table.insert(digest, record(10)), None);
}

/// The numbers that the table needs for itself.
struct Reserved(u64);

impl Record for Reserved {
    type Names = ();

    fn pack(&self, (): &()) -> Option<Packed> {
        Some(Packed([self.0, 0, 0, 0]))
    }

    fn unpack(_: Packed, (): &()) -> Self {
        panic!("these are held whole")
    }
}

#[test]
fn a_record_may_pack_to_anything() {
    let table = ApiKeyTable::new(live());
    for (key, number) in [(1, 0), (2, u64::MAX)] {
        table.insert(native(key).digest(), Arc::new(Reserved(number)));
        let found = table.find(native(key).as_str().as_bytes()).unwrap();
        assert_eq!(found.into_record().0, number);
    }
}

#[test]
fn a_flawed_native_key_is_never_tried_as_a_foreign_one() {
    let table = ApiKeyTable::new(live());
    let presented = b"tg_live_this was imported before the format was chosen";
    assert_eq!(ForeignKey::new(&live(), presented).unwrap_err(), KeyError::ForeignLooksNative);
    // Even if its digest got in by another way.
    table.insert_foreign(Digest::of(presented), Arc::new(()));
    let expected = Flaw::Length { bytes: presented.len(), expected: 58 };
    assert_eq!(table.find(presented).unwrap_err(), KeyError::Malformed(expected));
}

#[test]
fn a_foreign_key_is_not_found_among_the_native_ones_nor_the_other_way_round() {
    let table = ApiKeyTable::new(live());
    table.insert(Digest::of(UUID), Arc::new(()));
    table.insert_foreign(native(1).digest(), Arc::new(()));
    assert_eq!(table.find(UUID).unwrap_err(), KeyError::Unknown);
    assert_eq!(table.find(native(1).as_str().as_bytes()).unwrap_err(), KeyError::Unknown);
}

#[test]
fn foreign_keys_have_16_to_512_bytes() {
    let bytes: Vec<u8> = (0..600_u64).map(|n| (n * 167 % 251) as u8).collect();
    let table = ApiKeyTable::new(live());
    table.insert_foreign(Digest::of(UUID), Arc::new(()));
    for length in [16, 17, 511, 512] {
        let key = &bytes[..length];
        assert!(ForeignKey::new(&live(), key).is_ok());
        assert_eq!(table.find(key).unwrap_err(), KeyError::Unknown, "{length}");
    }
    for length in [0, 1, 15, 513, 600] {
        let key = &bytes[..length];
        assert_eq!(ForeignKey::new(&live(), key).unwrap_err(), KeyError::ForeignLength { bytes: length });
        assert_eq!(table.find(key).unwrap_err(), KeyError::Malformed(Flaw::Prefix), "{length}");
    }
}

#[test]
fn guessable_foreign_keys_are_taken_only_as_dangerous() {
    for strong in [UUID, HEX, b"9sQ2mX7vB1tNzK4wLr8c", b"sk_4eC39HqLyjWDarjtT1zdp7dc"] {
        assert!(ForeignKey::new(&live(), strong).is_ok(), "{}", strong.escape_ascii());
    }
    for weak in [
        b"hunter2hunter2hunter2hunter2".as_slice(),
        b"00000000000000000000000000000000",
        b"4929123456781234",
        b"correcthorse-123",
    ] {
        let refused = ForeignKey::new(&live(), weak).unwrap_err();
        assert!(matches!(refused, KeyError::ForeignGuessable { estimated_bits: 0..112 }), "{refused:?}");
        assert!(ForeignKey::danger_guessable(&live(), weak).is_ok());
    }
}

#[test]
fn a_pepper_decides_the_digests_of_foreign_keys_and_of_no_other() {
    let peppered = |pepper: u8| ApiKeyTable::new(live()).pepper(Pepper::new(&[pepper; 32]).unwrap());
    let (one, other) = (peppered(1), peppered(2));
    let key = ForeignKey::new(&live(), UUID).unwrap();
    assert_ne!(one.foreign_digest(&key), other.foreign_digest(&key));
    assert_ne!(one.foreign_digest(&key), Digest::of(UUID));
    one.insert_foreign(one.foreign_digest(&key), Arc::new(()));
    other.insert_foreign(one.foreign_digest(&key), Arc::new(()));
    assert!(one.find(UUID).is_ok());
    assert_eq!(other.find(UUID).unwrap_err(), KeyError::Unknown);
    one.insert(native(1).digest(), Arc::new(()));
    assert!(one.find(native(1).as_str().as_bytes()).is_ok());
    assert_eq!(Pepper::new(&[0; 31]).unwrap_err(), KeyError::PepperTooShort { bytes: 31 });
}

#[test]
fn replace_all_takes_foreign_keys_too() {
    let table = ApiKeyTable::new(live());
    table.insert(native(1).digest(), record(1));
    let entry = |digest, number, origin| TableEntry { digest, record: record(number), origin };
    table.replace_all([entry(native(2).digest(), 2, Origin::Native), entry(Digest::of(UUID), 3, Origin::Foreign)]);
    assert_eq!(table.find(native(1).as_str().as_bytes()).unwrap_err(), KeyError::Unknown);
    assert_eq!(number_of(table.find(native(2).as_str().as_bytes()).unwrap()), 2);
    assert_eq!(number_of(table.find(UUID).unwrap()), 3);
    let mut origins: Vec<_> = table.pages().flatten().map(|entry| (entry.record.0, entry.origin)).collect();
    origins.sort_by_key(|&(number, _)| number);
    assert_eq!(origins, [(2, Origin::Native), (3, Origin::Foreign)]);

    table.replace_all([(native(1).digest(), record(1))]);
    assert_eq!(table.find(UUID).unwrap_err(), KeyError::Malformed(Flaw::Prefix));
    assert_eq!(table.len(), 1);
}

#[test]
fn a_visitor_and_a_predicate_may_use_the_table() {
    let table = ApiKeyTable::new(live());
    (0..20).for_each(|key| drop(table.insert(native(key).digest(), record(key.into()))));
    table.for_each(|digest, _| drop(table.remove(digest)));
    assert!(table.is_empty());
    table.insert(native(1).digest(), record(1));
    // Replaced between being seen and being removed: the new record stays.
    let removed = table.retain(|digest, _| {
        table.insert(*digest, record(2));
        false
    });
    assert_eq!((removed, table.len()), (0, 1));
}

#[test]
fn a53_a_panic_in_new_entries_leaves_the_table_as_it_was() {
    let table = ApiKeyTable::new(live());
    table.insert(native(1).digest(), record(1));
    let entries = std::iter::once_with(|| -> (Digest, Arc<Number>) { panic!("the caller's iterator") });
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| table.replace_all(entries)));
    assert!(outcome.is_err());
    assert!(table.find(native(1).as_str().as_bytes()).is_ok());
    table.remove(&native(1).digest());
    table.replace_all([(native(2).digest(), record(2))]);
    assert_eq!(table.find(native(1).as_str().as_bytes()).unwrap_err(), KeyError::Unknown);
    assert!(table.find(native(2).as_str().as_bytes()).is_ok());
}

/// A record of which 13 brings misfortune.
struct Unlucky(u64);

impl Record for Unlucky {
    type Names = ();

    fn pack(&self, (): &()) -> Option<Packed> {
        assert_ne!(self.0, 13, "the record's own code");
        Some(Packed([1, self.0, 0, 0]))
    }

    fn unpack(packed: Packed, (): &()) -> Self {
        assert_ne!(packed.0[1], 14, "the record's own code");
        Unlucky(packed.0[1])
    }
}

#[test]
fn a53_a_panic_in_a_record_leaves_the_table_as_it_was() {
    let table = ApiKeyTable::<Unlucky>::new(live());
    let find = |key| table.find(native(key).as_str().as_bytes()).map(|matched| matched.into_record().0);
    let panics = |work: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err();
    table.insert(native(1).digest(), Arc::new(Unlucky(1)));
    assert!(panics(&|| drop(table.insert(native(1).digest(), Arc::new(Unlucky(13))))));
    assert!(panics(&|| drop(table.insert(native(2).digest(), Arc::new(Unlucky(13))))));
    assert_eq!((find(1), find(2), table.len()), (Ok(1), Err(KeyError::Unknown), 1));
    // What is displaced or removed is made anew when the change has been made.
    table.insert(native(1).digest(), Arc::new(Unlucky(14)));
    assert!(panics(&|| drop(table.insert(native(1).digest(), Arc::new(Unlucky(15))))));
    assert_eq!(find(1), Ok(15));
    table.insert(native(1).digest(), Arc::new(Unlucky(14)));
    assert!(panics(&|| drop(table.remove(&native(1).digest()))));
    assert_eq!((find(1), table.len()), (Err(KeyError::Unknown), 0));
    table.insert(native(1).digest(), Arc::new(Unlucky(1)));
    assert_eq!(find(1), Ok(1));
}

#[test]
fn debug_shows_no_digest_and_no_record() {
    let table = ApiKeyTable::new(live());
    table.insert(native(1).digest(), record(0x5EC2E7));
    let matched = table.find(native(1).as_str().as_bytes()).unwrap();
    let shown = format!("{table:?} {matched:?} {:?}", ForeignKey::new(&live(), UUID).unwrap());
    assert!(shown.contains("tg_live_") && shown.contains("len: 1"), "{shown}");
    assert!(!shown.contains(&0x5EC2E7.to_string()) && !shown.contains(&native(1).digest().to_hex()[..8]), "{shown}");
}

fn live() -> KeyFormat {
    KeyFormat::new("tg", "live").unwrap()
}

fn native(key: u8) -> ApiKey {
    ApiKey::danger_from_entropy(&live(), &[key; 32])
}

fn native_bytes(key: u8) -> Vec<u8> {
    native(key).as_str().as_bytes().to_vec()
}

fn foreign(key: u8) -> Vec<u8> {
    format!("foreign-{key:02}-pZ9sW3kQ7vB1xN5m").into_bytes()
}
