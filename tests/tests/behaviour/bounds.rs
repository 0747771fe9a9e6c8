//! The cost of a rejection before any signature: a known number of allocations, no more memory than was sent, and
//! nothing past the limit. `benches/bounds.rs` measures the time.

use allocation_counter::{AllocationInfo, measure};
use tollgate::Rejection;
use tollgate::limits::DEFAULT_MAX_HEADER_BYTES;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{EARLY_REJECTIONS, EarlyRejection, EarlyRejections, NOW};

#[test]
fn a22_a_rejection_before_the_signature_allocates_at_most_once() {
    let rejections = EarlyRejections::new();
    let mut wrong = Vec::new();
    for rejection in &EARLY_REJECTIONS {
        assert!(rejection.allocations <= 1, "{}", rejection.name);
        for bytes in [1024, 2048, 4096, DEFAULT_MAX_HEADER_BYTES] {
            let (counted, code, length) = measured(&rejections, rejection, bytes);
            let is_as_listed = (counted.count_total, code) == (rejection.allocations, rejection.code);
            if !is_as_listed || counted.bytes_total > length as u64 {
                let (count, allocated) = (counted.count_total, counted.bytes_total);
                wrong.push(format!("{} of {length} bytes: {count} of {allocated} bytes, {code}", rejection.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a50_past_the_limit_nothing_is_allocated_whatever_was_sent() {
    let rejections = EarlyRejections::new();
    for rejection in &EARLY_REJECTIONS {
        for bytes in [2 * DEFAULT_MAX_HEADER_BYTES, 4 * DEFAULT_MAX_HEADER_BYTES] {
            let (counted, code, length) = measured(&rejections, rejection, bytes);
            if length > DEFAULT_MAX_HEADER_BYTES {
                assert_eq!((code, counted.count_total), ("header-too-long", 0), "{} of {length}", rejection.name);
            }
        }
    }
}

#[test]
fn every_early_rejection_comes_before_any_signature_check() {
    let rejections = EarlyRejections::new();
    let before = signature_checks();
    for rejection in &EARLY_REJECTIONS {
        measured(&rejections, rejection, 4096);
    }
    assert_eq!(signature_checks(), before);
}

/// The allocations of the second call, with another text of the same length. The first call grows the thread's memory.
fn measured(
    rejections: &EarlyRejections,
    rejection: &EarlyRejection,
    bytes: usize,
) -> (AllocationInfo, &'static str, usize) {
    let reject = |header: &str| -> Rejection {
        rejections.engine().verify_at(header.as_bytes(), NOW).expect_err(rejection.name)
    };
    let [first, second] = [0, 1].map(|variant| rejections.header(rejection, bytes, variant));
    reject(&first);
    let mut result = None;
    let counted = measure(|| result = Some(reject(&second)));
    (counted, result.map_or("", |rejection| rejection.code()), second.len())
}
