//! Runs [`tollgate_fuzz::dpop`] on whatever the fuzzer makes.

#![forbid(unsafe_code)]
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| tollgate_fuzz::dpop(data));
