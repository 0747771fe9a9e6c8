use std::hint::black_box;

use tollgate::{Engine, Principal, Rejection};
use tollgate_tests::NOW;

/// How many inputs a path has, so that the count depends on none.
pub(crate) const INPUTS: usize = 32;

/// A counted path: the same operation on [`INPUTS`] inputs.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    /// Runs before each operation, and is not counted.
    pub(crate) prepare: Box<dyn Fn()>,
    /// The operation on the input of an index.
    pub(crate) operate: Box<dyn FnMut(usize)>,
}

impl Path {
    /// An operation on each of `inputs`.
    pub(crate) fn new<I: 'static>(name: &'static str, inputs: Vec<I>, operation: impl FnMut(&I) + 'static) -> Self {
        Self::prepared(name, inputs, || (), operation)
    }

    /// An operation on each of `inputs`, with a step before each that is not counted.
    pub(crate) fn prepared<I: 'static>(
        name: &'static str,
        inputs: Vec<I>,
        prepare: impl Fn() + 'static,
        mut operation: impl FnMut(&I) + 'static,
    ) -> Self {
        assert_eq!(inputs.len(), INPUTS);
        Path { name, prepare: Box::new(prepare), operate: Box::new(move |index| operation(black_box(&inputs[index]))) }
    }

    /// A verify of each of `headers`, all of which are accepted.
    pub(crate) fn accepted(name: &'static str, engine: Engine, headers: Vec<String>) -> Self {
        Self::new(name, headers, move |header| drop(verify(&engine, header).expect("a good credential")))
    }

    /// A verify of each of `headers`, all of which are rejected with the code in the path's name.
    pub(crate) fn rejected(name: &'static str, engine: Engine, headers: Vec<String>) -> Self {
        for header in &headers {
            let code = verify(&engine, header).expect_err("a bad credential").code();
            assert!(name["reject/".len()..].starts_with(code), "{name}: {code}");
        }
        Self::new(name, headers, move |header| drop(verify(&engine, header).expect_err("a bad credential")))
    }
}

fn verify(engine: &Engine, header: &str) -> Result<Principal, Rejection> {
    black_box(engine.verify_at(black_box(header.as_bytes()), NOW))
}
