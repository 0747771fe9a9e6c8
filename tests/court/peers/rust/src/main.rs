//! Puts the corpus to `jsonwebtoken` or `jwt-simple`: `id`, a tab, and `accept`, `reject` or `unsupported` for each case.

#![forbid(unsafe_code)]

mod corpus;
mod jsonwebtoken;
mod jwt_simple;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

/// The algorithms of a library, and what it says of a token.
type Verifier = (&'static [&'static str], fn(&Value, &str, &Value) -> Option<Verdict>);

enum Verdict {
    Accept,
    /// The library leaves this to its caller.
    Unsupported,
}

fn main() {
    let (algorithms, verify): Verifier = match env::args().nth(2).as_deref() {
        Some("jsonwebtoken") => (jsonwebtoken::ALGORITHMS, jsonwebtoken::verify),
        Some("jwt-simple") => (jwt_simple::ALGORITHMS, jwt_simple::verify),
        _ => panic!("usage: tollgate-court-peers CORPUS jsonwebtoken|jwt-simple"),
    };
    let folder = env::args().nth(1).expect("the folder of the corpus");
    corpus::for_each(&folder, |id, keys, token, policy| {
        let algorithm = id.split('/').nth(1).expect("an id names an algorithm");
        let verdict = if algorithms.contains(&algorithm) {
            catch_unwind(AssertUnwindSafe(|| verify(keys, token, policy))).unwrap_or(None)
        } else {
            Some(Verdict::Unsupported)
        };
        let verdict = match verdict {
            Some(Verdict::Accept) => "accept",
            Some(Verdict::Unsupported) => "unsupported",
            None => "reject",
        };
        println!("{id}\t{verdict}");
    });
}
