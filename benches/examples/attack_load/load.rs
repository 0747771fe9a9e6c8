use std::hint::{black_box, spin_loop};
use std::num::NonZero;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use hdrhistogram::Histogram;
use tollgate::{Algorithm, Engine};
use tollgate_bench::unix_time;
use tollgate_issuer::SigningKey;
use tollgate_tests::{engine, signing_key, traffic_token};

use crate::attack::{Attack, Attacker};
use crate::schedule::{Schedule, seconds};

/// Requests with good tokens a second and thread, and how many distinct tokens there are.
const LEGITIMATE_RATE: f64 = 2_000.0;
const LEGITIMATE_TOKENS: usize = 1_000;

/// How many requests of an attack come with each good request.
const ATTACK_FACTOR: f64 = 10.0;

/// The length of an interval, whose requests are generated before it begins.
const STRETCH: f64 = 0.2;

/// An engine, its callers and its threads.
pub(crate) struct Load {
    engine: Engine,
    issuer: SigningKey,
    client: SigningKey,
    legitimate: Vec<String>,
    threads: usize,
    now: i64,
}

/// A phase with one load.
#[derive(Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) attack: Option<Attack>,
    pub(crate) seconds: f64,
}

/// The results of a phase. Times in nanoseconds.
pub(crate) struct Seen {
    /// From the arrival of a good token to its answer, with the wait for others.
    pub(crate) answer: Histogram<u64>,
    /// The verify alone.
    pub(crate) verify: Histogram<u64>,
    pub(crate) legitimate: u64,
    /// How many good tokens were cache hits.
    pub(crate) hits: u64,
    pub(crate) attacks: u64,
    /// The time that all of these took.
    pub(crate) attack_time: Duration,
    pub(crate) evictions: u64,
    /// How long the phase was, on the clock of each thread.
    pub(crate) seconds: f64,
}

struct Request {
    at: f64,
    header: String,
    is_legitimate: bool,
}

impl Load {
    /// An engine with cached RS256 tokens of many callers, and HS256 tokens of one client.
    pub(crate) fn new() -> Self {
        let (issuer, client) = (signing_key(Algorithm::RS256, 0), signing_key(Algorithm::HS256, 0));
        let now = unix_time();
        let token = |index| format!("Bearer {}", traffic_token(&issuer, index, now));
        Load {
            engine: engine([&issuer, &client]),
            legitimate: (0..LEGITIMATE_TOKENS).map(token).collect(),
            threads: thread::available_parallelism().map_or(1, NonZero::get),
            issuer,
            client,
            now,
        }
    }

    /// The requests of an attack a second, on all threads together.
    pub(crate) fn attack_rate(&self) -> f64 {
        LEGITIMATE_RATE * ATTACK_FACTOR * self.threads as f64
    }

    pub(crate) fn run(&self, phase: Phase) -> Seen {
        // The workers and this thread meet here: all are warm, none has begun.
        let (warm, begin) = (&Barrier::new(self.threads + 1), &Barrier::new(self.threads + 1));
        let (before, mut seen) = thread::scope(|scope| {
            let worker = |thread| {
                self.warm_up();
                warm.wait();
                begin.wait();
                self.work(phase, thread)
            };
            let workers: Vec<_> = (0..self.threads).map(|thread| scope.spawn(move || worker(thread))).collect();
            warm.wait();
            let before = self.hits_and_evictions();
            begin.wait();
            let parts = workers.into_iter().map(|worker| worker.join().expect("a worker does not panic"));
            (before, parts.reduce(Seen::plus).expect("a thread at least"))
        });
        let after = self.hits_and_evictions();
        (seen.hits, seen.evictions) = (after.0 - before.0, after.1 - before.1);
        seen
    }

    fn warm_up(&self) {
        for header in [&self.legitimate; 4].into_iter().flatten() {
            self.engine.verify(header.as_bytes()).expect("a good token");
        }
    }

    fn work(&self, phase: Phase, thread: usize) -> Seen {
        let mut seen = Seen::new(phase.seconds);
        let mut random = Rng::with_seed(thread as u64);
        let mut legitimate = Schedule::new(LEGITIMATE_RATE, 2 * thread as u64);
        let mut attack = phase.attack.map(|attack| {
            let schedule = Schedule::new(LEGITIMATE_RATE * ATTACK_FACTOR, 2 * thread as u64 + 1);
            (schedule, Attacker::new(attack, &self.issuer, &self.client, self.now, thread))
        });
        let mut from = 0.0;
        while from < phase.seconds {
            let to = (from + STRETCH).min(phase.seconds);
            let mut requests = Vec::new();
            while legitimate.next() < to {
                let header = self.legitimate[random.usize(..LEGITIMATE_TOKENS)].clone();
                requests.push(Request { at: legitimate.next() - from, header, is_legitimate: true });
                legitimate.advance();
            }
            while let Some((schedule, attacker)) = attack.as_mut().filter(|(schedule, _)| schedule.next() < to) {
                let at = schedule.next() - from;
                requests.push(Request { at, header: attacker.header(), is_legitimate: false });
                schedule.advance();
            }
            requests.sort_by(|one, other| one.at.total_cmp(&other.at));
            self.handle(&requests, phase.attack, &mut seen);
            from = to;
        }
        seen
    }

    /// Handles each request when it arrives, or as soon as those before it have been answered.
    fn handle(&self, requests: &[Request], attack: Option<Attack>, seen: &mut Seen) {
        let begin = Instant::now();
        for request in requests {
            let arrival = begin + seconds(request.at);
            while Instant::now() < arrival {
                spin_loop();
            }
            let start = Instant::now();
            let verdict = black_box(self.engine.verify(black_box(request.header.as_bytes())));
            let end = Instant::now();
            if request.is_legitimate {
                verdict.expect("a good token");
                seen.legitimate += 1;
                seen.answer.saturating_record((end - arrival).as_nanos() as u64);
                seen.verify.saturating_record((end - start).as_nanos() as u64);
            } else {
                assert_eq!(verdict.is_ok(), attack.is_some_and(Attack::is_accepted), "{}", request.header);
                seen.attacks += 1;
                seen.attack_time += end - start;
            }
        }
    }

    /// All hits are of good tokens: an attack's requests are never cache hits.
    fn hits_and_evictions(&self) -> (u64, u64) {
        let statistics = self.engine.cache_statistics().unwrap_or_default();
        (statistics.front_hits + statistics.back_hits, statistics.evictions)
    }
}

impl Seen {
    fn new(seconds: f64) -> Self {
        let histogram = || Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("bounds of a histogram");
        Seen {
            answer: histogram(),
            verify: histogram(),
            legitimate: 0,
            hits: 0,
            attacks: 0,
            attack_time: Duration::ZERO,
            evictions: 0,
            seconds,
        }
    }

    fn plus(mut self, other: Seen) -> Seen {
        self.answer.add(other.answer).expect("equal bounds");
        self.verify.add(other.verify).expect("equal bounds");
        self.legitimate += other.legitimate;
        self.attacks += other.attacks;
        self.attack_time += other.attack_time;
        self
    }
}
