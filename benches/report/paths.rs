//! Instructions and read-modify-writes of a verify, counted by valgrind.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::callgrind::Profile;
use crate::command::{cargo, output, run, target};

/// The arguments of the example `verify_path`.
pub(crate) const PATHS: [(&str, &str); 7] = [
    ("warm", "warm, in the thread's own table"),
    ("shared", "warm, in the shared table"),
    ("cold", "cold, HS256, without a cache"),
    ("evicting", "cold, HS256, cached, another one evicted"),
    ("api-key", "an API key among 1,000"),
    ("garbage", "garbage, rejected"),
    ("expired", "expired, rejected"),
];

/// How often each path is run. The difference of the two counts excludes everything that happens once.
const FEW: u64 = 1024;
const MANY: u64 = 3072;

/// The instructions and the read-modify-writes of a verify by path, and the table of the example `instructions`.
pub(crate) fn measure() -> io::Result<Value> {
    Command::new("valgrind").arg("--version").output().map_err(|_| io::Error::other("valgrind is not installed"))?;
    run(&mut cargo(&["build", "--release", "--example", "verify_path"]))?;
    let program = target().join("release/examples/verify_path");
    let locked = locked_instructions(&program)?;
    let mut found = json!({});
    for (path, _) in PATHS {
        let (few, many) = (profile(&program, path, FEW)?, profile(&program, path, MANY)?);
        let a_verify = |few: u64, many: u64| (many as f64 - few as f64) / (MANY - FEW) as f64;
        found[path] = json!({
            "instructions": a_verify(few.instructions, many.instructions),
            "read_modify_writes": a_verify(few.count_at(&locked), many.count_at(&locked)),
        });
        eprintln!(
            "{path}: {} instructions, {} read-modify-writes",
            found[path]["instructions"], found[path]["read_modify_writes"]
        );
    }
    found["steps"] = steps()?.into();
    Ok(found)
}

/// The table of a cold verify's steps that the example `instructions` prints.
fn steps() -> io::Result<String> {
    // The example exits with 1 if a path is over its budget. The budgets are for another build, and CI checks them.
    let printed = cargo(&["run", "--release", "--example", "instructions"]).stderr(Stdio::inherit()).output()?.stdout;
    let printed = String::from_utf8_lossy(&printed);
    let table: Vec<&str> = printed
        .lines()
        .skip_while(|line| !line.starts_with("| step"))
        .take_while(|line| line.starts_with('|'))
        .collect();
    if table.is_empty() { Err(io::Error::other("no table of steps")) } else { Ok(table.join("\n")) }
}

fn profile(program: &Path, path: &str, count: u64) -> io::Result<Profile> {
    let file = target().join("report").join(format!("callgrind.{path}.{count}"));
    run(Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args([path, &count.to_string()]))?;
    Ok(Profile::read(&std::fs::read_to_string(file)?, &program.file_name().unwrap_or_default().to_string_lossy()))
}

/// The addresses of the program's atomic read-modify-write instructions.
fn locked_instructions(program: &Path) -> io::Result<HashSet<u64>> {
    let listing = output(Command::new("objdump").args(["-d", "--no-show-raw-insn"]).arg(program))?;
    let instruction = |line: &str| {
        let (address, text) = line.split_once(":\t")?;
        // `xchg` with memory locks without the prefix.
        let is_locked = text.starts_with("lock ") || (text.starts_with("xchg") && text.contains('('));
        is_locked.then(|| u64::from_str_radix(address.trim(), 16).ok()).flatten()
    };
    Ok(listing.lines().filter_map(instruction).collect())
}
