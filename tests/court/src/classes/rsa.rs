//! 10, 11: paddings that only resemble PKCS #1 v1.5 and PSS. All except the cube roots are made with the private
//! key: they test how strict the verifier is.

use num_bigint::BigUint;

use crate::arithmetic::der::{self, element};
use crate::arithmetic::hash::Hash;
use crate::arithmetic::rsa::{Pss, digest_info, digest_info_with, pkcs1};
use crate::arithmetic::to_bytes;
use crate::docket::{Docket, Filing};
use crate::draft::Draft;
use crate::key::{ALGORITHMS, Family, Key};

pub(super) fn file(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        if let Family::Pkcs1(hash) = algorithm.family {
            let filing = &mut docket.of("a10", algorithm);
            file_pkcs1(filing, hash);
            file_numbers(filing);
            file_cube_roots(filing, hash);
        }
    }
    for algorithm in ALGORITHMS {
        if let Family::Pss(hash) = algorithm.family {
            let filing = &mut docket.of("a11", algorithm);
            file_pss(filing, hash);
            file_numbers(filing);
        }
    }
}

fn file_pkcs1(filing: &mut Filing<'_>, hash: Hash) {
    const WHY: &str = "RFC 8017 8.2.2";
    let draft = filing.draft();
    let digest = hash.digest(draft.signing_input().as_bytes());
    let rsa = filing.key.rsa_key().clone();
    let length = rsa.length();
    let info = digest_info(hash, &digest);
    let good = pkcs1(&info, length);
    let start = length - info.len();
    let with = |changes: &[(usize, u8)]| {
        let mut encoded = good.clone();
        for (index, byte) in changes {
            encoded[*index] = *byte;
        }
        encoded
    };
    let short_padding = |garbage_before: bool| {
        let head = [&[0, 1], vec![0xff; 8].as_slice(), &[0]].concat();
        let garbage = vec![0x5a; length - head.len() - info.len()];
        if garbage_before { [head, garbage, info.clone()].concat() } else { [head, info.clone(), garbage].concat() }
    };
    let oid = element(der::OID, &[hash.oid()]);
    let null = element(der::NULL, &[]);
    let in_parameters = element(der::OCTET_STRING, &[&[0x5a; 40]]);
    let long_length = {
        // The outer length in two bytes instead of one, and a shorter padding.
        let mut info = info.clone();
        info.splice(1..2, [0x81, info[1]]);
        info
    };
    let other = if hash == Hash::Sha256 { Hash::Sha384 } else { Hash::Sha256 };
    let forms = [
        ("garbage-after-hash", short_padding(false)),
        ("garbage-before-hash", short_padding(true)),
        ("garbage-in-parameters", pkcs1(&digest_info_with(&[&oid, &in_parameters], &digest), length)),
        ("parameters-after-null", pkcs1(&digest_info_with(&[&oid, &null, &null], &digest), length)),
        ("ber-length", pkcs1(&long_length, length)),
        ("hash-without-info", pkcs1(&digest, length)),
        ("octet-string-without-info", pkcs1(&element(der::OCTET_STRING, &[&digest]), length)),
        ("other-oid", pkcs1(&digest_info(other, &digest), length)),
        ("other-hash", pkcs1(&digest_info(other, &other.digest(draft.signing_input().as_bytes())), length)),
        ("sha-1", pkcs1(&digest_info(Hash::Sha1, &Hash::Sha1.digest(draft.signing_input().as_bytes())), length)),
        ("hash-cut-short", pkcs1(&digest_info(hash, &digest[..digest.len() - 1]), length)),
        ("hash-empty", pkcs1(&digest_info(hash, &[]), length)),
        ("hash-one-byte-longer", pkcs1(&digest_info(hash, &[digest.as_slice(), &[0]].concat()), length)),
        ("block-type-0", with(&[(1, 0)])),
        ("block-type-2", with(&[(1, 2)])),
        ("first-byte-1", with(&[(0, 1)])),
        ("padding-not-ff", with(&[(10, 0xfe)])),
        ("padding-ends-early", with(&[(start - 2, 0)])),
        ("separator-not-zero", with(&[(start - 1, 0xff)])),
        ("sequence-tag", with(&[(start, 0x31)])),
        ("octet-string-tag", with(&[(start + info.len() - digest.len() - 2, 0x03)])),
        ("hash-bit-flipped", with(&[(length - 1, good[length - 1] ^ 1)])),
    ];
    for (name, encoded) in forms {
        filing.reject(name, draft.with_signature(rsa.raw(&encoded)), WHY);
    }
    let no_null = rsa.raw(&pkcs1(&digest_info_with(&[&oid], &digest), length));
    filing.may_reject("null-missing", draft.with_signature(no_null), "RFC 8017 9.2 notes 1 and 2, A.2.4");
    let pss = rsa.sign_pss(&Pss::new(hash), draft.signing_input().as_bytes());
    filing.reject("pss", draft.with_signature(pss), "RFC 7518 3.3");
}

