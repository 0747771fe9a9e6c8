use std::fmt::Write;

use hdrhistogram::Histogram;

use super::measured::{Credential, Measured};
use super::shape::Shape;

/// The results, for people.
pub(crate) fn table(shape: &Shape, measured: &Measured) -> String {
    let (samples, mut text) = (&measured.samples, String::new());
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{}, {} tokens of {} bytes, {}% of them seen before, {} of {} API keys; {}, {:.1} s\n",
        shape.algorithm,
        thousands(shape.tokens as u64),
        thousands(measured.token_bytes as u64),
        shape.hit_share * 100.0,
        share(shape.api_key_share),
        thousands(shape.api_keys as u64),
        plural(shape.threads, "thread"),
        shape.duration.as_secs_f64(),
    );
    let per_verify = samples.nanoseconds_per_verify();
    let _ = writeln!(text, "{:22}{:>14} verifies a second", "throughput", thousands(samples.throughput() as u64));
    let ratio = per_verify / measured.sha256;
    let _ = writeln!(
        text,
        "{:22}{:>14} on its thread in the mean, {ratio:.2} x a SHA-256 of the signing input",
        "a verify",
        time(per_verify)
    );
    if let Some(check) = &measured.signature_check {
        let _ = write!(text, "{:22}{:>14}", "a signature check", time(check.engine));
        if let Some(without) = check.without_tables {
            let ratio = check.engine / without;
            let _ = write!(text, " with the tables of its key, {ratio:.2} x the {} without", time(without));
        }
        text.push('\n');
    }
    let _ = writeln!(text, "{:22}{:>14}", "verifies", thousands(samples.verifies()));
    if samples.rejected() > 0 {
        let _ = writeln!(text, "{:22}{:>14}", "REJECTED", thousands(samples.rejected()));
    }

    let _ = writeln!(text, "\n{:22}{:>10}{:>10}{:>10}{:>10}", "latency", "p50", "p99", "p99.9", "longest");
    let mut row = |name: &str, latencies: &Histogram<u64>| {
        if latencies.is_empty() {
            return;
        }
        let [p50, p99, p999, longest] =
            [0.5, 0.99, 0.999, 1.0].map(|part| latencies.value_at_quantile(part) as f64).map(time);
        let _ = writeln!(text, "{name:22}{p50:>10}{p99:>10}{p999:>10}{longest:>10}");
    };
    row("all", &samples.all_latencies());
    Credential::ALL.into_iter().for_each(|credential| row(credential.name(), samples.latencies(credential)));

    let _ = writeln!(text, "\n{:22}{:>10}{:>10}{:>10}", "the mean is made of", "verifies", "time", "mean");
    for (credential, [verifies, spent]) in samples.parts() {
        let mean = time(samples.latencies(credential).mean());
        let _ = writeln!(text, "{:22}{:>10}{:>10}{mean:>10}", credential.name(), share(verifies), share(spent));
    }

    let [front, back, miss] = measured.layers.shares();
    let _ = writeln!(text, "\ntokens found");
    let _ = writeln!(text, "{:22}{:>14}", "in the thread's cache", share(front));
    let _ = writeln!(text, "{:22}{:>14}", "in the shared cache", share(back));
    let _ = writeln!(text, "{:22}{:>14}", "nowhere: verified", share(miss));
    let _ = writeln!(text, "{:22}{:>14}", "evicted", thousands(measured.layers.evictions));
    let _ = writeln!(
        text,
        "{:22}{:>14}",
        "shared cache",
        format!("{:.1} MiB", measured.layers.bytes as f64 / f64::from(1 << 20))
    );
    text
}

/// Nanoseconds, in the unit that reads best.
pub(crate) fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} us", ns / 1e3),
        ns if ns < 1e9 => format!("{:.1} ms", ns / 1e6),
        ns => format!("{:.1} s", ns / 1e9),
    }
}

/// A number with a comma between thousands.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn share(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

fn plural(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
