//! 8: Ed25519 signatures and keys that are not canonical or of small order.

use num_bigint::BigUint;

use crate::arithmetic::ed25519::{IDENTITY, SMALL_ORDER, challenge, order, to_bytes};
use crate::docket::{Docket, Filing};
use crate::draft::base64url;
use crate::key::ALGORITHMS;
use crate::members::quoted;

pub(super) fn file(docket: &mut Docket) {
    let mut filing = docket.of("a08", ALGORITHMS[13]);
    file_signatures(&mut filing);
    file_weak_keys(&mut filing);
}

fn file_signatures(filing: &mut Filing<'_>) {
    let draft = filing.draft();
    let signature = filing.key.sign(draft.signing_input().as_bytes());
    let (r, s) = signature.split_at(32);
    let s_number = BigUint::from_bytes_le(s);
    for times in 1_u8..=14 {
        let above = &s_number + order() * times;
        let token = draft.with_signature([r, &to_bytes(&above)].concat());
        filing.reject(&format!("s+{times}l"), token, "RFC 8032 5.1.7, CVE-2026-33895");
    }
    let forms = [
        ("s=l", [r, &to_bytes(&order())].concat()),
        ("s=0", [r, &[0; 32]].concat()),
        ("s=l-s", [r, &to_bytes(&(order() - &s_number))].concat()),
        ("r=0", [&[0; 32], s].concat()),
        ("r-with-other-sign", [&r[..31], &[r[31] ^ 0x80], s].concat()),
        ("halves-swapped", [s, r].concat()),
        ("big-endian", signature.iter().rev().copied().collect()),
        ("zeros", vec![0; 64]),
        ("ones", vec![0xff; 64]),
        ("empty", Vec::new()),
        ("r-alone", r.to_vec()),
        ("last-byte-missing", signature[..63].to_vec()),
        ("zero-after", [signature.as_slice(), &[0]].concat()),
        ("key-after", [signature.as_slice(), &filing.key.public_bytes()].concat()),
        ("twice", signature.repeat(2)),
        ("message-after", [signature.as_slice(), draft.signing_input().as_bytes()].concat()),
        ("first-bit-flipped", [&[r[0] ^ 1], &signature[1..]].concat()),
    ];
    for (name, signature) in forms {
        filing.reject(name, draft.with_signature(signature), "RFC 8032 5.1.7");
    }
    for (name, _, point) in SMALL_ORDER {
        filing.reject(&format!("r-is-{name}"), draft.with_signature([&point, s].concat()), "RFC 8032 5.1.7");
        filing.reject(
            &format!("r-is-{name},s=0"),
            draft.with_signature([&point, &[0; 32][..]].concat()),
            "RFC 8032 5.1.7",
        );
    }
}

/// A key of small order: anybody can sign for it, at least for some messages. A verifier must not load it.
fn file_weak_keys(filing: &mut Filing<'_>) {
    for (name, order, point) in SMALL_ORDER {
        let jwk = filing.key.jwk().set("x", quoted(&base64url(point)));
        filing.keys(name, [jwk]);
        // The equation is [S]B = R + [k]A. With S = 0 and a neutral R it holds if the order of A divides k.
        let draft = (0..)
            .map(|n: u32| filing.draft().claim("jti", format!("\"{n}\"")))
            .find(|draft| challenge(&IDENTITY, &point, draft.signing_input().as_bytes()) % order == BigUint::ZERO);
        let token = draft.expect("one in eight will do").with_signature([IDENTITY, [0; 32]].concat());
        filing.may_reject(&format!("key-of-{name}"), token, "RFC 7748 6.1, RUSTSEC-2026-0240: anybody can sign");
    }
    let bytes = filing.key.public_bytes();
    let wrong = [
        ("key-one-byte-longer", [bytes.as_slice(), &[0]].concat()),
        ("key-one-byte-shorter", bytes[..31].to_vec()),
        ("key-empty", Vec::new()),
        ("key-off-the-curve", to_bytes(&2_u8.into()).to_vec()),
    ];
    for (name, bytes) in wrong {
        let jwk = filing.key.jwk().set("x", quoted(&base64url(bytes)));
        filing.keys(name, [jwk]);
        let token = filing.draft().sign(&filing.key);
        filing.reject(name, token, "RFC 8037 2, RFC 8032 5.1.3");
    }
}
