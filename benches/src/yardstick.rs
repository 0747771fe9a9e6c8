use std::hint::black_box;

use criterion::Criterion;
use ring::digest;
use tollgate::jwt::CompactJws;

/// The benchmark `sha256/signing_input`, the reference of other benchmarks in the same run: one SHA-256 of a token's
/// signing input, with the tokens in turn.
///
/// # Panics
/// If a text in `tokens` is no token.
pub fn sha256_of_signing_input(c: &mut Criterion, tokens: &[String]) {
    let parse = |token| CompactJws::parse(token).expect("a token").signing_input();
    let inputs: Vec<&[u8]> = tokens.iter().map(|token| parse(token)).collect();
    let mut next = inputs.iter().cycle();
    c.bench_function("sha256/signing_input", |b| {
        b.iter(|| digest::digest(&digest::SHA256, black_box(next.next().expect("endless"))));
    });
}
