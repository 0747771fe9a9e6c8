//! Prints the time to load a key of each kind, from its JWK to a set; and that of a check under Ed25519 keys with tables and
//! without, many keys by turns, when their tables no longer fit in a processor's caches.
//!
//!     cargo run --release -p tollgate-bench --example key_costs

use std::hint::black_box;
use std::time::{Duration, Instant};

use tollgate::keys::limits::MAX_KEYS_WITH_TABLES;
use tollgate::keys::{KeySetBuilder, PublicKey, VerifyingKey};
use tollgate::{Algorithm, KeySet};
use tollgate_issuer::SigningKey;
use tollgate_tests::signing_key;

const ROUNDS: usize = 50;

fn main() {
    let signers: Vec<SigningKey> = (0..1024).map(|index| signing_key(Algorithm::EdDSA, index)).collect();
    let keys: Vec<VerifyingKey> = signers.iter().map(without_tables).collect();

    println!("| key | loading |");
    println!("|---|---:|");
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let jwk = signing_key(algorithm, 0).public_jwk().expect("a public key").to_string();
        let load = || KeySet::builder().jwk(jwk.as_bytes()).expect("a JWK").build().expect("a usable key");
        println!("| {algorithm} | {:.1?} |", least(load));
    }
    let few = &keys[..MAX_KEYS_WITH_TABLES];
    println!("| tables of an Ed25519 key | {:.1?} |\n", least(|| set(few)) / few.len() as u32);

    // Sets of few keys each, so that all have tables.
    let sets: Vec<KeySet> = keys.chunks(MAX_KEYS_WITH_TABLES).map(set).collect();
    let mut tabled: Vec<VerifyingKey> = sets.iter().flat_map(KeySet::iter).cloned().collect();
    tabled.sort_by_key(|key| keys.iter().position(|other| other.kid() == key.kid()));

    let message = [b'x'; 559];
    let signatures: Vec<Vec<u8>> =
        signers.iter().map(|signer| signer.sign(&message).expect("a test key signs").to_vec()).collect();
    println!("| keys by turns | with tables | without |");
    println!("|---:|---:|---:|");
    for count in [1, 4, 16, 64, 256, 1024] {
        let check = |keys: &[VerifyingKey]| {
            let checks = 64.max(count);
            let all = least(|| {
                for index in (0..checks).map(|index| index % count) {
                    assert!(keys[index].verify(black_box(&message), &signatures[index]).is_ok());
                }
            });
            all / checks as u32
        };
        println!("| {count} | {:.1?} | {:.1?} |", check(&tabled), check(&keys));
    }
}

fn set(keys: &[VerifyingKey]) -> KeySet {
    keys.iter().cloned().fold(KeySet::builder(), KeySetBuilder::key).build().expect("usable keys")
}

fn without_tables(signer: &SigningKey) -> VerifyingKey {
    let jwk: serde_json::Value = serde_json::from_str(&signer.public_jwk().expect("a public key")).expect("a JWK");
    let mut x = Vec::new();
    tollgate::jwt::base64url::decode(jwk["x"].as_str().expect("x"), &mut x).expect("base64url");
    let key = PublicKey::ed25519(&x).expect("a good key");
    VerifyingKey::new(&key, Algorithm::EdDSA, Some(signer.kid())).expect("a good key")
}

fn least<T>(mut work: impl FnMut() -> T) -> Duration {
    let round = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}
