//! Every test that the ledger in SECURITY.md names exists.

use std::fs;
use std::path::Path;

#[test]
fn every_test_in_the_ledger_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ledger = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let named: Vec<&str> = ledger
        .lines()
        .filter(|line| line.starts_with("| ") && line.split('|').count() == 6)
        .filter_map(|line| line.split('|').nth(4))
        .flat_map(|tests| tests.split('`').skip(1).step_by(2))
        .collect();
    assert!(named.len() > 50, "the ledger was not found: {} tests", named.len());
    let mut sources = String::new();
    for folder in ["crates", "tests"] {
        read_tests(&root.join(folder), &mut sources);
    }
    let missing: Vec<_> = named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "named in SECURITY.md and nowhere else: {missing:?}");
}

fn read_tests(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_tests(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
