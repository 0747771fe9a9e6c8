//! Deliberate faults. None makes a bad signature valid, and the responsible check detects each.

use std::collections::BTreeMap;

use tollgate_ecdsa::limits::KEY_WINDOW_BITS;
use tollgate_ecdsa::test_hooks::{Fault, with_fault};
use tollgate_ecdsa::{Curve, KeyRefused, PreparedKey, Undecided, Verdict};

use crate::support::{Signer, hash};

const CURVES: [Curve; 2] = [Curve::P256, Curve::P384];

#[test]
fn a_bit_of_a_product() {
    for curve in CURVES {
        // Every product of a verification, one bit of each.
        let outcomes =
            outcomes(curve, |n| Fault::Product { number: n, bit: n.wrapping_mul(0x9e37_79b9) % bits(curve) });
        // The last few products compare with r: a fault there rejects a good signature.
        let rejected = outcomes.get(&Verdict::Invalid).copied().unwrap_or(0);
        assert!(rejected <= 6, "{outcomes:?}");
        let caught_by = |reason| outcomes.get(&Verdict::Undecided(reason)).copied().unwrap_or(0);
        // The number of products depends on how many digits of the random scalars are zero.
        assert!(caught_by(Undecided::Curve) > 500 && caught_by(Undecided::Scalars) == 6, "{outcomes:?}");
        let caught = caught_by(Undecided::Curve) + caught_by(Undecided::Scalars);
        assert_eq!(outcomes.values().sum::<u32>(), caught + rejected, "{outcomes:?}");
    }
}

#[test]
fn a_bit_of_a_scalar() {
    for curve in CURVES {
        for term in [0, 1] {
            let fault = |n| Fault::Scalar { term, bit: n };
            only(outcomes_of(curve, (0..bits(curve)).map(fault)), Undecided::Scalars);
        }
    }
}

#[test]
fn a_scalar_ignored() {
    for curve in CURVES {
        let faults = [0, 1].map(|term| Fault::ScalarIgnored { term });
        only(outcomes_of(curve, faults), Undecided::Scalars);
    }
}

#[test]
fn a_wrong_digit() {
    for curve in CURVES {
        for term in [0, 1] {
            for change in [1, -1, 2, 64, 128, 1024, i16::MIN / 2] {
                only(outcomes(curve, |n| Fault::Digit { term, window: n as usize, change }), Undecided::Scalars);
            }
        }
    }
}

#[test]
fn a_digit_too_large_for_its_window() {
    for curve in CURVES {
        for term in [0, 1] {
            let faults = (0..78).map(|window| Fault::CarryLost { term, window });
            only(outcomes_of(curve, faults), Undecided::Scalars);
        }
    }
}

#[test]
fn a_wrong_sign() {
    for curve in CURVES {
        for term in [0, 1] {
            let faults = (0..78).map(|window| Fault::Sign { term, window });
            only(outcomes_of(curve, faults), Undecided::Scalars);
        }
    }
}

#[test]
fn a_bit_of_an_addend() {
    for curve in CURVES {
        let of_point = |bit| outcomes(curve, |n| Fault::Addend { number: n as usize, bit });
        for bit in [64, bits(curve) - 1, bits(curve), 2 * bits(curve) - 65] {
            only(of_point(bit), Undecided::Curve);
        }
        // In limbs that the checksum includes.
        for bit in [0, 63, 2 * bits(curve) - 64, 2 * bits(curve) - 1] {
            only(of_point(bit), Undecided::Addends);
        }
    }
}

#[test]
fn an_addend_negated_lost_doubled_or_replaced() {
    for curve in CURVES {
        only(outcomes(curve, |n| Fault::AddendNegated { number: n as usize }), Undecided::Addends);
        only(outcomes(curve, |n| Fault::AddendLost { number: n as usize }), Undecided::Addends);
        only(outcomes(curve, |n| Fault::AddendDoubled { number: n as usize }), Undecided::Addends);
        only(outcomes_of(curve, (1..120).map(|number| Fault::AddendReplaced { number })), Undecided::Addends);
    }
}

