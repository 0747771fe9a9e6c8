//! Counts the instructions of each path through the engine and of each step of the longest, and compares the paths with
//! their budgets in `benches/instructions.toml`. A path that grew is detected on any machine, however busy.
//!
//!     CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
//!         cargo run --release -p tollgate-bench --no-default-features --example instructions
//!
//! The program needs valgrind, which counts, and an x86-64 processor with AVX2, for which the budgets were made. The
//! cryptography is not counted: it is not this project's, and valgrind has fewer of its instructions than processors
//! do. Exit status 1 if a path is over its budget.

#![forbid(unsafe_code)]

mod budgets;
mod callgrind;
mod credentials;
mod path;
mod steps;
mod tokens;

use std::error::Error;
use std::process::ExitCode;

use budgets::Budgets;
use callgrind::Count;
use path::Path;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    if let Some(group) = std::env::args().nth(1) {
        let group = GROUPS.iter().find(|one| one.name == group).ok_or("no such group of paths")?;
        callgrind::run_counted((group.paths)());
        return Ok(ExitCode::SUCCESS);
    }
    let mut counts = Vec::new();
    for group in &GROUPS {
        counts.extend(callgrind::count(group.name, group.left_out)?);
    }
    let (steps, paths): (Vec<Count>, Vec<Count>) =
        counts.into_iter().partition(|count| count.name.starts_with("step/"));
    steps::print(&paths, &steps);
    Ok(if Budgets::read()?.hold(&paths) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Paths that are counted in one run of valgrind.
struct Group {
    name: &'static str,
    paths: fn() -> Vec<Path>,
    /// The function whose instructions are not counted, by the name that valgrind prints.
    left_out: &'static str,
}

const GROUPS: [Group; 2] = [
    Group { name: "tokens", paths: tokens::paths, left_out: "*SignatureCheck*check*" },
    Group { name: "credentials", paths: credentials::paths, left_out: "ring_core*sha256_block_data_order*" },
];
