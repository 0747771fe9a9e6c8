//! The cost of each rejection before the signature check, by the length of the header: linear up to the limit, and
//! constant past it. The ids are `bounds/<rejection>/<bytes>`; the shown throughput is the time per byte.

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
    // Over 200 benchmarks, each of which varies little.
    group.sample_size(20).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400));
    for rejection in &EARLY_REJECTIONS {
        let mut measured = 0;
        for bytes in BYTES {
            // Two texts in turn, so that nothing is cached from the call before.
            let headers = [0, 1].map(|variant| rejections.header(rejection, bytes, variant));
            let length = headers[0].len();
            // Some rejections have headers of one length only.
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
