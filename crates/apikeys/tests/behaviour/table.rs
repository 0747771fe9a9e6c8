//! The table compared with a `HashMap`, and behaviour of the table alone.

use crate::support::{key, live, native, scrambled};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tollgate_apikeys::{ApiKey, ApiKeyTable, Flaw, ForeignKey, KeyDigest, KeyError, KeyFormat, Pepper};

const UUID: &[u8] = b"9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52";
const HEX: &[u8] = b"7f3a9c0e5b1d48266a0f3cd9e87b1245";

#[derive(Clone, Debug)]
enum Step {
    Insert(Who, u64),
    Update(Who),
    Remove(Who),
    ReplaceAll(Vec<(Who, u64)>),
    RetainFourths,
    Find(Who),
}

/// A key of the table's format, of another operator's, or of another system.
#[derive(Clone, Copy, Debug)]
enum Who {
    Own(u8),
    Other(u8),
    Foreign(u8),
}

impl Who {
    fn presented(self) -> Vec<u8> {
        match self {
            Who::Own(n) => key(n.into()).as_str().into(),
            Who::Other(n) => {
                let format = KeyFormat::new("old", "live").unwrap();
                ApiKey::danger_from_entropy(&format, &[n; 32]).as_str().into()
            }
            Who::Foreign(n) => format!("foreign-{n:02}-pZ9sW3kQ7vB1xN5m").into(),
        }
    }
}

fn who() -> impl Strategy<Value = Who> {
    // Few keys, so that the steps hit the same ones.
    prop_oneof![4 => (0_u8..16).prop_map(Who::Own), 1 => (0_u8..3).prop_map(Who::Other), 3 => (0_u8..8).prop_map(Who::Foreign)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (who(), any::<u64>()).prop_map(|(who, number)| Step::Insert(who, number)),
        3 => who().prop_map(Step::Update),
        3 => who().prop_map(Step::Remove),
        1 => vec((who(), any::<u64>()), 0..60).prop_map(Step::ReplaceAll),
        1 => Just(Step::RetainFourths),
        8 => who().prop_map(Step::Find),
    ]
}

proptest! {
    #[test]
    fn the_table_does_what_a_hash_map_does(steps in vec(step(), 0..120), pepper in any::<bool>()) {
        let pepper = pepper.then(|| Pepper::new(&[7; 32]).unwrap());
        let table = ApiKeyTable::<u64>::builder(live()).pepper(pepper).build();
        let digest = |who: Who| table.digest_of(&who.presented()).unwrap();
        // The naive version: a map from the presented bytes.
        let mut twin = HashMap::<Vec<u8>, u64>::new();
        for step in steps {
            match step {
                Step::Insert(who, number) => {
                    let displaced = table.insert(digest(who), number).map(|entry| *entry.record());
                    prop_assert_eq!(displaced, twin.insert(who.presented(), number));
                }
                Step::Update(who) => {
                    let updated = table.update(digest(who).digest(), |number| number ^ 5);
                    let expected = twin.get_mut(&who.presented()).map(|number| {
                        *number ^= 5;
                        *number
                    });
                    prop_assert_eq!(updated.map(|entry| *entry.record()), expected);
                }
                Step::Remove(who) => {
                    let removed = table.remove(digest(who).digest()).map(|entry| *entry.record());
                    prop_assert_eq!(removed, twin.remove(&who.presented()));
                }
                Step::ReplaceAll(keys) => {
                    table.replace_all(keys.iter().map(|&(who, number)| (digest(who), number)));
                    twin = keys.iter().map(|&(who, number)| (who.presented(), number)).collect();
                }
                Step::RetainFourths => {
                    let before = twin.len();
                    twin.retain(|_, number| number.is_multiple_of(4));
                    prop_assert_eq!(table.retain(|entry| entry.record().is_multiple_of(4)), before - twin.len());
                }
                Step::Find(who) => {
                    let any_foreign = twin.keys().any(|presented| presented.starts_with(b"foreign"));
                    let absent = match who {
                        Who::Own(_) => KeyError::Unknown,
                        Who::Foreign(_) if any_foreign => KeyError::Unknown,
                        _ => KeyError::Malformed(Flaw::Prefix),
                    };
                    let presented = who.presented();
                    let found = table.find(&presented).map(|matched| (*matched.record(), *matched.digest()));
                    let expected = twin.get(&presented).map(|number| (*number, *digest(who).digest()));
                    prop_assert_eq!(found, expected.ok_or(absent));
                }
            }
            prop_assert_eq!(table.len(), twin.len());
            prop_assert_eq!(table.is_empty(), twin.is_empty());
        }
        let mut listed = HashMap::new();
        table.for_each(|key, entry| {
            assert_eq!(key.digest(), entry.digest());
            assert!(listed.insert(key.digest().to_hex(), (*key, *entry.record())).is_none());
        });
        prop_assert_eq!(listed.len(), twin.len());
        for (presented, &number) in &twin {
            let key = table.digest_of(presented).unwrap();
            prop_assert_eq!(listed.get(&key.digest().to_hex()), Some(&(key, number)));
            prop_assert_eq!(table.get(key.digest()).map(|entry| *entry.record()), Some(number));
        }
    }
}

