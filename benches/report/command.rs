//! Other programs, run in the root of the workspace.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The features of every build, equal for all so that nothing is built twice.
const FEATURES: &str = if cfg!(feature = "peers") { "report,peers" } else { "report" };

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    // The package's folder is one level below.
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of cargo's builds and of the measurements.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A cargo command for this package with the features of the report.
pub(crate) fn cargo(verb: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(verb).args(["-p", "tollgate-bench", "--features", FEATURES]).current_dir(root());
    command
}

/// Runs a command, whose output goes to standard error. Fails if the command does.
pub(crate) fn run(command: &mut Command) -> io::Result<()> {
    let status = command.stdout(io::stderr()).status().map_err(|error| named(command, &error.to_string()))?;
    if status.success() { Ok(()) } else { Err(named(command, &status.to_string())) }
}

/// Runs a command and returns its output. Fails if the command does.
pub(crate) fn output(command: &mut Command) -> io::Result<String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| named(command, &error.to_string()))?;
    if !output.status.success() {
        return Err(named(command, &output.status.to_string()));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

fn named(command: &Command, what: &str) -> io::Error {
    io::Error::other(format!("{}: {what}", command.get_program().display()))
}
