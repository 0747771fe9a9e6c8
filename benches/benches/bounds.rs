//! What each rejection before the signature costs, by the length of what was sent: linear up to the limit, and past it
//! the same whatever the length. `bounds/<rejection>/<bytes>`; the throughput that is shown with it is the time per byte.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tollgate_tests::{EARLY_REJECTIONS, EarlyRejections, NOW};

/// Up to the limit of 8 KiB, and past it.
const BYTES: [usize; 6] = [1024, 2048, 4096, 8192, 16_384, 131_072];

fn bounds(c: &mut Criterion) {
    let rejections = EarlyRejections::new();
    let mut group = c.benchmark_group("bounds");
    // Over 200 of them, of which each is steady.
    group.sample_size(20).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400));
    for rejection in &EARLY_REJECTIONS {
        let mut measured = 0;
        for bytes in BYTES {
            // Two texts by turns, so that nothing is known from the time before.
            let headers = [0, 1].map(|variant| rejections.header(rejection, bytes, variant));
            let length = headers[0].len();
            // Some are of one length.
            if length <= measured {
                continue;
            }
            measured = length;
            let mut next = headers.iter().cycle();
            group.throughput(Throughput::Bytes(length as u64));
            group.bench_function(BenchmarkId::new(rejection.name.replace('/', "-"), bytes), |b| {
                b.iter(|| {
                    let header = next.next().expect("endless").as_bytes();
                    rejections.engine().verify_at(black_box(header), NOW).expect_err("rejected")
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, bounds);
criterion_main!(benches);
