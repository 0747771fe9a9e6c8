//! The core depends on at most fifteen crates outside the workspace, and on those that ARCHITECTURE.md names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const CORE: [&str; 4] = ["tollgate", "tollgate-apikeys", "tollgate-jwt", "tollgate-keys"];
const MOST: usize = 15;

#[test]
fn the_core_depends_on_at_most_fifteen_crates_which_the_architecture_names() {
    let packages = packages();
    let core: Vec<_> = packages.iter().filter(|package| CORE.iter().any(|name| package["name"] == *name)).collect();
    assert_eq!(core.len(), CORE.len());
    let taken: BTreeSet<&str> = core.into_iter().flat_map(external_by_default).collect();
    assert!(taken.len() <= MOST, "{} crates: {taken:?}", taken.len());

    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap().replace('\n', " ");
    let (_, sentence) = architecture.split_once("the core depends on these crates: ").unwrap();
    let (names, _) = sentence.split_once('.').unwrap();
    let named: BTreeSet<&str> = names.split([',', ' ']).filter(|word| !matches!(*word, "" | "and")).collect();
    assert_eq!(taken, named);
}

/// The workspace's packages, as cargo describes them.
pub(crate) fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("{other}"),
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The dependencies of a package without features: neither those of tests nor those of disabled features.
fn external_by_default(package: &Value) -> impl Iterator<Item = &str> {
    let of_feature = |name: &str| texts(&package["features"][name]);
    let of_default: BTreeSet<_> = of_feature("default").flat_map(of_feature).collect();
    package["dependencies"].as_array().unwrap().iter().filter_map(move |dependency| {
        let name = dependency["name"].as_str().unwrap();
        let is_on = dependency["optional"] == false || of_default.contains(&*format!("dep:{name}"));
        // Only model checking sets it.
        let is_on = is_on && dependency["target"] != "cfg(tollgate_model)";
        (dependency["source"].is_string() && dependency["kind"].is_null() && is_on).then_some(name)
    })
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
