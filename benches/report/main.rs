//! Measures all figures of docs/performance.md, and writes its tables and charts, and those of the README.
//!
//!     cargo run --release -p tollgate-bench --features report,peers --bin report
//!
//! With `--only PART`, which may be repeated, it measures these parts alone; with `--write` nothing. The results of a
//! part are kept in `target/report` until it is measured again; the pages are written from there.

#![forbid(unsafe_code)]

mod callgrind;
mod charts;
mod command;
mod criterion;
mod end_to_end;
mod measured;
mod node;
mod numbers;
mod pages;
mod part;
mod paths;
mod tables;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use part::Part;

/// Measure everything, and write docs/performance.md's tables and charts.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure this part alone; may be repeated
    #[arg(long, value_enum)]
    only: Vec<Part>,

    /// Measure nothing; write the pages from earlier measurements
    #[arg(long, conflicts_with = "only")]
    write: bool,

    /// Rounds of every benchmark, whose median is shown
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Measure for a moment only, to check that everything works; keep and write nothing
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let parts = match (&*arguments.only, arguments.write) {
        (_, true) => Vec::new(),
        ([], _) => Part::ALL.to_vec(),
        (only, _) => only.to_vec(),
    };
    let begin = Instant::now();
    let mut failed = false;
    for (index, part) in parts.iter().enumerate() {
        eprintln!("\n== {} ({} of {}, {} s so far)", part.name(), index + 1, parts.len(), begin.elapsed().as_secs());
        if let Err(reason) = part.measure(arguments.rounds, arguments.quick) {
            eprintln!("{} was not measured: {reason}", part.name());
            failed = true;
        }
        // After each part, so that nothing is lost if the rest is interrupted.
        failed |= !arguments.quick && write_pages();
    }
    if arguments.write {
        failed = write_pages();
    }
    eprintln!("\n{} s in all", begin.elapsed().as_secs());
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Whether it failed.
fn write_pages() -> bool {
    match pages::write() {
        Ok(()) => false,
        Err(reason) => {
            eprintln!("the pages were not written: {reason}");
            true
        }
    }
}
