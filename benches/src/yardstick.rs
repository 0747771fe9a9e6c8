use std::hint::black_box;

use criterion::Criterion;
use ring::digest;
use tollgate::jwt::CompactJws;

/// The benchmark `sha256/signing_input`, to be run beside whatever is compared with it: one SHA-256 of what the signature of
/// a token covers, the tokens by turns.
///
/// # Panics
/// Where a token is none.
pub fn sha256_of_signing_input(c: &mut Criterion, tokens: &[String]) {
    let parse = |token| CompactJws::parse(token).expect("a token").signing_input();
    let inputs: Vec<&[u8]> = tokens.iter().map(|token| parse(token)).collect();
    let mut next = inputs.iter().cycle();
    c.bench_function("sha256/signing_input", |b| {
        b.iter(|| digest::digest(&digest::SHA256, black_box(next.next().expect("endless"))));
    });
}
