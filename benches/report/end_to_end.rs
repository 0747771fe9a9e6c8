//! A server that says hello without authentication, behind tollgate and behind jsonwebtoken, loaded over loopback by
//! wrk.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

use serde_json::{Value, json};

use crate::command::{cargo, output, root, run, target};

const ALGORITHMS: [&str; 2] = ["RS256", "ES256"];
const VARIANTS: &[&str] =
    if cfg!(feature = "peers") { &["none", "tollgate", "jsonwebtoken"] } else { &["none", "tollgate"] };

/// wrk's connections, and its seconds of load: for warming up, and measured.
const CONNECTIONS: &str = "32";
const WARM_UP_SECONDS: u32 = 1;
const SECONDS: u32 = 4;

/// How many rounds there are for each of the other benchmarks' rounds.
const ROUNDS_A_ROUND: u32 = 2;

/// By variant and algorithm a list of rounds. In a round every server has its turn, so that a change of the machine's
/// speed affects all.
pub(crate) fn measure(rounds: u32, quick: bool) -> io::Result<Value> {
    // wrk exits with 1 after it has printed its version; it only has to exist.
    Command::new("wrk").arg("--version").output().map_err(|_| io::Error::other("wrk is not installed"))?;
    run(&mut cargo(&["build", "--release", "--bin", "hello"]))?;
    let mut servers = Vec::new();
    for algorithm in ALGORITHMS {
        for variant in VARIANTS {
            servers.push(Server::start(variant, algorithm)?);
        }
    }
    let rounds = if quick { 1 } else { rounds * ROUNDS_A_ROUND };
    for server in &servers {
        server.load(WARM_UP_SECONDS)?;
    }
    let mut found = json!({});
    for round in 1..=rounds {
        eprintln!("-- round {round} of {rounds}");
        for server in &servers {
            let before = server.processor_seconds()?;
            let load = server.load(if quick { 1 } else { SECONDS })?;
            let used = server.processor_seconds()? - before;
            let (requests, seconds) = (number(&load, "requests")?, number(&load, "microseconds")? / 1e6);
            if number(&load, "errors")? > 0.0 || requests == 0.0 {
                return Err(io::Error::other(format!("{} did not answer as it should: {load}", server.name)));
            }
            let entry = json!({
                "requests_per_second": requests / seconds,
                "p50_us": load["p50_us"],
                "p99_us": load["p99_us"],
                "cpu_seconds_per_million": used / requests * 1e6,
            });
            eprintln!("{}: {entry}", server.name);
            match &mut found[&server.name] {
                Value::Array(rounds) => rounds.push(entry),
                first => *first = json!([entry]),
            }
        }
    }
    Ok(found)
}

fn number(object: &Value, name: &str) -> io::Result<f64> {
    object[name].as_f64().ok_or_else(|| io::Error::other(format!("no {name} in {object}")))
}

/// A running server; dropping the value ends it.
struct Server {
    name: String,
    process: Child,
    address: String,
    tokens: String,
}

impl Server {
    fn start(variant: &str, algorithm: &str) -> io::Result<Self> {
        let name = format!("{variant}/{algorithm}");
        let folder = target().join("report/end_to_end");
        fs::create_dir_all(&folder)?;
        let tokens = folder.join(format!("{variant}-{algorithm}.txt")).to_string_lossy().into_owned();
        let mut process = Command::new(target().join("release/hello"))
            .args([variant, algorithm, &tokens])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut address)?;
        }
        Ok(Server { name, process, address: address.trim().to_owned(), tokens })
    }

    /// Loads the server, and returns the script's output.
    fn load(&self, seconds: u32) -> io::Result<Value> {
        let script = root().join("benches/end_to_end/tokens.lua");
        // wrk and the server share the machine: about half of it for each.
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = (processors / 2).max(1).to_string();
        let printed = output(
            Command::new("wrk")
                .args(["-t", &threads, "-c", CONNECTIONS, "-d", &format!("{seconds}s"), "-s"])
                .arg(script)
                .args([&format!("http://{}/", self.address), "--", &self.tokens]),
        )?;
        let line = printed.lines().find(|line| line.starts_with('{')).unwrap_or_default();
        serde_json::from_str(line).map_err(|_| io::Error::other(format!("wrk printed {printed}")))
    }

    /// The time that its threads have run, in seconds.
    fn processor_seconds(&self) -> io::Result<f64> {
        let mut nanoseconds = 0_u64;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let times = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += times.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or_default();
        }
        Ok(nanoseconds as f64 / 1e9)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
