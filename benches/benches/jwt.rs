//! Cold verification of a JWT, compared with the bare primitive of ring and of the engine's backend, and with the
//! feature `peers` with other libraries.

#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::Algorithm;
use tollgate::jwt::{CompactJws, base64url};
use tollgate_bench::{Primitive, Rotation, peers, unix_time};
use tollgate_tests::{cold_engine, key_set, signing_key};

const ALGORITHMS: [Algorithm; 4] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS256];

fn jwt(c: &mut Criterion) {
    for algorithm in ALGORITHMS {
        let key = signing_key(algorithm, 0);
        let name = algorithm.name();

        let primitive = Primitive::new(&key);
        let mut tokens = Rotation::new(&key);
        let signed: Vec<_> = (0..1024).map(|_| parts(tokens.next_token())).collect();
        let mut next = signed.iter().cycle();
        c.bench_function(&format!("primitive/{name}"), |b| {
            b.iter(|| {
                let (message, signature) = next.next().expect("endless");
                assert!(primitive.verify(black_box(message), black_box(signature)));
            });
        });

        // As in a set: with tables, if the algorithm has them.
        let set = key_set([&key]);
        let prepared = set.iter().next().expect("a key");
        let mut next = signed.iter().cycle();
        c.bench_function(&format!("primitive_of_engine/{name}"), |b| {
            b.iter(|| {
                let (message, signature) = next.next().expect("endless");
                prepared.verify(black_box(message), black_box(signature)).expect("a good signature");
            });
        });

        let engine = cold_engine([&key]);
        let now = unix_time();
        c.bench_function(&format!("cold/{name}"), |b| {
            b.iter(|| engine.verify_at(black_box(tokens.next_token().as_bytes()), now).expect("a good token"));
        });

        for peer in peers(&key) {
            c.bench_function(&format!("{}/{name}", peer.name), |b| {
                b.iter(|| (peer.verify)(black_box(tokens.next_token())));
            });
        }
    }
}

fn parts(token: &str) -> (Vec<u8>, Vec<u8>) {
    let jws = CompactJws::parse(token).expect("a token");
    let mut signature = Vec::new();
    base64url::decode(jws.signature(), &mut signature).expect("a signature");
    (jws.signing_input().to_vec(), signature)
}

criterion_group!(benches, jwt);
criterion_main!(benches);
