//! tollgate's own column of the court's table.

#![forbid(unsafe_code)]

use tollgate::StepOutcome;
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

#[test]
fn every_verdict_is_explained_by_the_step_that_fails_and_by_no_other() {
    let corpus = Corpus::read().expect("the corpus can be read");
    let mut judge = Judge::new(&corpus);
    let wrong: Vec<String> = corpus
        .cases
        .iter()
        .filter_map(|case| {
            let (verdict, steps) = judge.explain(case);
            let failed = steps.iter().filter(|step| step.outcome() == StepOutcome::Failed).count();
            let is_last = steps.last().is_some_and(|step| step.outcome() == StepOutcome::Failed);
            // If the steps and the verdict disagree, a step named `verdict` says so.
            let is_found = steps.iter().all(|step| step.name() != "verdict");
            let signature = case.token.rsplit('.').next().filter(|signature| signature.len() > 16);
            let shows = signature.is_some_and(|signature| steps.iter().any(|step| step.detail().contains(signature)));
            let is_right = failed == usize::from(verdict.is_err()) && is_last == verdict.is_err() && is_found && !shows;
            (!is_right).then(|| format!("{}: {verdict:?}, {steps:?}", case.id))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), corpus.cases.len(), wrong.join("\n"));
}
