use std::io;

use clap::ValueEnum;
use serde_json::Value;

use crate::command::{cargo, output, run, target};
use crate::criterion::benchmarks;
use crate::measured::keep;
use crate::tables::unmeasured;
use crate::{end_to_end, node, roads};

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Part {
    /// Tokens not seen before, beside the bare primitive and other libraries
    Cold,
    /// fast-jwt and jose, where there is Node.js
    Node,
    /// Tokens seen before; revocation; two threads
    Warm,
    /// Rejections
    Reject,
    /// Proofs of possession
    Dpop,
    /// API keys
    ApiKey,
    /// Key sets replaced all the time
    Rotation,
    /// Good tokens while others attack
    Attack,
    /// A server that says hello, loaded by wrk
    EndToEnd,
    /// Instructions and shared writes, counted by valgrind
    Roads,
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
        Part::Roads,
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
            Part::Roads => "roads",
        }
    }

    /// Measures it and keeps what was found; of a quick measurement nothing is kept, but shown.
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
            Part::Roads => roads::measure(),
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
