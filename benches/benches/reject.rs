//! The cost of rejections, to be compared with `sha256/signing_input`.

#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::Algorithm;
use tollgate_bench::{Rotation, sha256_of_signing_input, unix_time};
use tollgate_tests::{cold_engine, signing_key};

fn reject(c: &mut Criterion) {
    let (key, stranger) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::ES256, 1));
    let (engine, now) = (cold_engine([&key]), unix_time());
    let twin = signing_key(Algorithm::ES256, 0);
    let (mut good, mut unknown_kid, mut bad_signature) =
        (Rotation::new(&key), Rotation::new(&stranger), Rotation::new(&twin));

    let tokens: Vec<String> = (0..1024).map(|_| good.next_token().to_owned()).collect();
    sha256_of_signing_input(c, &tokens);

    // A server has cached the header of the tokens that it accepts.
    engine.verify_at(good.next_token().as_bytes(), now).expect("a good token");

    // As long as a token, with its alphabet, and no token.
    let garbage: Vec<String> = (0..64).map(|_| good.next_token().replace('.', "-")).collect();
    let mut garbage = garbage.iter().cycle();
    c.bench_function("reject/garbage", |b| {
        b.iter(|| engine.verify_at(black_box(garbage.next().expect("endless").as_bytes()), now).expect_err("garbage"));
    });
    c.bench_function("reject/unknown_kid", |b| {
        b.iter(|| engine.verify_at(black_box(unknown_kid.next_token().as_bytes()), now).expect_err("unknown"));
    });
    c.bench_function("reject/expired", |b| {
        b.iter(|| engine.verify_at(black_box(good.next_token().as_bytes()), now + 7200).expect_err("expired"));
    });
    c.bench_function("reject/bad_signature", |b| {
        b.iter(|| engine.verify_at(black_box(bad_signature.next_token().as_bytes()), now).expect_err("forged"));
    });
}

criterion_group!(benches, reject);
criterion_main!(benches);
