//! tollgate's own column of the court's table.

#![forbid(unsafe_code)]

use tollgate_court::{Corpus, Judge, Verdict};

#[test]
fn every_case_gets_what_it_deserves() {
    let corpus = Corpus::read().expect("the corpus can be read");
    let mut judge = Judge::new(&corpus);
    let wrong: Vec<String> = corpus
        .cases
        .iter()
        .filter_map(|case| {
            let result = judge.judge(case);
            let error = result.as_ref().err();
            (Verdict::from(&result) != case.expect).then(|| format!("{}: {error:?}, {}", case.id, case.why))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), corpus.cases.len(), wrong.join("\n"));
}
