use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};

use super::measured::{Layers, Measured, Samples};
use super::progress::Progress;
use super::shape::Shape;
use super::signature::SignatureCheck;
use super::traffic::Traffic;
use super::worker::Worker;
use crate::error::CommandError;

/// The interval at which the bar moves.
const TICK: Duration = Duration::from_millis(100);

/// How long SHA-256 is measured.
const YARDSTICK: Duration = Duration::from_millis(50);

/// Creates traffic of `shape`, and verifies it for the given time.
pub(crate) fn measure(shape: &Shape) -> Result<Measured, CommandError> {
    let progress = Progress::new();
    let traffic = Traffic::new(shape, &progress);
    let measured = traffic.and_then(|traffic| run(shape, &traffic, &progress));
    progress.finish();
    measured
}

fn run(shape: &Shape, traffic: &Traffic, progress: &Progress) -> Result<Measured, CommandError> {
    let sha256 = sha256_of_a_signing_input(traffic);
    progress.begin("checking signatures", 0);
    let signature_check = SignatureCheck::measure(shape.algorithm, traffic);
    // The workers and this thread wait for each other: first until all are warm, then to begin together.
    let (warm, begin) = (Barrier::new(shape.threads + 1), Barrier::new(shape.threads + 1));
    progress.begin("warming up", 0);
    let (before, samples) = thread::scope(|scope| {
        let workers: Vec<_> = (0..shape.threads)
            .map(|number| {
                let (warm, begin) = (&warm, &begin);
                scope.spawn(move || {
                    let mut worker = Worker::new(shape, traffic, number);
                    worker.warm_up();
                    warm.wait();
                    begin.wait();
                    worker.run(Instant::now() + shape.duration)
                })
            })
            .collect();
        warm.wait();
        let before = Layers::of(&traffic.engine);
        begin.wait();
        progress.begin("measuring", shape.duration.as_millis() as u64);
        while workers.iter().any(|worker| !worker.is_finished()) {
            thread::sleep(TICK.min(shape.duration / 4));
            progress.advance(TICK.as_millis() as u64);
        }
        let mut samples = Samples::new()?;
        for worker in workers {
            samples.add(worker.join().map_err(|_| CommandError::Bench("a thread of the measurement has ended"))??);
        }
        Ok::<_, CommandError>((before, samples))
    })?;
    let layers = Layers::of(&traffic.engine).since(&before);
    let token_bytes = traffic.seen.first().map_or(0, |header| header.len() - "Bearer ".len());
    Ok(Measured { samples, layers, token_bytes, sha256, signature_check })
}

/// The yardstick: one SHA-256 of a token's signing input, in nanoseconds.
fn sha256_of_a_signing_input(traffic: &Traffic) -> f64 {
    let inputs: Vec<&[u8]> = traffic.seen.iter().take(1024).map(|header| signing_input(header)).collect();
    let (begin, mut passes) = (Instant::now(), Vec::new());
    while passes.is_empty() || begin.elapsed() < YARDSTICK {
        let start = Instant::now();
        for input in &inputs {
            black_box(digest(&SHA256, black_box(input)));
        }
        passes.push(start.elapsed());
    }
    // The median ignores passes in which the thread had to wait.
    let middle = passes.len() / 2;
    let (_, median, _) = passes.select_nth_unstable(middle);
    median.as_nanos() as f64 / inputs.len().max(1) as f64
}

fn signing_input(header: &str) -> &[u8] {
    let token = header.trim_start_matches("Bearer ");
    token.rsplit_once('.').map_or(token, |(signing_input, _)| signing_input).as_bytes()
}