/// Invalid signature representatives, or that of another signature.
fn file_numbers(filing: &mut Filing<'_>) {
    let draft = filing.draft();
    let rsa = filing.key.rsa_key().clone();
    let (length, n) = (rsa.length(), rsa.n.clone());
    let good = filing.key.sign(draft.signing_input().as_bytes());
    let number = BigUint::from_bytes_be(&good);
    let short = |count: u32| {
        // A signature whose first byte is zero, without that byte.
        let tokens = (0..count).map(|nonce| filing.draft().claim("jti", format!("\"{nonce}\"")));
        let find = |draft: Draft| {
            let signature = filing.key.sign(draft.signing_input().as_bytes());
            (signature[0] == 0).then(|| draft.with_signature(&signature[1..]))
        };
        tokens.filter_map(find).next()
    };
    let forms = [
        ("signature=0", vec![0; length]),
        ("signature=1", to_bytes(&1_u8.into(), length)),
        ("signature=n-1", to_bytes(&(&n - 1_u8), length)),
        ("signature=n", to_bytes(&n, length)),
        ("signature+n", to_bytes(&(&number + &n), length)),
        ("signature=n-signature", to_bytes(&(&n - &number), length)),
        ("zero-before", [&[0], good.as_slice()].concat()),
        ("zero-after", [good.as_slice(), &[0]].concat()),
        ("last-byte-missing", good[..length - 1].to_vec()),
        ("empty", Vec::new()),
        ("twice", good.repeat(2)),
        ("little-endian", good.iter().rev().copied().collect()),
        ("unsigned-hash", filing.key.algorithm.family.hash().digest(draft.signing_input().as_bytes())),
    ];
    // The search is slow, so only one algorithm of each kind is used.
    let short = if filing.algorithm().ends_with("256") { short(4096) } else { None };
    for (name, signature) in forms {
        filing.reject(name, draft.with_signature(signature), "RFC 8017 8.1.2, 8.2.2, 5.2.2");
    }
    if let Some(token) = short {
        filing.reject("leading-zero-missing", token, "RFC 8017 8.1.2 step 1, 8.2.2 step 1");
    }
}

/// Forgeries without the private key for e = 3 (CVE-2006-4339): a cube whose first bytes are correct.
fn file_cube_roots(filing: &mut Filing<'_>, hash: Hash) {
    let key = Key::rsa(filing.key.algorithm, "rsa-e3");
    filing.keys("rsa-e3", [key.jwk()]);
    let draft = Draft::new(&key);
    let digest = hash.digest(draft.signing_input().as_bytes());
    let length = key.rsa_key().length();
    for (name, padding) in [("cube-root", 8), ("cube-root-one-byte-of-padding", 1), ("cube-root-no-padding", 0)] {
        let head = [&[0, 1], vec![0xff; padding].as_slice(), &[0], &digest_info(hash, &digest)].concat();
        let target = [head.as_slice(), &vec![0xff; length - head.len()]].concat();
        let root = BigUint::from_bytes_be(&target).cbrt();
        filing.reject(name, draft.with_signature(to_bytes(&root, length)), "RFC 8017 8.2.2, CVE-2006-4339");
    }
    filing.usual_keys();
}

fn file_pss(filing: &mut Filing<'_>, hash: Hash) {
    let draft = filing.draft();
    let key = filing.key.clone();
    let message = draft.signing_input();
    let good = Pss::new(hash);
    let longest = key.rsa_key().length() - hash.length() - 2;
    let other = if hash == Hash::Sha256 { Hash::Sha384 } else { Hash::Sha256 };
    let forms = [
        ("salt-empty", Pss { salt_length: 0, ..good.clone() }),
        ("salt-one-byte", Pss { salt_length: 1, ..good.clone() }),
        ("salt-one-byte-shorter", Pss { salt_length: hash.length() - 1, ..good.clone() }),
        ("salt-one-byte-longer", Pss { salt_length: hash.length() + 1, ..good.clone() }),
        ("salt-20-bytes", Pss { salt_length: 20, ..good.clone() }),
        ("salt-longest", Pss { salt_length: longest, ..good.clone() }),
        ("mask-of-sha-1", Pss { mask: Hash::Sha1, ..good.clone() }),
        ("mask-of-other-hash", Pss { mask: other, ..good.clone() }),
        ("other-hash", Pss { salt_length: hash.length(), ..Pss::new(other) }),
        ("other-hash-throughout", Pss::new(other)),
        ("trailer", Pss { trailer: 0xcc, ..good.clone() }),
        ("separator", Pss { separator: 2, ..good.clone() }),
        ("separator-missing", Pss { separator: 0, ..good.clone() }),
        ("padding-not-zero", Pss { padding: 1, ..good.clone() }),
        ("high-bits", Pss { high_bits: true, ..good.clone() }),
    ];
    for (name, pss) in forms {
        let token = draft.with_signature(key.rsa_key().sign_pss(&pss, message.as_bytes()));
        filing.reject(name, token, "RFC 7518 3.5, RFC 8017 9.1.2");
    }
    let pkcs1 = key.rsa_key().sign_pkcs1(hash, message.as_bytes());
    filing.reject("pkcs1", draft.with_signature(pkcs1), "RFC 7518 3.5");
}
