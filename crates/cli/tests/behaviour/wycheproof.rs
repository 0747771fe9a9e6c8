//! The JWS and JWK test vectors of Wycheproof, group by group, if they are available.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Folder, run};
use serde_json::Value;

#[test]
fn json_web_signature_vectors_are_judged_strictly() {
    check("json_web_signature_test.json", 401);
}

#[test]
fn json_web_key_vectors_are_judged_strictly() {
    check("json_web_key_test.json", 26);
}

fn check(file: &str, tests: usize) {
    let Some(folder) = vectors() else {
        eprintln!("skipped: ../shared/vectors/wycheproof is not there");
        return;
    };
    let overrides = overrides(&folder, file);
    let vectors: Value = serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap();
    let keys = Folder::new();
    let (mut checked, mut wrong) = (0, Vec::new());
    for group in vectors["testGroups"].as_array().unwrap() {
        let key = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        let key = keys.write("key", key.to_string());
        let tests = group["tests"].as_array().unwrap();
        let input: String = tests.iter().map(|test| format!("{}\n", test["jws"].as_str().unwrap())).collect();
        let verified = run(&["jws", "--key", &key], &input);
        let answers = verified.answers();
        assert_eq!(answers.len(), tests.len());
        for (test, answer) in tests.iter().zip(answers) {
            let id = test["tcId"].as_u64().unwrap();
            let expected = overrides.get(&id).map_or(test["result"].as_str().unwrap(), String::as_str);
            if answer["ok"] != (expected == "valid") {
                wrong.push(format!("{id} {} should be {expected}: {answer}", test["comment"]));
            }
            checked += 1;
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(checked, tests);
}

/// Vectors on which a strict verifier differs from the file.
fn overrides(folder: &Path, file: &str) -> HashMap<u64, String> {
    let overrides: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("strict_overrides.json")).unwrap()).unwrap();
    let of_file = overrides.as_array().unwrap().iter().filter(|entry| entry["file"] == file);
    of_file.map(|entry| (entry["tcId"].as_u64().unwrap(), entry["strict"].as_str().unwrap().to_owned())).collect()
}

fn vectors() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/wycheproof");
    folder.is_dir().then_some(folder)
}
