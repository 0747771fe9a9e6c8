//! The oracle: a second, slow verdict on a credential, from the specifications alone.
//!
//! [`judge`] takes the value of an Authorization header, like `tollgate::Engine::verify_at`, and reaches a [`Verdict`] with
//! its own code: RFC 7515, 7517, 7518, 7519, 8725, 9068, 6750 and 7617, SPIFFE-ID and JWT-SVID, and where these leave a
//! choice, SECURITY.md and tollgate's documentation. It shares no code with the engine: JSON comes from serde_json, base64
//! from the `base64` crate, and cryptography from RustCrypto instead of ring and aws-lc.
//!
//! A [`Plan`] turns a few bytes into a credential, valid or mutated; [`world`] is the configuration for all plans. A
//! [`PolicyPlan`] also makes a configuration, and changes to it; a [`Session`] follows the changes. `tollgate-tests` compares
//! the two verdicts.
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