/// Enough keys for long runs of slots, growth, and rebuilds that drop removed keys.
#[test]
fn a_crowded_table_does_what_a_hash_map_does() {
    const KEYS: u64 = 4_000;
    for round in 0..4 {
        let (table, mut twin) = (ApiKeyTable::<u64>::new(live()), HashMap::new());
        let mut random = round;
        for step in 0..40_000 {
            random = scrambled(random);
            let key = random % KEYS;
            // Grows, then shrinks, then grows again.
            let inserts = if (step / 10_000) % 2 == 0 { 70 } else { 30 };
            if random / KEYS % 100 < inserts {
                let displaced = table.insert(native(key), step).map(|entry| *entry.record());
                assert_eq!(displaced, twin.insert(key, step));
            } else {
                assert_eq!(table.remove(native(key).digest()).map(|entry| *entry.record()), twin.remove(&key));
            }
        }
        assert_eq!(table.len(), twin.len());
        for key in 0..KEYS {
            assert_eq!(table.get(native(key).digest()).map(|entry| *entry.record()), twin.get(&key).copied());
        }
    }
}

/// Keys with one checksum share a position, and are told apart there.
#[test]
fn keys_of_one_checksum_are_told_apart() {
    // Found among the first 300,000.
    const TWINS: [(u64, u64); 4] = [(114_437, 114_827), (117_964, 123_147), (134_034, 157_417), (6_258, 162_963)];
    let table = ApiKeyTable::<u64>::new(live());
    let find = |number: u64| table.find(key(number).as_str().as_bytes()).map(|matched| *matched.record());
    for (one, other) in TWINS {
        assert_eq!(key(one).as_str()[52..], key(other).as_str()[52..]);
        table.insert(&key(one), one);
        assert_eq!((find(one), find(other)), (Ok(one), Err(KeyError::Unknown)));
        table.insert(&key(other), other);
        assert_eq!((find(one), find(other)), (Ok(one), Ok(other)));
        table.remove(&key(one).digest());
        assert_eq!((find(one), find(other)), (Err(KeyError::Unknown), Ok(other)));
    }
}

#[test]
fn a_flawed_native_key_is_never_tried_as_a_foreign_one() {
    let table = ApiKeyTable::<()>::new(live());
    let presented = b"tg_live_this was imported before the format was chosen";
    assert_eq!(ForeignKey::new(&live(), presented).unwrap_err(), KeyError::ForeignLooksNative);
    let expected = KeyError::Malformed(Flaw::Length { bytes: presented.len(), expected: 58 });
    assert_eq!(table.digest_of(presented).unwrap_err(), expected);
    // Even if its digest was stored through a table whose format does not claim the key.
    let lenient = ApiKeyTable::<()>::new(KeyFormat::new("tg", "test").unwrap());
    table.insert(lenient.digest_of(presented).unwrap(), ());
    assert_eq!(table.find(presented).unwrap_err(), expected);
}

#[test]
fn a_key_of_another_operator_is_no_foreign_one() {
    let other = ApiKey::danger_from_entropy(&KeyFormat::new("old", "live").unwrap(), &[1; 32]);
    let presented = other.as_str().as_bytes();
    assert_eq!(ForeignKey::danger_guessable(&live(), presented).unwrap_err(), KeyError::ForeignLooksNative);
    // The pepper does not affect it.
    let table = ApiKeyTable::<()>::builder(live()).pepper(Pepper::new(&[7; 32]).unwrap()).build();
    assert_eq!(table.find(presented).unwrap_err(), KeyError::Malformed(Flaw::Prefix));
    table.insert(&other, ());
    assert!(table.find(presented).is_ok());
    assert_eq!(table.digest_of(presented).unwrap(), KeyDigest::Native(other.digest()));
}

