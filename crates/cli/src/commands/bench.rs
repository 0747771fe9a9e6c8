//! `tollgate bench`: the cost of a verify on this machine.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;
use std::{fs, thread};

use clap::Args;
use tollgate::Algorithm;

use super::{Outcome, print};
use crate::bench::{Shape, charts, json, measure, table};
use crate::error::CommandError;
use crate::limits::{MAX_BENCH_API_KEYS, MAX_BENCH_THREADS, MAX_BENCH_TOKENS};
use crate::values;

const HELP: &str = "\
Tokens and keys are generated. Each request is written to memory shortly before it is verified, as if it came from a socket. The
throughput counts only the time in verify, not the generation of requests. The mean of a verify can be far above the median, since
the few new tokens take most of the time. The latencies are of single verifies and include one reading of the clock, 20 to 30 ns.
Measure a release build, on a machine that does nothing else.

Examples:
  tollgate bench
  tollgate bench --alg RS256 --tokens 100000 --hit-share 95 --threads 8
  tollgate bench --api-keys 1000000 --api-key-share 100
  tollgate bench --duration 30s --json --svg bench.svg";

/// Measure verify on this machine, with traffic of a given shape.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The algorithm that signs the tokens
    #[arg(long = "alg", value_name = "ALG", value_parser = values::algorithm(), default_value = "ES256", hide_possible_values = true)]
    algorithm: Algorithm,

    /// The length of a token in bytes; more if its claims need more
    #[arg(long, value_name = "BYTES", default_value_t = 700, value_parser = clap::value_parser!(u32).range(..=8000))]
    token_bytes: u32,

    /// The number of distinct tokens that are presented repeatedly
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=MAX_BENCH_TOKENS))]
    tokens: u32,

    /// The share of tokens that are among those, in per cent; the rest are new
    #[arg(long, value_name = "PERCENT", default_value_t = 99.0, value_parser = per_cent)]
    hit_share: f64,

    /// The number of API keys
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=MAX_BENCH_API_KEYS))]
    api_keys: u32,

    /// The share of requests with an API key instead of a token, in per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = per_cent)]
    api_key_share: f64,

    /// Threads that verify. Default: one for each processor
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=MAX_BENCH_THREADS))]
    threads: Option<u32>,

    /// Memory for the shared cache of verified tokens, in MiB; 0 for no cache. Default: the engine's
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(..=65536))]
    cache_mib: Option<u32>,

    /// The duration of the measurement: 500ms, 5s, 2m
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    duration: Duration,

    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,

    /// Also draw the latencies into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let shape = self.shape();
        let measured = measure(&shape)?;
        if let Some(path) = &self.svg {
            fs::write(path, charts(&shape, &measured))
                .map_err(|source| CommandError::File { path: path.clone(), source })?;
        }
        if self.json { print(&[&json(&shape, &measured), "\n"]) } else { print(&[&table(&shape, &measured)]) }
    }

    fn shape(&self) -> Shape {
        let processors = || thread::available_parallelism().map_or(1, NonZero::get);
        Shape {
            algorithm: self.algorithm,
            token_bytes: self.token_bytes as usize,
            tokens: self.tokens as usize,
            hit_share: self.hit_share / 100.0,
            api_keys: if self.api_key_share > 0.0 { self.api_keys as usize } else { 0 },
            api_key_share: self.api_key_share / 100.0,
            threads: self.threads.map_or_else(processors, |threads| threads as usize),
            cache_bytes: self.cache_mib.map(|mib| mib as usize * 1024 * 1024),
            duration: self.duration,
        }
    }
}

fn per_cent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "give a number from 0 to 100".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = match text.strip_suffix("ms") {
        Some(number) => Duration::from_millis(number.parse().map_err(|_| "give a time: 500ms, 5s, 2m".to_owned())?),
        None => Duration::from_secs(values::seconds(text)?.into()),
    };
    if duration.is_zero() { Err("give a time above zero".to_owned()) } else { Ok(duration) }
}
