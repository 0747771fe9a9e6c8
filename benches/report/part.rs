use std::io;

use clap::ValueEnum;
use serde_json::Value;

use crate::command::{cargo, output, run, target};
use crate::criterion::benchmarks;
use crate::measured::keep;
use crate::tables::unmeasured;
use crate::{end_to_end, node, paths};

/// A part that can be measured by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Part {
    /// Cold tokens, compared with the bare primitive and other libraries
    Cold,
    /// fast-jwt and jose, if Node.js is installed
    Node,
    /// Warm tokens; revocation; two threads
    Warm,
    /// Rejections
    Reject,
    /// Proofs of possession
    Dpop,
    /// API keys
    ApiKey,
    /// Key sets under constant replacement
    Rotation,
    /// Good tokens during attacks
    Attack,
    /// A server that says hello, loaded by wrk
    EndToEnd,
    /// Instructions and shared writes, counted by valgrind
    Paths,
}

impl Part {
    pub(crate) const ALL: [Part; 10] = [
        Part::Cold,
        Part::Node,
        Part::Warm,
        Part::Reject,
        Part::Dpop,
        Part::ApiKey,
        Part::Rotation,
        Part::Attack,
        Part::EndToEnd,
        Part::Paths,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Cold => "cold",
            Part::Node => "node",
            Part::Warm => "warm",
            Part::Reject => "reject",
            Part::Dpop => "dpop",
            Part::ApiKey => "api-key",
            Part::Rotation => "rotation",
            Part::Attack => "attack",
            Part::EndToEnd => "end-to-end",
            Part::Paths => "paths",
        }
    }

    /// Measures the part and keeps the results; those of a quick measurement are only printed.
    pub(crate) fn measure(self, rounds: u32, quick: bool) -> io::Result<()> {
        let found = match self {
            Part::Cold => benchmarks("jwt", rounds, quick),
            Part::Node => node::measure(),
            Part::Warm => benchmarks("warm", rounds, quick),
            Part::Reject => benchmarks("reject", rounds, quick),
            Part::Dpop => benchmarks("dpop", rounds, quick),
            Part::ApiKey => benchmarks("api_key", rounds, quick),
            Part::Rotation => benchmarks("rotation", rounds, quick),
            Part::Attack => attack(quick),
            Part::EndToEnd => end_to_end::measure(rounds, quick),
            Part::Paths => paths::measure(),
        }?;
        let unmeasured = unmeasured(self, &found);
        if !unmeasured.is_empty() {
            return Err(io::Error::other(format!("no figure for {}", unmeasured.join(", "))));
        }
        if quick {
            println!("{found:#}");
            return Ok(());
        }
        keep(self, found)
    }
}

fn attack(quick: bool) -> io::Result<Value> {
    let file = target().join("report/attack_load.json");
    let mut command = cargo(&["run", "--release", "--example", "attack_load"]);
    command.arg("--").arg("--json").arg(&file).args(quick.then_some("--short"));
    run(&mut command)?;
    serde_json::from_slice(&std::fs::read(file)?).map_err(io::Error::other)
}

/// The version of the compiler.
pub(crate) fn compiler() -> String {
    let version = output(std::process::Command::new("rustc").arg("-V")).unwrap_or_default();
    version.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
