//! Prints the time to load a key of each kind, from its JWK to a set. Also prints the time of a check under keys with
//! tables and without, with so many keys in turn that their tables do not fit into the CPU caches.
//!
//!     cargo run --release -p tollgate-bench --example key_costs

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tollgate::keys::limits::MAX_KEYS_WITH_TABLES;
use tollgate::keys::{Curve, KeySetBuilder, PublicKey, VerifyingKey};
use tollgate::{Algorithm, KeySet};
use tollgate_issuer::SigningKey;
use tollgate_tests::signing_key;

const ROUNDS: usize = 50;
const WITH_TABLES: [Algorithm; 3] = [Algorithm::EdDSA, Algorithm::ES256, Algorithm::ES384];
/// The memory that a server touches between two checks, in bytes.
const TOUCHED: usize = 4 << 20;

fn main() {
    println!("| key | loading |");
    println!("|---|---:|");
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let jwk = signing_key(algorithm, 0).public_jwk().expect("a public key").to_string();
        let load = || KeySet::builder().jwk(jwk.as_bytes()).expect("a JWK").build().expect("a usable key");
        println!("| {algorithm} | {:.1?} |", least(load));
    }
    for algorithm in WITH_TABLES {
        many_keys(algorithm);
    }
}

fn many_keys(algorithm: Algorithm) {
    let signers: Vec<SigningKey> = (0..256).map(|index| signing_key(algorithm, index)).collect();
    let keys: Vec<VerifyingKey> = signers.iter().map(without_tables).collect();
    // Sets with few keys each, so that all keys have tables.
    let sets: Vec<KeySet> = keys.chunks(MAX_KEYS_WITH_TABLES).map(set).collect();
    let mut tabled: Vec<VerifyingKey> = sets.iter().flat_map(KeySet::iter).cloned().collect();
    tabled.sort_by_key(|key| keys.iter().position(|other| other.kid() == key.kid()));

    let message = [b'x'; 559];
    let signatures: Vec<Vec<u8>> =
        signers.iter().map(|signer| signer.sign(&message).expect("a test key signs").to_vec()).collect();
    let check = |keys: &[VerifyingKey], index: usize| {
        assert!(keys[index].verify(black_box(&message), &signatures[index]).is_ok());
    };
    println!("\n| {algorithm}, keys in turn | with tables | without | with tables, 4 MiB touched before each check |");
    println!("|---:|---:|---:|---:|");
    for count in [1, 4, 16, 64, 256] {
        let checks = 64.max(count);
        let hot = |keys: &[VerifyingKey]| least(|| (0..checks).for_each(|n| check(keys, n % count))) / checks as u32;
        let (with, without) = (hot(&tabled), hot(&keys));
        println!("| {count} | {with:.1?} | {without:.1?} | {:.1?} |", disturbed(checks, |n| check(&tabled, n % count)));
    }
}

/// The median time of a check after other memory was touched.
fn disturbed(checks: usize, check: impl Fn(usize)) -> Duration {
    let mut other = vec![1_u64; TOUCHED / size_of::<u64>()];
    let timed = |n| {
        other.iter_mut().for_each(|word| *word = black_box(*word + 1));
        let start = Instant::now();
        check(n);
        start.elapsed()
    };
    let mut times: Vec<_> = (0..4 * checks).map(timed).collect();
    times.sort();
    times[times.len() / 2]
}

fn set(keys: &[VerifyingKey]) -> KeySet {
    keys.iter().cloned().fold(KeySet::builder(), KeySetBuilder::key).build().expect("usable keys")
}

fn without_tables(signer: &SigningKey) -> VerifyingKey {
    let jwk: serde_json::Value = serde_json::from_str(&signer.public_jwk().expect("a public key")).expect("a JWK");
    let coordinate = |name: &str| {
        let mut bytes = Vec::new();
        tollgate::jwt::base64url::decode(jwk[name].as_str().expect(name), &mut bytes).expect("base64url");
        bytes
    };
    let point = || [vec![4], coordinate("x"), coordinate("y")].concat();
    let key = match signer.algorithm() {
        Algorithm::ES256 => PublicKey::ec(Curve::P256, &point()),
        Algorithm::ES384 => PublicKey::ec(Curve::P384, &point()),
        _ => PublicKey::ed25519(&coordinate("x")),
    };
    VerifyingKey::new(&key.expect("a good key"), signer.algorithm(), Some(signer.kid())).expect("a good key")
}

fn least<T>(mut work: impl FnMut() -> T) -> Duration {
    let round = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}
