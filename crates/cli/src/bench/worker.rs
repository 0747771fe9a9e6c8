//! The work of each thread.

use std::hint::black_box;
use std::time::Instant;

use fastrand::Rng;

use super::measured::{Credential, Samples};
use super::shape::Shape;
use super::traffic::Traffic;
use crate::error::CommandError;

/// Requests that are written to memory before they are verified. Together they fit into the L1 cache.
const BATCH: usize = 16;

/// The requests of a round, and the most new tokens among them. New tokens are signed first, which is slow.
const ROUND: usize = 4096;
const NEW_A_ROUND: usize = 32;

/// One thread's part of the traffic. Its randomness has a fixed seed.
pub(crate) struct Worker<'t> {
    shape: &'t Shape,
    traffic: &'t Traffic,
    number: usize,
    random: Rng,
    /// The number of the next new token.
    next_new: u64,
    written: Vec<Vec<u8>>,
    /// Whether the next batch is timed as a whole.
    as_a_whole: bool,
}

enum Request {
    Seen(usize),
    New(String),
    ApiKey(usize),
}

impl<'t> Worker<'t> {
    pub(crate) fn new(shape: &'t Shape, traffic: &'t Traffic, number: usize) -> Self {
        Worker {
            shape,
            traffic,
            number,
            random: Rng::with_seed(number as u64),
            next_new: (number as u64 + 1) << 32,
            written: vec![Vec::new(); BATCH],
            as_a_whole: true,
        }
    }

    /// Presents every token: first this thread's share, to verify each once, then all tokens, for a while, until the
    /// caches are warm.
    pub(crate) fn warm_up(&mut self) {
        let seen = &self.traffic.seen;
        for header in seen.iter().skip(self.number).step_by(self.shape.threads) {
            // An error shows in the measurement.
            drop(self.traffic.engine.verify(header.as_bytes()));
        }
        let until = Instant::now() + self.shape.duration;
        for header in seen.iter().chain(seen).chain(seen) {
            drop(self.traffic.engine.verify(header.as_bytes()));
            if Instant::now() > until {
                break;
            }
        }
    }

    /// Verifies until `until`.
    pub(crate) fn run(&mut self, until: Instant) -> Result<Samples, CommandError> {
        let mut samples = Samples::new()?;
        loop {
            let round = self.round()?;
            for batch in round.chunks(BATCH) {
                self.verify(batch, &mut samples);
            }
            if Instant::now() >= until {
                return Ok(samples);
            }
        }
    }

    fn round(&mut self) -> Result<Vec<Request>, CommandError> {
        let (mut round, mut new) = (Vec::with_capacity(ROUND), 0);
        while round.len() < ROUND && new < NEW_A_ROUND {
            round.push(if self.random.f64() < self.shape.api_key_share {
                Request::ApiKey(self.random.usize(..self.shape.api_keys))
            } else if self.random.f64() < self.shape.hit_share {
                Request::Seen(self.random.usize(..self.traffic.seen.len()))
            } else {
                new += 1;
                self.next_new += 1;
                let token = self.traffic.mint.token(self.next_new).map_err(CommandError::Issuer)?;
                Request::New(format!("Bearer {token}"))
            });
        }
        Ok(round)
    }

    fn verify(&mut self, batch: &[Request], samples: &mut Samples) {
        for (request, written) in batch.iter().zip(&mut self.written) {
            written.clear();
            match request {
                Request::Seen(index) => written.extend_from_slice(self.traffic.seen[*index].as_bytes()),
                Request::New(header) => written.extend_from_slice(header.as_bytes()),
                Request::ApiKey(number) => {
                    written.extend_from_slice(self.traffic.api_keys.key(*number).as_str().as_bytes());
                }
            }
        }
        let written = &self.written[..batch.len()];
        let engine = &self.traffic.engine;
        if self.as_a_whole {
            let start = Instant::now();
            let accepted = written.iter().filter(|header| black_box(engine.verify(black_box(header))).is_ok()).count();
            samples.count_batch(start.elapsed(), batch.len(), accepted);
        } else {
            let mut start = Instant::now();
            for (header, request) in written.iter().zip(batch) {
                let is_accepted = black_box(engine.verify(black_box(header))).is_ok();
                let end = Instant::now();
                samples.count_one(request.credential(), end - start, is_accepted);
                // The time of counting is excluded.
                start = Instant::now();
            }
        }
        self.as_a_whole = !self.as_a_whole;
    }
}

impl Request {
    fn credential(&self) -> Credential {
        match self {
            Request::Seen(_) => Credential::SeenToken,
            Request::New(_) => Credential::NewToken,
            Request::ApiKey(_) => Credential::ApiKey,
        }
    }
}
