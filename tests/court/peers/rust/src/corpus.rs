//! Reads the corpus as its README describes it.

use std::fs;

use serde_json::Value;

/// Calls `put` with the id, the key set, the token and the policy of each case.
pub fn for_each(folder: &str, mut put: impl FnMut(&str, &Value, &str, &Value)) {
    let read = |path: &str| fs::read_to_string(path).expect("a file of the corpus");
    let sets: Value = serde_json::from_str(&read(&format!("{folder}/keys.json"))).expect("JSON");
    let files = fs::read_dir(folder).expect("the corpus").map(|file| file.expect("a file").path());
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")) {
        for line in read(path.to_str().expect("a plain name")).lines() {
            let case: Value = serde_json::from_str(line).expect("JSON");
            let text = |name: &str| case[name].as_str().expect("text");
            put(text("id"), &sets[text("keys")], &token(&case["token"]), &case["policy"]);
        }
    }
}

fn token(stored: &Value) -> String {
    match stored.as_array() {
        None => stored.as_str().expect("text").to_owned(),
        Some(pieces) => pieces
            .iter()
            .map(|piece| piece[0].as_str().expect("text").repeat(piece[1].as_u64().expect("a count") as usize))
            .collect(),
    }
}
