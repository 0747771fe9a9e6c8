//! What an example says that it depends on is what it uses, at the versions that it is built with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[test]
fn every_example_names_what_it_depends_on() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ours = versions(&root.join("../Cargo.toml"));
    let index = std::fs::read_to_string(root.join("README.md")).unwrap();
    let mut examples = 0;
    for entry in std::fs::read_dir(root.join("src/bin")).unwrap() {
        let path = entry.unwrap().path();
        let (name, source) = (path.file_stem().unwrap().to_str().unwrap(), std::fs::read_to_string(&path).unwrap());
        let documented = documented(&source);
        let named: BTreeSet<_> = documented.keys().map(|name| name.replace('-', "_")).collect();
        assert_eq!(named, used(&source), "{name}");
        for (dependency, version) in &documented {
            let own = ours.get(dependency).unwrap_or_else(|| panic!("{name}: {dependency} is none of ours"));
            assert!(own.starts_with(&**version), "{name}: {dependency} {version}, and {own} here");
        }
        assert!(index.contains(&format!("](src/bin/{name}.rs)")), "{name} is not in README.md");
        examples += 1;
    }
    assert!(examples >= 5);
}

/// The names and versions in the block of TOML that the documentation begins with.
fn documented(source: &str) -> BTreeMap<String, String> {
    let lines = source.lines().filter_map(|line| line.strip_prefix("//!")).map(str::trim);
    let block = lines.skip_while(|line| *line != "```toml").skip(1).take_while(|line| *line != "```");
    block.filter_map(|line| line.split_once(" = ")).map(|(name, value)| (name.to_owned(), version(value))).collect()
}

/// The crates that paths in `use` begin with, and that attributes name.
fn used(source: &str) -> BTreeSet<String> {
    let uses = source.lines().filter_map(|line| line.trim().strip_prefix("use "));
    let attributes = source.lines().filter_map(|line| line.trim().strip_prefix("#["));
    let paths = uses.chain(attributes).filter_map(|path| path.split_once("::"));
    let crates = paths.map(|(first, _)| first.to_owned());
    crates.filter(|name| !["std", "super", "crate"].contains(&&**name)).collect()
}

/// Of each dependency in this manifest.
fn versions(manifest: &Path) -> BTreeMap<String, String> {
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let entries = manifest.lines().filter_map(|line| line.split_once(" = "));
    entries.map(|(name, value)| (name.to_owned(), version(value))).collect()
}

/// Of `"1.2"` as of `{ path = "...", version = "1.2" }`.
fn version(value: &str) -> String {
    let text = value.split_once("version = ").map_or(value, |(_, text)| text);
    text.trim_start_matches(['"', ' ']).split('"').next().unwrap_or_default().to_owned()
}
