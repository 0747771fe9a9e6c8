//! `unsafe` code is forbidden in every crate: libraries, commands, fuzz targets, benchmarks, examples and tests.
//!
//! The root of each crate has an attribute for it, where a reader sees it and no manifest can leave it out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_crate_root_forbids_unsafe_code() {
    let mut roots = BTreeSet::new();
    collect_roots(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), &mut roots);
    for part in ["crates/engine/src/lib.rs", "fuzz/fuzz_targets/", "benches/report/main.rs", "peers/rust/src/main.rs"] {
        assert!(roots.iter().any(|root| root.to_string_lossy().contains(part)), "{part} was not found");
    }
    let without = |root: &PathBuf| !fs::read_to_string(root).unwrap().lines().any(|line| line == FORBIDDEN);
    let without: Vec<_> = roots.into_iter().filter(without).collect();
    assert!(without.is_empty(), "{FORBIDDEN} is missing in {without:?}");
}

const FORBIDDEN: &str = "#![forbid(unsafe_code)]";

/// The roots of all crates below `folder`: Cargo's default paths, and those in a manifest.
fn collect_roots(folder: &Path, roots: &mut BTreeSet<PathBuf>) {
    if let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) {
        let named = manifest.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix(".rs\""));
        roots.extend(named.map(|path| folder.join(path).with_extension("rs")));
        roots.extend(
            ["src/lib.rs", "src/main.rs", "build.rs"]
                .map(|file| folder.join(file))
                .into_iter()
                .filter(|root| root.is_file()),
        );
        for found in ["src/bin", "tests", "benches", "examples"].iter().flat_map(|name| entries(&folder.join(name))) {
            let root = if found.is_dir() { found.join("main.rs") } else { found };
            let is_root = root.is_file() && root.extension().is_some_and(|extension| extension == "rs");
            roots.extend(is_root.then_some(root));
        }
    }
    // Built and downloaded files are no crates of this repository.
    let is_of_repository = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_dir() && name != "target" && name != "node_modules" && !name.starts_with('.')
    };
    entries(folder).filter(is_of_repository).for_each(|folder| collect_roots(&folder, roots));
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path())
}
