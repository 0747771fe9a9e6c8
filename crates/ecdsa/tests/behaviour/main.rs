//! Verification under prepared keys, one file per behaviour.

#![forbid(unsafe_code)]

mod arithmetic;
mod exceptional_cases;
mod faults;
mod other_library;
mod refused_keys;
mod support;
mod wycheproof_vectors;
