//! 5, 6, 7: ECDSA signatures that are out of range, differently encoded, or the other valid one of a pair.

use num_bigint::BigUint;

use crate::arithmetic::der::{SEQUENCE, element, integer};
use crate::arithmetic::ecdsa::Curve;
use crate::arithmetic::to_bytes;
use crate::docket::{Docket, Filing};
use crate::draft::Draft;
use crate::key::{ALGORITHMS, Family, Secret};

pub(super) fn file(docket: &mut Docket) {
    for class in ["a05", "a06", "a07"] {
        for algorithm in ALGORITHMS {
            let Family::Ecdsa(curve, _) = algorithm.family else { continue };
            let filing = &mut docket.of(class, algorithm);
            match class {
                "a05" => file_out_of_range(filing, curve),
                "a06" => file_forms(filing, curve),
                _ => file_twins(filing, curve),
            }
        }
    }
}

fn file_out_of_range(filing: &mut Filing<'_>, curve: &Curve) {
    let one = BigUint::from(1_u8);
    let numbers = [
        ("0", BigUint::ZERO),
        ("1", one.clone()),
        ("n-1", &curve.n - &one),
        ("n", curve.n.clone()),
        ("n+1", &curve.n + &one),
        ("p", curve.p.clone()),
    ];
    let draft = filing.draft();
    let (r, s) = signature(filing, curve, &draft);
    for (r_name, r) in numbers.iter().map(|(name, r)| (*name, r)).chain([("r", &r)]) {
        for (s_name, s) in numbers.iter().map(|(name, s)| (*name, s)).chain([("s", &s)]) {
            if (r_name, s_name) != ("r", "s") {
                let token = draft.with_signature(joined(curve, r, s));
                filing.reject(&format!("r={r_name},s={s_name}"), token, "FIPS 186-5 6.4.2, CVE-2022-21449");
            }
        }
    }
}

fn file_forms(filing: &mut Filing<'_>, curve: &Curve) {
    const WHY: &str = "RFC 7518 3.4";
    let draft = filing.draft();
    let (r, s) = signature(filing, curve, &draft);
    let length = curve.length();
    let plain = joined(curve, &r, &s);
    let der = element(SEQUENCE, &[&integer(&r), &integer(&s)]);
    let hex = |number: &BigUint| format!("{:0width$}", number.to_str_radix(16), width = 2 * length);
    let forms = [
        ("der", der.clone()),
        ("der-padded", [der.as_slice(), &vec![0; (2 * length).saturating_sub(der.len())]].concat()),
        ("hexadecimal", format!("{}{}", hex(&r), hex(&s)).into_bytes()),
        ("each-half-one-zero-longer", [&[0], &plain[..length], &[0], &plain[length..]].concat()),
        ("zero-before", [&[0], plain.as_slice()].concat()),
        ("zero-after", [plain.as_slice(), &[0]].concat()),
        ("last-byte-missing", plain[..plain.len() - 1].to_vec()),
        ("first-byte-missing", plain[1..].to_vec()),
        ("r-alone", plain[..length].to_vec()),
        ("twice", plain.repeat(2)),
        ("halves-swapped", [&plain[length..], &plain[..length]].concat()),
        ("little-endian", [rev(&plain[..length]), rev(&plain[length..])].concat()),
        ("uncompressed-point-prefix", [&[4], plain.as_slice()].concat()),
        ("empty", Vec::new()),
        ("zeros", vec![0; 2 * length]),
        ("ones", vec![0xff; 2 * length]),
        ("last-bit-flipped", flipped(&plain, plain.len() - 1)),
        ("first-bit-flipped", flipped(&plain, 0)),
    ];
    for (name, signature) in forms {
        filing.reject(name, draft.with_signature(signature), WHY);
    }
    // Only P-521 has room for it in every signature.
    for (name, r, s) in [("r+n", &r + &curve.n, s.clone()), ("s+n", r.clone(), &s + &curve.n)] {
        if r.bits().max(s.bits()) <= 8 * length as u64 {
            filing.reject(name, draft.with_signature(joined(curve, &r, &s)), "FIPS 186-5 6.4.2");
        }
    }
}

fn file_twins(filing: &mut Filing<'_>, curve: &Curve) {
    for subject in ["user-1", "user-2", "user-3"] {
        let draft = filing.draft().claim("sub", format!("\"{subject}\""));
        let (r, s) = signature(filing, curve, &draft);
        let twin = draft.with_signature(joined(curve, &r, &(&curve.n - &s)));
        filing.may_accept(&format!("{subject}-n-s"), twin, "RFC 7518 3.4 asks for no particular one of the two");
        filing.accept(subject, draft.with_signature(joined(curve, &r, &s)), "RFC 7518 3.4");
    }
}

/// The unmodified signature.
fn signature(filing: &Filing<'_>, curve: &Curve, draft: &Draft) -> (BigUint, BigUint) {
    let (Secret::Scalar(d), Family::Ecdsa(_, hash)) = (&filing.key.secret, filing.key.algorithm.family) else {
        unreachable!("the key is one of ECDSA");
    };
    curve.sign(d, hash, draft.signing_input().as_bytes())
}

fn joined(curve: &Curve, r: &BigUint, s: &BigUint) -> Vec<u8> {
    [to_bytes(r, curve.length()), to_bytes(s, curve.length())].concat()
}

fn rev(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

fn flipped(bytes: &[u8], index: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[index] ^= 1;
    bytes
}
