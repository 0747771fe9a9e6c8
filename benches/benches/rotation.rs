//! Verifying while the key set is replaced 1,000 times a second, compared with no replacements. The example
//! `rotation_tail` has the tail of the distribution.

#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate_bench::{RotatingKeys, Rotation, unix_time};

fn rotation(c: &mut Criterion) {
    let keys = RotatingKeys::new();
    let (engine, now) = (keys.cold_engine(), unix_time());
    let mut tokens = Rotation::new(&keys.signing_key);
    let mut verify = |id: &str| {
        c.bench_function(id, |b| {
            b.iter(|| engine.verify_at(black_box(tokens.next_token().as_bytes()), now).expect("a good token"));
        });
    };
    verify("rotation/verify_quiet");
    let _swaps = keys.swap();
    verify("rotation/verify_under_swaps");
}

criterion_group!(benches, rotation);
criterion_main!(benches);
