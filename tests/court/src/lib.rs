//! The court: an open corpus of valid and forged tokens with their correct verdicts.
//!
//! [`Corpus::generate`] makes the corpus, which is always the same; [`Corpus::read`] reads the committed copy;
//! [`Judge`] gives tollgate's verdict on a case. The results of other verifiers are in `docs/court.md`.
//!
//! The keys are public: use them only for tests.

#![forbid(unsafe_code)]

mod arithmetic;
mod case;
mod classes;
mod corpus;
mod docket;
mod draft;
mod judge;
mod key;
mod members;
mod policy;
mod sent_with;
mod token;

pub use case::{Case, Verdict};
pub use corpus::{Corpus, ReadError};
pub use judge::Judge;
pub use policy::Policy;
pub use sent_with::SentWith;