#[test]
fn a_foreign_key_is_not_found_among_the_native_ones_nor_the_other_way_round() {
    let table = ApiKeyTable::<()>::new(live());
    let foreign = table.digest_of(UUID).unwrap();
    table.insert(KeyDigest::Native(*foreign.digest()), ());
    table.insert(KeyDigest::Foreign(key(1).digest()), ());
    assert_eq!(table.find(UUID).unwrap_err(), KeyError::Unknown);
    assert_eq!(table.find(key(1).as_str().as_bytes()).unwrap_err(), KeyError::Unknown);
}

#[test]
fn foreign_keys_have_16_to_512_bytes() {
    let bytes: Vec<u8> = (0..600_u64).map(|n| (n * 167 % 251) as u8).collect();
    let table = ApiKeyTable::<()>::new(live());
    table.insert(table.digest_of(UUID).unwrap(), ());
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
fn the_entropy_of_a_foreign_key_is_estimated_from_its_alphabet() {
    for (key, bits) in [
        // Digits.
        ("935713604827159360482715936048271", 109),
        // Hexadecimal, in both cases, with hyphens.
        ("3f9a-c05be817d264f93a0c58e7", 108),
        ("3F9A-C05BE817D264F93A0C58E7", 108),
        // Lower-case or upper-case letters, and digits.
        ("k3xw9vq0t7hzp2m5y8rjs", 108),
        ("K3XW9VQ0T7HZP2M5Y8RJS", 108),
        ("kbxwqvqatchzpdmeyfrjs", 108),
        // Other printable characters.
        ("k3Xw9_vq0T7hzP2m5Y", 108),
        // Seven distinct bytes of sixteen are no accident: each counts as one of seven.
        ("abcdef0abcdef0abcdef0abcdef0a", 81),
    ] {
        let refused = ForeignKey::new(&live(), key.as_bytes()).unwrap_err();
        assert_eq!(refused, KeyError::ForeignGuessable { estimated_bits: bits }, "{key}");
    }
    // Eight are not yet too few.
    assert!(ForeignKey::new(&live(), b"0a1b2c3d0a1b2c3d0a1b2c3d0a1b").is_ok());
}

#[test]
fn a_pepper_decides_the_digests_of_foreign_keys_and_of_no_other() {
    let peppered = |pepper| ApiKeyTable::<()>::builder(live()).pepper(pepper).build();
    let pepper = |byte: u8| Pepper::new(&[byte; 32]).unwrap();
    let tables = [peppered(Some(pepper(1))), peppered(Some(pepper(2))), peppered(None)];
    let foreign = ForeignKey::new(&live(), UUID).unwrap();
    for (n, table) in tables.iter().enumerate() {
        table.insert(tables[n].foreign_digest(&foreign), ());
        table.insert(&key(1), ());
        assert!(table.find(UUID).is_ok() && table.find(key(1).as_str().as_bytes()).is_ok());
        let others = || tables.iter().enumerate().filter(|(other, _)| *other != n);
        assert!(others().all(|(_, other)| other.foreign_digest(&foreign) != table.foreign_digest(&foreign)));
        table.remove(table.foreign_digest(&foreign).digest());
        others().for_each(|(_, other)| drop(table.insert(other.foreign_digest(&foreign), ())));
        assert_eq!(table.find(UUID).unwrap_err(), KeyError::Unknown);
    }
    assert_eq!(Pepper::new(&[0; 31]).unwrap_err(), KeyError::PepperTooShort { bytes: 31 });
}

#[test]
fn replace_all_takes_foreign_keys_too() {
    let table = ApiKeyTable::<u64>::new(live());
    let find = |presented: &[u8]| table.find(presented).map(|matched| *matched.record());
    table.insert(&key(1), 1_u64);
    table.replace_all([(KeyDigest::from(&key(2)), 2), (table.digest_of(UUID).unwrap(), 3)]);
    assert_eq!(find(key(1).as_str().as_bytes()), Err(KeyError::Unknown));
    assert_eq!((find(key(2).as_str().as_bytes()), find(UUID)), (Ok(2), Ok(3)));
    table.replace_all([(&key(1), 1)]);
    assert_eq!((find(UUID), table.len()), (Err(KeyError::Malformed(Flaw::Prefix)), 1));
}

#[test]
fn a_visitor_and_a_predicate_may_use_the_table() {
    let table = ApiKeyTable::<u64>::new(live());
    (0..20).for_each(|number| drop(table.insert(&key(number), number)));
    table.for_each(|key, _| drop(table.remove(key.digest())));
    assert!(table.is_empty());
    table.insert(&key(1), 1_u64);
    // The record is replaced after the predicate saw it and before the removal: the new record stays.
    let removed = table.retain(|_| {
        table.insert(&key(1), 1_u64);
        false
    });
    assert_eq!((removed, table.len()), (0, 1));
}

/// A record whose `Drop` uses the table and counts its calls.
struct Ending {
    table: Arc<ApiKeyTable<Ending>>,
    ended: Arc<AtomicUsize>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        assert!(self.table.get(&key(99).digest()).is_none());
        self.table.remove(&key(98).digest());
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_record_may_use_the_table_when_it_is_dropped() {
    let (table, ended) = (Arc::new(ApiKeyTable::new(live())), Arc::new(AtomicUsize::new(0)));
    let record = || Ending { table: table.clone(), ended: ended.clone() };
    for number in 0..20 {
        table.insert(&key(number), record());
        table.insert(&key(number), record());
    }
    for number in 0..10 {
        table.remove(&key(number).digest());
    }
    table.retain(|entry| *entry.digest() != key(11).digest());
    table.replace_all(
        (20..40)
            .map(|number| {
                table.insert(&key(20), record());
                (key(number), record())
            })
            .collect::<Vec<_>>()
            .iter()
            .map(|(key, _)| (key, record())),
    );
    table.replace_all(Vec::<(KeyDigest, Ending)>::new());
    assert!(table.is_empty() && ended.load(Ordering::Relaxed) > 60);
}

/// The replacement's journal holds the last reference to the record, and the replacement drops the key.
#[test]
fn a_record_that_was_changed_and_removed_during_a_replacement_may_use_the_table_when_it_is_dropped() {
    let (table, ended) = (Arc::new(ApiKeyTable::new(live())), Arc::new(AtomicUsize::new(0)));
    let record = || Ending { table: table.clone(), ended: ended.clone() };
    table.insert(&key(1), record());
    table.replace_all(std::iter::once_with(|| {
        assert!(table.update(&key(1).digest(), |_| record()).is_some());
        assert!(table.remove(&key(1).digest()).is_some());
        (KeyDigest::from(&key(2)), record())
    }));
    assert_eq!((table.len(), ended.load(Ordering::Relaxed)), (1, 2));
}

#[test]
fn a53_a_panic_in_new_entries_leaves_the_table_as_it_was() {
    let table = ApiKeyTable::<u64>::new(live());
    table.insert(&key(1), 1_u64);
    let entries = std::iter::once_with(|| -> (KeyDigest, u64) { panic!("the caller's iterator") });
    assert!(catch_unwind(AssertUnwindSafe(|| table.replace_all(entries))).is_err());
    assert!(table.find(key(1).as_str().as_bytes()).is_ok());
    table.remove(&key(1).digest());
    table.replace_all([(&key(2), 2)]);
    assert_eq!(table.find(key(1).as_str().as_bytes()).unwrap_err(), KeyError::Unknown);
    assert!(table.find(key(2).as_str().as_bytes()).is_ok());
}

#[test]
fn a53_a_panic_in_a_predicate_or_a_change_leaves_the_table_as_it_was() {
    let table = ApiKeyTable::<u64>::new(live());
    table.insert(&key(1), 1_u64);
    let panics = |work: &dyn Fn()| catch_unwind(AssertUnwindSafe(work)).is_err();
    assert!(panics(&|| _ = table.retain(|_| panic!("the caller's predicate"))));
    assert!(panics(&|| _ = table.update(&key(1).digest(), |_| panic!("the caller's change"))));
    assert_eq!(table.find(key(1).as_str().as_bytes()).map(|matched| *matched.record()), Ok(1));
    assert_eq!((table.retain(|_| false), table.len()), (1, 0));
}

#[test]
fn debug_shows_no_digest_and_no_record() {
    let table = ApiKeyTable::<u64>::new(live());
    let key = key(1);
    table.insert(&key, 0x5EC2E7_u64);
    let matched = table.find(key.as_str().as_bytes()).unwrap();
    let entry = table.get(&key.digest()).unwrap();
    let foreign = ForeignKey::new(&live(), UUID).unwrap();
    let shown = format!("{table:?} {matched:?} {entry:?} {foreign:?} {:?}", KeyDigest::from(&key));
    assert!(shown.contains("tg_live_") && shown.contains("len: 1"), "{shown}");
    assert!(!shown.contains(&0x5EC2E7.to_string()) && !shown.contains(&key.digest().to_hex()[..8]), "{shown}");
}
