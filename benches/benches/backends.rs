//! The bare primitive of every backend. Run with the feature `graviola` for all of them.

#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate_bench::{Sample, backends};

fn primitive_backends(c: &mut Criterion) {
    for sample in Sample::all() {
        for (backend, check) in backends(&sample) {
            let mut signed = sample.signed.iter().cycle();
            c.bench_function(&format!("primitive_backends/{backend}/{}", sample.name), |b| {
                b.iter(|| {
                    let (message, signature) = signed.next().expect("endless");
                    assert_eq!(check(black_box(message), black_box(signature)), sample.verifies);
                });
            });
        }
    }
}

criterion_group!(benches, primitive_backends);
criterion_main!(benches);
