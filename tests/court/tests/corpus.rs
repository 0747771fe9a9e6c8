//! The committed corpus equals the generated one.

#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::fs;

use tollgate_court::{Corpus, Verdict};

#[test]
fn committed_corpus_is_what_the_generator_writes() {
    let generated = Corpus::generate();
    let files = generated.files();
    for (name, text) in &files {
        let committed = fs::read_to_string(Corpus::folder().join(name)).expect("a file of the corpus");
        let differs = committed.lines().zip(text.lines()).find(|(committed, generated)| committed != generated);
        assert_eq!(differs, None, "{name}: run `cargo run -p tollgate-court -- generate`");
        assert_eq!(committed.len(), text.len(), "{name}: run `cargo run -p tollgate-court -- generate`");
    }
    let committed = fs::read_dir(Corpus::folder()).expect("the corpus").count();
    assert_eq!(committed, files.len(), "there are files that the generator did not write");
    // A case reads back as it was made, whatever its stored form.
    let read = Corpus::read().expect("the corpus can be read");
    for (read, generated) in read.cases.iter().zip(&generated.cases) {
        assert!(read == generated, "{} does not read back", generated.id);
    }
}

#[test]
fn corpus_is_large_and_balanced_and_its_ids_are_unique() {
    let corpus = Corpus::read().expect("the corpus can be read");
    let ids: HashSet<&str> = corpus.cases.iter().map(|case| &*case.id).collect();
    assert_eq!(ids.len(), corpus.cases.len());
    assert!(ids.len() >= 5000);
    let good = corpus.cases.iter().filter(|case| case.expect == Verdict::Accept && !case.is_choice()).count();
    assert!(good >= 500, "{good} good tokens do not show a verifier that refuses everything");
    assert!(corpus.cases.iter().all(|case| corpus.key_sets.contains_key(&case.keys)));
}
