//! The oracle: what is to be made of a credential, decided a second time, slowly and from the specifications alone.
//!
//! [`judge`] takes the value of an Authorization header as `tollgate::Engine::verify_at` does, and comes to a [`Verdict`] by
//! code of its own: RFC 7515, 7517, 7518, 7519, 8725, 9068, 6750 and 7617, SPIFFE-ID and JWT-SVID, and where these leave a choice, SECURITY.md and the
//! documentation of tollgate. It shares nothing with the engine: JSON is serde_json's, base64 that of the crate of this
//! name, and the cryptography RustCrypto's instead of ring's and aws-lc's.
//!
//! A [`Plan`] says how to make a credential, good or spoiled, from a few bytes; [`world`] is the configuration in which
//! all plans play. A [`PolicyPlan`] makes a configuration as well, and changes it; a [`Session`] follows the changes. The two
//! verdicts are compared in `tollgate-tests`.
//!
//! ```
//! use tollgate_oracle::{NOW, Plan, Verdict, judge, world};
//!
//! let untouched = Plan::untouched("ES256").trial();
//! assert!(matches!(judge(world(), &untouched.header, NOW), Verdict::Accept(_)));
//! assert!(matches!(judge(world(), b"Bearer nonsense", NOW), Verdict::Reject(_)));
//! ```

#![forbid(unsafe_code)]

mod api_key;
mod base64;
mod claims;
mod contradiction;
mod draft;
mod encoding;
mod json;
mod judge;
mod jws;
mod key;
mod mapping;
mod members;
mod mutation;
mod plan;
mod policy_plan;
mod sender;
mod session;
mod setting;
mod signature;
mod signer;
mod spiffe;
mod template;
mod text;
mod token;
mod validator;
mod verdict;
mod world;

pub use json::{Json, NotStrict};
pub use judge::{judge, judge_api_key};
pub use key::{Key, Purpose};
pub use mutation::{Kind as MutationKind, Mutation};
pub use plan::{Plan, Trial};
pub use policy_plan::{PolicyPlan, Step};
pub use sender::{Presented, SenderPlan, judge_sender};
pub use session::{Judged, Session};
pub use setting::{NOW, world};
pub use verdict::{Facts, Verdict};
pub use world::{Credential, ExpectedValue, Issuer, Kind, Rule, State, Typ, Validator, World};
