//! Runs the built command as a process.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const AUDIENCE: &str = "https://api.example";

/// The results of a run of the command.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The lines of standard output.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// The lines of standard output as JSON. Each rejection has a `detail` of one sentence.
    pub(crate) fn answers(&self) -> Vec<Value> {
        let answers: Vec<Value> = self.lines().into_iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for answer in answers.iter().filter(|answer| answer["ok"] == false || answer["usable"] == false) {
            let detail = answer["detail"].as_str().unwrap_or_default();
            assert!((1..=256).contains(&detail.chars().count()), "{answer}");
            assert!(!detail.contains(char::is_control), "{answer}");
        }
        answers
    }

    /// The lines of standard output without the `detail` of rejections.
    pub(crate) fn lines_without_detail(&self) -> Vec<String> {
        self.answers();
        let without = |line: &str| match line.split_once(",\"detail\":") {
            Some((line, _)) => format!("{line}}}"),
            None => line.to_owned(),
        };
        self.lines().into_iter().map(without).collect()
    }

    /// The `error` of each answer; `None` if it was accepted.
    pub(crate) fn errors(&self) -> Vec<Option<String>> {
        self.answers().into_iter().map(|answer| answer["error"].as_str().map(str::to_owned)).collect()
    }

    /// Asserts that the run ended with exit status 2, nothing on standard output and one line on standard error that
    /// contains `message`.
    pub(crate) fn refused_with(&self, message: &str) {
        assert_eq!((self.status, self.stdout.as_str()), (2, ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.starts_with("tollgate: "), "{self:?}");
        assert!(self.stderr.contains(message), "{self:?}");
    }
}

/// The command, not yet started.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command
        .env_remove("TOLLGATE_STORE")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the command with `input` as its standard input.
pub(crate) fn run(arguments: &[&str], input: impl AsRef<[u8]>) -> Run {
    run_command(command(arguments), input.as_ref())
}

/// Runs `command` with `input` as its standard input.
pub(crate) fn run_command(mut command: Command, input: &[u8]) -> Run {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output: Output = thread::scope(|scope| {
        // The command may end before it has read everything.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder that is removed on drop.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    /// The path of `name` in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.0.path().join(name), content).unwrap();
        self.path(name)
    }

    /// Writes a new private key to a file and returns its path.
    pub(crate) fn key(&self, algorithm: &str, kid: &str) -> String {
        let made = run(&["key", "new", "--alg", algorithm, "--kid", kid], "");
        assert_eq!(made.status, 0, "{made:?}");
        self.write(&format!("{kid}.jwk"), made.stdout)
    }
}

/// A file of `tests/data`.
pub(crate) fn data(name: &str) -> String {
    data_path(name).to_str().unwrap().to_owned()
}

/// The text of a file of `tests/data`.
pub(crate) fn data_text(name: &str) -> String {
    fs::read_to_string(data_path(name)).unwrap()
}

fn data_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A token of [`ISSUER`] for [`AUDIENCE`] with these arguments, made by the command.
pub(crate) fn token(key: &str, further: &[&str]) -> String {
    let made =
        run(&[&["token", "new", "--key", key, "--issuer", ISSUER, "--audience", AUDIENCE], further].concat(), "");
    assert_eq!(made.status, 0, "{made:?}");
    made.stdout.trim_end().to_owned()
}