#[test]
fn wrong_tables_are_not_taken() {
    for curve in CURVES {
        let signer = Signer::new(curve);
        let refused = |fault| {
            let (key, struck) = with_fault(fault, || PreparedKey::new(curve, &signer.point, KEY_WINDOW_BITS));
            if struck {
                assert_eq!(key.err(), Some(KeyRefused::Tables), "{curve:?} {fault:?}");
            }
            struck
        };
        assert!(refused(Fault::AnotherKey));
        for window in 1..36 {
            assert!(refused(Fault::DoublingSkipped { window }), "{window}");
        }
        for index in (0..2320).step_by(17) {
            assert!(refused(Fault::Entry { index, bit: index as u32 % (2 * bits(curve)) }));
            assert!(refused(Fault::EntriesExchanged { index, other: (index + 1) % 2320 }));
            assert!(refused(Fault::EntriesExchanged { index, other: (index + 64) % 2320 }));
        }
    }
}

#[test]
fn a_bit_of_a_product_in_tables() {
    for (curve, step) in [(Curve::P256, 61), (Curve::P384, 211)] {
        let signer = Signer::new(curve);
        let (mut refused, mut harmless) = (0, 0);
        for number in (0..).step_by(step) {
            let fault = Fault::Product { number, bit: number % bits(curve) };
            match with_fault(fault, || PreparedKey::new(curve, &signer.point, KEY_WINDOW_BITS)) {
                (_, false) => break,
                (Err(_), true) => refused += 1,
                // The topmost window keeps only some of the computed multiples.
                (Ok(key), true) => {
                    let digest = hash(curve, b"message");
                    assert_eq!(key.verify(&digest, &signer.sign(b"message")), Verdict::Valid, "{fault:?}");
                    harmless += 1;
                }
            }
        }
        assert!(refused > 150 && harmless < 20, "{curve:?}: {refused} refused, {harmless} harmless");
    }
}

/// The verdicts on a good signature with these faults, up to the first fault without effect.
fn outcomes(curve: Curve, fault: impl Fn(u32) -> Fault) -> BTreeMap<Verdict, u32> {
    let signatures = Signatures::new(curve);
    let mut outcomes = BTreeMap::new();
    for verdict in (0..).map_while(|n| signatures.outcome(fault(n))) {
        *outcomes.entry(verdict).or_default() += 1;
    }
    assert!(outcomes.values().sum::<u32>() > 30, "{outcomes:?}");
    outcomes
}

/// The verdicts on a good signature with these faults, without the faults that have no effect.
fn outcomes_of(curve: Curve, faults: impl IntoIterator<Item = Fault>) -> BTreeMap<Verdict, u32> {
    let signatures = Signatures::new(curve);
    let mut outcomes = BTreeMap::new();
    for verdict in faults.into_iter().filter_map(|fault| signatures.outcome(fault)) {
        *outcomes.entry(verdict).or_default() += 1;
    }
    assert!(!outcomes.is_empty());
    outcomes
}

/// A valid signature and two invalid ones.
struct Signatures {
    signer: Signer,
    good: Vec<u8>,
    bad: Vec<u8>,
}

impl Signatures {
    fn new(curve: Curve) -> Self {
        let signer = Signer::new(curve);
        let good = signer.sign(b"message");
        let mut bad = good.clone();
        bad[7] ^= 0x10;
        Signatures { signer, good, bad }
    }

    /// The verdict on the valid signature with the fault, if it has an effect. Asserts that the others are not valid.
    fn outcome(&self, fault: Fault) -> Option<Verdict> {
        for (message, signature) in [(&b"another message"[..], &self.good), (b"message", &self.bad)] {
            let (verdict, _) = with_fault(fault, || self.signer.verify(message, signature));
            assert_ne!(verdict, Verdict::Valid, "{fault:?}");
        }
        let (verdict, struck) = with_fault(fault, || self.signer.verify(b"message", &self.good));
        struck.then_some(verdict)
    }
}

fn only(outcomes: BTreeMap<Verdict, u32>, reason: Undecided) {
    assert_eq!(outcomes.keys().collect::<Vec<_>>(), [&Verdict::Undecided(reason)], "{outcomes:?}");
}

fn bits(curve: Curve) -> u32 {
    match curve {
        Curve::P256 => 256,
        Curve::P384 => 384,
    }
}
