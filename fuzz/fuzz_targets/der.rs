//! Runs [`tollgate_fuzz::der`] on the bytes of the fuzzer.

#![forbid(unsafe_code)]
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| tollgate_fuzz::der(data));
