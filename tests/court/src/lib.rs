//! The court: an open corpus of good and forged tokens, and what each of them deserves.
//!
//! [`Corpus::generate`] makes the corpus, always the same one; [`Corpus::read`] reads the copy that is committed;
//! [`Judge`] says what tollgate does with a case. How other verifiers do is in `docs/court.md`.
//!
//! The keys here are public: they are for tests alone.

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
