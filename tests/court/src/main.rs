//! `court generate` writes the corpus; `court judge` prints tollgate's verdict on each case.

#![forbid(unsafe_code)]

use std::error::Error;
use std::{env, fs};

use tollgate_court::{Corpus, Judge, Verdict};

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("generate") => generate(),
        Some("judge") => judge_all(),
        _ => Err("usage: court generate | judge".into()),
    }
}

fn generate() -> Result<(), Box<dyn Error>> {
    let corpus = Corpus::generate();
    let folder = Corpus::folder();
    fs::create_dir_all(&folder)?;
    for (name, text) in corpus.files() {
        fs::write(folder.join(name), text)?;
    }
    println!("{} cases, {} key sets", corpus.cases.len(), corpus.key_sets.len());
    Ok(())
}

/// One line a case: `{"id":"...","verdict":"accept"}`; a rejection also has the error's code.
fn judge_all() -> Result<(), Box<dyn Error>> {
    let corpus = Corpus::read()?;
    let mut judge = Judge::new(&corpus);
    for case in &corpus.cases {
        let result = judge.judge(case);
        let verdict = Verdict::from(&result).to_string();
        let error = result.err().map(|rejection| rejection.code());
        println!("{}", serde_json::json!({ "id": case.id, "verdict": verdict, "error": error }));
    }
    Ok(())
}
