//! Runs Criterion's benchmarks in several rounds, and reads the estimates from its files.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde_json::{Value, json};

use crate::command::{cargo, run, target};

/// Runs all benchmarks of one executable. The result has for each id the medians of its rounds, in nanoseconds.
///
/// The rounds are short, so that compared benchmarks are measured within about a minute: a change of the machine's speed
/// then affects both.
pub(crate) fn benchmarks(executable: &str, rounds: u32, quick: bool) -> io::Result<Value> {
    let home = target().join("report/criterion").join(executable);
    let mut medians: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for round in 1..=rounds {
        eprintln!("-- round {round} of {rounds}");
        if home.exists() {
            fs::remove_dir_all(&home)?;
        }
        let mut command = cargo(&["bench", "--bench", executable]);
        let (warm_up, measure) = if quick { ("0.05", "0.1") } else { ("0.5", "1.2") };
        command.args([
            "--",
            "--noplot",
            "--nresamples",
            "2000",
            "--warm-up-time",
            warm_up,
            "--measurement-time",
            measure,
        ]);
        run(command.env("CRITERION_HOME", &home))?;
        collect(&home, &mut medians)?;
    }
    if medians.is_empty() {
        return Err(io::Error::other(format!("no estimates in {}", home.display())));
    }
    Ok(json!(medians))
}

/// Looks for the estimates of each benchmark below `folder`.
fn collect(folder: &Path, medians: &mut BTreeMap<String, Vec<f64>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let (name, estimates) = (path.join("benchmark.json"), path.join("estimates.json"));
        if path.ends_with("new") && name.exists() {
            let (name, estimates) = (read(&name)?, read(&estimates)?);
            let (id, median) = (name["full_id"].as_str(), estimates["median"]["point_estimate"].as_f64());
            let (Some(id), Some(median)) = (id, median) else {
                return Err(io::Error::other(format!("{} is not as criterion writes it", path.display())));
            };
            medians.entry(id.to_owned()).or_default().push(median);
        } else {
            collect(&path, medians)?;
        }
    }
    Ok(())
}

fn read(file: &Path) -> io::Result<Value> {
    serde_json::from_slice(&fs::read(file)?).map_err(io::Error::other)
}
