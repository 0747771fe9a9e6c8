use tollgate_chart::{Bar, BarChart, Histogram, svg};

use super::measured::{Credential, Measured};
use super::shape::Shape;
use super::table::{thousands, time};

/// Bars per power of two of the latency.
const BUCKETS_AN_OCTAVE: i32 = 6;

/// The results as SVG: the latencies, and the median of each kind of credential beside the time of one SHA-256.
pub(crate) fn charts(shape: &Shape, measured: &Measured) -> String {
    let samples = &measured.samples;
    let latencies = samples.all_latencies();
    let note = format!(
        "{}, {} tokens, {} threads: {} verifies a second",
        shape.algorithm,
        thousands(shape.tokens as u64),
        shape.threads,
        thousands(samples.throughput() as u64),
    );
    let mut histogram = Histogram::new("Latency of a verify", note);
    let edge = |step: i32| 2_f64.powf(f64::from(step) / f64::from(BUCKETS_AN_OCTAVE)).round();
    // From 1 ns to 10 s.
    for step in 0..34 * BUCKETS_AN_OCTAVE {
        let (from, to) = (edge(step), edge(step + 1));
        if to > from {
            let count = latencies.count_between(from as u64, to as u64 - 1);
            histogram = histogram.bucket(from, to, count);
        }
    }
    for (name, part) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        histogram = histogram.mark(name, latencies.value_at_quantile(part) as f64);
    }

    let medians = Credential::ALL.into_iter().filter_map(|credential| {
        let latencies = samples.latencies(credential);
        let median = latencies.value_at_quantile(0.5) as f64;
        (!latencies.is_empty()).then(|| Bar::new(credential.name(), median, time(median)).ours())
    });
    let yardstick = Bar::new("SHA-256 of a signing input", measured.sha256, time(measured.sha256));
    let bars = BarChart::new("Median of each kind", "less is better").group("", medians.chain([yardstick]));
    svg(&[&histogram, &bars])
}
