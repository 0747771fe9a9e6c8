//! Collects the cases of the classes.

use std::collections::BTreeMap;

use crate::case::{Case, Verdict};
use crate::corpus::Corpus;
use crate::draft::Draft;
use crate::key::{Algorithm, Key};
use crate::members::Members;
use crate::policy::Policy;
use crate::sent_with::SentWith;

/// The cases and key sets so far.
#[derive(Default)]
pub(crate) struct Docket {
    cases: Vec<Case>,
    key_sets: BTreeMap<String, String>,
}

impl Docket {
    /// Files cases of this class with the algorithm's first key and its usual policy.
    pub(crate) fn of(&mut self, class: &'static str, algorithm: Algorithm) -> Filing<'_> {
        let key = Key::new(algorithm, 0);
        let set = algorithm.name.to_owned();
        if !self.key_sets.contains_key(&set) {
            self.key_sets.insert(set.clone(), [key.jwk()].into_iter().collect::<Members>().to_string());
        }
        Filing { docket: self, class, set, policy: Policy::new(algorithm.name), sent_with: None, key }
    }

    pub(crate) fn into_corpus(self) -> Corpus {
        Corpus { cases: self.cases, key_sets: self.key_sets }
    }
}

/// Files cases of one class and algorithm.
pub(crate) struct Filing<'d> {
    docket: &'d mut Docket,
    class: &'static str,
    set: String,
    /// The first key of the algorithm.
    pub(crate) key: Key,
    /// The configuration of the next cases.
    pub(crate) policy: Policy,
    sent_with: Option<SentWith>,
}

impl Filing<'_> {
    /// A valid token under the first key.
    pub(crate) fn draft(&self) -> Draft {
        Draft::new(&self.key)
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        self.key.algorithm.name
    }

    /// Uses these keys for the next cases. The name of the set consists of the algorithm's and `name`.
    pub(crate) fn keys(&mut self, name: &str, keys: impl IntoIterator<Item = Members>) {
        self.set = format!("{}/{name}", self.algorithm());
        let set = keys.into_iter().collect::<Members>().to_string();
        let former = self.docket.key_sets.insert(self.set.clone(), set.clone());
        assert!(former.is_none_or(|former| former == set), "two key sets are called {}", self.set);
    }

    /// The request of the next cases.
    pub(crate) fn sent_with(&mut self, sent_with: SentWith) {
        self.sent_with = Some(sent_with);
    }

    /// Uses the first key for the next cases.
    pub(crate) fn usual_keys(&mut self) {
        self.set = self.algorithm().to_owned();
    }

    /// The specifications require acceptance.
    pub(crate) fn accept(&mut self, mutation: &str, token: impl Into<String>, why: &str) {
        self.file("", mutation, token.into(), Verdict::Accept, why);
    }

    /// The specifications or the policy require rejection.
    pub(crate) fn reject(&mut self, mutation: &str, token: impl Into<String>, why: &str) {
        self.file("", mutation, token.into(), Verdict::Reject, why);
    }

    /// Either verdict is right; tollgate accepts.
    pub(crate) fn may_accept(&mut self, mutation: &str, token: impl Into<String>, why: &str) {
        self.file("-choice", mutation, token.into(), Verdict::Accept, why);
    }

    /// Either verdict is right; tollgate rejects.
    pub(crate) fn may_reject(&mut self, mutation: &str, token: impl Into<String>, why: &str) {
        self.file("-choice", mutation, token.into(), Verdict::Reject, why);
    }

    fn file(&mut self, choice: &str, mutation: &str, token: String, expect: Verdict, why: &str) {
        let id = format!("{}/{}/{mutation}", self.class, self.algorithm());
        let class = format!("{}{choice}", self.class);
        let (keys, policy, sent_with) = (self.set.clone(), self.policy.clone(), self.sent_with.clone());
        self.docket.cases.push(Case { id, class, keys, token, policy, sent_with, expect, why: why.to_owned() });
    }
}
