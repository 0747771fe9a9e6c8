//! The ledger in SECURITY.md and the tests: each test that it names exists, is run, and has the number of its attack in
//! its name.
//!
//! `.ci/ledger` runs them, and checks that each did run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The numbers of the attacks.
const ATTACKS: std::ops::RangeInclusive<u8> = 1..=88;

/// The suffix of the name of an ignored test.
const BY_HAND: &str = " (by hand)";

#[test]
fn every_test_in_the_ledger_is_there_and_is_run() {
    let tests = tests();
    for (number, names) in ledger() {
        for name in names {
            let (name, is_by_hand) = name.strip_suffix(BY_HAND).map_or((&*name, false), |name| (name, true));
            let test = tests.get(name).unwrap_or_else(|| panic!("attack {number} names {name}, which is no test"));
            assert_eq!(test.is_ignored, is_by_hand, "whether {name} of attack {number} is run");
            let prefix = name.split('_').take_while(|word| word.starts_with('a') && word[1..].parse::<u8>().is_ok());
            let numbers: BTreeSet<u8> = prefix.map(|word| word[1..].parse().unwrap()).collect();
            assert!(numbers.contains(&number), "attack {number} names {name}, which bears another number");
        }
    }
}

#[test]
fn every_attack_has_a_test() {
    let ledger = ledger();
    for number in ATTACKS {
        assert!(ledger.get(&number).is_some_and(|names| !names.is_empty()), "attack {number} has no test");
    }
}

#[test]
fn every_test_that_bears_a_number_is_in_the_ledger() {
    let ledger = ledger();
    for name in tests().keys() {
        let number = name.strip_prefix('a').and_then(|rest| rest.split('_').next()?.parse::<u8>().ok());
        let Some(number) = number else { continue };
        let is_there = |names: &BTreeSet<String>| names.iter().any(|one| one.trim_end_matches(BY_HAND) == name);
        assert!(ledger.get(&number).is_some_and(is_there), "{name} is not in the ledger under {number}");
    }
}

/// In the last column of its tables.
#[test]
fn every_test_that_the_page_on_specifications_names_is_there() {
    let tests = tests();
    let text = fs::read_to_string(root().join("docs/specifications.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_suffix(" |")?.rsplit_once(" | "));
    let mut count = 0;
    for (_, cell) in rows {
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        for name in &names {
            assert!(tests.contains_key(*name), "docs/specifications.md names {name}, which is no test");
        }
        count += names.len();
    }
    assert!(count > 60, "{count}");
}

/// The tests that SECURITY.md names, by the attack's number.
fn ledger() -> BTreeMap<u8, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, number, _, _, tests, _] = cells[..] else { return None };
        let names = tests.split(", ").filter(|name| !name.is_empty()).map(|name| name.replace('`', "")).collect();
        Some((number.parse().ok()?, names))
    };
    let ledger: BTreeMap<u8, BTreeSet<String>> = text.lines().filter_map(row).collect();
    assert!(ledger.len() > 50, "the ledger was not found: {} rows", ledger.len());
    ledger
}

/// The parameters of the conformance suites' tests, which every store runs as its own.
const OF_EVERY_STORE: &str = "(world: &dyn ";

fn is_test(attribute: &str) -> bool {
    attribute == "#[test]" || ["#[tokio::test", "#[actix_web::test"].iter().any(|begin| attribute.starts_with(begin))
}

struct Test {
    is_ignored: bool,
}

/// The test functions, by name.
fn tests() -> BTreeMap<String, Test> {
    let mut sources = Vec::new();
    for folder in ["crates", "tests"] {
        read_sources(&root().join(folder), &mut sources);
    }
    let mut tests = BTreeMap::new();
    for source in sources {
        let mut attributes: Vec<&str> = Vec::new();
        for line in source.lines().map(str::trim) {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            match line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ") {
                Some(rest) if attributes.iter().any(|line| is_test(line)) || rest.contains(OF_EVERY_STORE) => {
                    let name = rest.split(['(', '<']).next().unwrap_or_default().to_owned();
                    let is_ignored = attributes.iter().any(|line| line.contains("ignore"));
                    tests.insert(name, Test { is_ignored });
                }
                _ => {}
            }
            match line {
                _ if line.starts_with("#[") => attributes.push(line),
                _ if line.starts_with("//") => {}
                _ => attributes.clear(),
            }
        }
    }
    tests
}

fn read_sources(folder: &Path, sources: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(fs::read_to_string(path).unwrap());
        }
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
