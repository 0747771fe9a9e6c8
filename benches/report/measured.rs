//! Measurements, kept in files between runs.

use std::path::PathBuf;
use std::thread;
use std::{fs, io};

use serde_json::{Value, json};

use crate::command::{output, target};
use crate::part::{Part, compiler};

/// The results of a part, with their date and machine.
pub(crate) struct Measured {
    pub(crate) machine: String,
    pub(crate) found: Value,
}

/// Stores the results of a part.
pub(crate) fn keep(part: Part, found: Value) -> io::Result<()> {
    let file = file(part);
    fs::create_dir_all(file.parent().unwrap_or(&file))?;
    fs::write(file, json!({ "machine": machine(), "found": found }).to_string())
}

/// The last results of a part; `None` if it was never measured.
pub(crate) fn kept(part: Part) -> Option<Measured> {
    let kept: Value = serde_json::from_slice(&fs::read(file(part)).ok()?).ok()?;
    Some(Measured { machine: kept["machine"].as_str()?.to_owned(), found: kept["found"].clone() })
}

fn file(part: Part) -> PathBuf {
    target().join("report").join(part.name()).with_extension("json")
}

/// One sentence on where and when.
fn machine() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |name: &str| {
        let line = information.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = value("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let family = match (value("cpu family"), value("model\t")) {
        (Some(family), Some(model)) => format!(", family {family} model {model}"),
        _ => String::new(),
    };
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let date = output(std::process::Command::new("date").args(["-u", "+%Y-%m-%d"])).unwrap_or_default();
    format!("{}, {processors} x {model}{family}, {}", date.trim(), compiler())
}
