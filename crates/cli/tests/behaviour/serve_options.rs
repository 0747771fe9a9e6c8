//! Options of `tollgate serve` from a file and from the environment, and the effect of signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Folder, command, run, run_command};
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// A service, the first line that it printed, and the lines of its log.
struct Service {
    child: Child,
    origin: String,
    log: Receiver<String>,
}

impl Service {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let stderr = child.stderr.take().unwrap();
        let origin = line.trim_end().strip_prefix("tollgate listens on ").map(str::to_owned);
        let origin = origin.unwrap_or_else(|| panic!("{line:?}"));
        let (send, log) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Service { child, origin, log }
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for a line of the log that contains `text`.
    #[track_caller]
    fn logs(&self, text: &str) -> String {
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            let line = self.log.recv_timeout(limit.saturating_duration_since(Instant::now()));
            match line {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(_) => panic!("no line of the log holds {text:?}"),
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_command_line_wins_over_the_environment_which_wins_over_the_file() {
    let folder = Folder::new();
    let options = "listen = \"127.0.0.1:0\"\nstore = \"data\"\nbase_url = \"https://file.example\"\nlog = \"off\"\n";
    let file = folder.write("serve.toml", options);
    let origin = |more: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(&[&["serve", "--config", &file], more].concat());
        command.envs(variables.iter().copied());
        Service::start(command).origin.clone()
    };
    assert_eq!(origin(&[], &[]), "https://file.example");
    // The store of the file is relative to it.
    assert!(std::path::Path::new(&folder.path("data")).is_dir());
    let variable = [("TOLLGATE_BASE_URL", "https://environment.example")];
    assert_eq!(origin(&[], &variable), "https://environment.example");
    assert_eq!(origin(&["--base-url", "https://line.example"], &variable), "https://line.example");
}

#[test]
fn a_file_that_does_not_do_is_refused_with_its_line() {
    let folder = Folder::new();
    for (content, message) in [
        (
            "listen = \"127.0.0.1:0\"\nlisen = \"127.0.0.1:1\"\n",
            "serve.toml:2: unknown option `lisen`, expected one of ",
        ),
        ("demo = true\n", "serve.toml:1: unknown option `demo`"),
        ("listen = \"127.0.0.1:0\"\nsession_ttl = \"long\"\n", "serve.toml:2: invalid value 'long' for '--session-ttl"),
        ("session_ttl = true\n", "serve.toml:1: expected a string or a number, not boolean"),
        ("listen = [\"127.0.0.1:0\"]\n", "serve.toml:1: expected a string or a number, not array"),
        ("trusted_proxy = [\"10.0.0.1\", \"ten\"]\n", "serve.toml:1: invalid value 'ten'"),
        ("trusted_proxy = [\"10.0.0.1\"]\n", "give --trusted-proxy and --client-address together"),
        ("tls_cert = \"missing.pem\"\n", "give --tls-cert and --tls-key together"),
        ("listen = \n", "serve.toml:1: "),
    ] {
        let file = folder.write("serve.toml", content);
        let store = folder.path("data");
        run(&["serve", "--config", &file, "--store", &store], "").refused_with(message);
    }
    let missing = folder.path("missing.toml");
    run(&["serve", "--config", &missing], "").refused_with("missing.toml");
    run(&["serve", "--demo", "--store", &missing], "").refused_with("--demo cannot be used with --store");
}

#[test]
fn the_demo_leaves_the_store_of_the_environment_alone() {
    let folder = Folder::new();
    let mut demo = command(&["serve", "--demo", "--listen", "127.0.0.1:0", "--log", "off"]);
    demo.env("TOLLGATE_STORE", folder.path("data"));
    assert!(Service::start(demo).origin.starts_with("http://127.0.0.1:"));
    assert!(!std::path::Path::new(&folder.path("data")).exists());
    let mut bad = command(&["serve"]);
    bad.env("TOLLGATE_LISTEN", "nowhere");
    run_command(bad, b"").refused_with("invalid value 'nowhere' for '--listen");
}

#[test]
fn a_hang_up_reads_the_file_and_the_certificate_anew() {
    let folder = Folder::new();
    let new_certificate = || {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        folder.write("cert.pem", cert.pem());
        folder.write("key.pem", signing_key.serialize_pem());
    };
    new_certificate();
    let options = |log: &str, ttl: &str, cert: &str| {
        let tls = format!("tls_cert = \"{cert}\"\ntls_key = \"key.pem\"\n");
        let content =
            format!("listen = \"127.0.0.1:0\"\nstore = \"data\"\nlog = \"{log}\"\nsession_ttl = \"{ttl}\"\n{tls}");
        folder.write("serve.toml", content)
    };
    let file = options("error", "1h", "cert.pem");
    let service = Service::start(command(&["serve", "--config", &file]));
    assert!(service.origin.starts_with("https://127.0.0.1:"), "{}", service.origin);

    new_certificate();
    options("info", "2h", "cert.pem");
    service.signal("-HUP");
    service.logs("the options were read again");
    let line = service.logs("not applied before the next start");
    assert!(line.ends_with(": session_ttl"), "{line}");
    // An invalid file changes nothing.
    options("error", "2h", "missing.pem");
    service.signal("-HUP");
    assert!(service.logs("the service goes on as it was").contains("missing.pem"));
    folder.write("serve.toml", "lisen = 1\n");
    service.signal("-HUP");
    assert!(service.logs("the service goes on as it was").contains("serve.toml:1: unknown option `lisen`"));
    options("info", "2h", "cert.pem");
    service.signal("-HUP");
    service.logs("the options were read again");
}

#[test]
fn a_line_of_the_log_may_be_json() {
    let folder = Folder::new();
    let store = folder.path("data");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--store", &store, "--log-format", "json"];
    let service = Service::start(command(&arguments));
    get(service.origin.strip_prefix("http://").unwrap(), "/healthz");
    let line: serde_json::Value = serde_json::from_str(&service.logs("/healthz")).unwrap();
    assert_eq!((&line["fields"]["route"], &line["level"]), (&"/healthz".into(), &"INFO".into()));
}

/// Attack 84.
#[test]
fn a84_a_second_signal_ends_the_service_at_once() {
    let folder = Folder::new();
    let store = folder.path("data");
    let mut service = Service::start(command(&["serve", "--listen", "127.0.0.1:0", "--store", &store]));
    let address = service.origin.strip_prefix("http://").unwrap();
    // A request in flight, whose body does not arrive.
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "POST /api/v2/sessions HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n").unwrap();
    thread::sleep(Duration::from_millis(300));
    service.signal("-TERM");
    service.logs("stopping: 1 connections open");
    assert!(service.child.try_wait().unwrap().is_none(), "the request was not waited for");
    let start = Instant::now();
    service.signal("-TERM");
    assert_eq!(service.child.wait().unwrap().code(), Some(1));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}
