//! Each published crate says in its package what it is, whom it is for, and which Rust it needs.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::dependencies::{packages, root};

/// The crates that other programs embed. Service, gateway and command may need a newer Rust.
const EMBEDDED: [&str; 9] = [
    "tollgate",
    "tollgate-apikeys",
    "tollgate-ecdsa",
    "tollgate-issuer",
    "tollgate-jwt",
    "tollgate-keys",
    "tollgate-remote",
    "tollgate-telemetry",
    "tollgate-tower",
];
const OLDEST_RUST: &str = "1.88";

/// A limit of the package registry.
const MAX_KEYWORDS: usize = 5;
const MAX_KEYWORD_CHARACTERS: usize = 20;

#[test]
fn every_published_crate_is_described() {
    let published: Vec<_> = packages().into_iter().filter(is_published).collect();
    assert!(published.len() >= 15);
    for package in published {
        let name = package["name"].as_str().unwrap();
        assert!(!package["description"].as_str().unwrap().is_empty(), "{name}");
        let keywords = package["keywords"].as_array().unwrap();
        assert!((1..=MAX_KEYWORDS).contains(&keywords.len()), "{name}: {keywords:?}");
        assert!(keywords.iter().all(|keyword| keyword.as_str().unwrap().len() <= MAX_KEYWORD_CHARACTERS), "{name}");
        assert!(!package["categories"].as_array().unwrap().is_empty(), "{name}");

        let folder = folder(&package);
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.starts_with(&format!("# {name}\n")), "{name}");
        for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let ours = std::fs::read(root().join(license)).unwrap();
            assert!(std::fs::read(folder.join(license)).unwrap() == ours, "{name}: {license}");
        }
        if let Ok(library) = std::fs::read_to_string(folder.join("src/lib.rs")) {
            assert!(library.starts_with("#![doc = include_str!(\"../README.md\")]\n"), "{name}");
            assert!(library.contains("#![cfg_attr(docsrs, feature(doc_cfg))]\n"), "{name}");
            assert_eq!(package["metadata"]["docs"]["rs"]["all-features"], true, "{name}");
        }
    }
}

#[test]
fn nothing_published_depends_on_what_is_not() {
    let packages = packages();
    let published: Vec<_> = packages.iter().filter(|package| is_published(package)).collect();
    for package in &published {
        for dependency in package["dependencies"].as_array().unwrap() {
            let is_of_workspace = dependency["path"].is_string();
            let is_for_users = dependency["kind"] != "dev";
            if is_of_workspace && is_for_users {
                assert!(
                    published.iter().any(|other| other["name"] == dependency["name"]),
                    "{} on {}",
                    package["name"],
                    dependency["name"]
                );
                assert_ne!(dependency["req"], "*", "{} on {} without a version", package["name"], dependency["name"]);
            }
        }
    }
}

#[test]
fn what_is_embedded_builds_with_the_rust_that_the_readme_names() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        assert_eq!(
            package["rust_version"] == OLDEST_RUST,
            EMBEDDED.contains(&name),
            "{name}: {}",
            package["rust_version"]
        );
    }
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("Rust {OLDEST_RUST}")));
    let steps = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(steps.contains(&format!("\nOLDEST_RUST={OLDEST_RUST}\n")));
}

fn is_published(package: &Value) -> bool {
    // Null allows every registry, an empty list none.
    package["publish"].is_null()
}

fn folder(package: &Value) -> PathBuf {
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}
