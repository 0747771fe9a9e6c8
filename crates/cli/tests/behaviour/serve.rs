//! `tollgate serve`: starts, answers, stops.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout};
use std::time::{Duration, Instant};

use crate::support::{Folder, command, run};
use serde_json::Value;

pub(crate) struct Service {
    child: Child,
    stdout: BufReader<ChildStdout>,
    origin: String,
}

impl Service {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child =
            command(&[&["serve", "--listen", "127.0.0.1:0", "--log", "off"], arguments].concat()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let origin =
            line.trim_end().strip_prefix("tollgate listens on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Service { child, stdout, origin }
    }

    fn get(&self, path: &str) -> String {
        self.get_with(path, "")
    }

    /// The status of a GET with these header lines.
    pub(crate) fn status(&self, path: &str, headers: &str) -> u16 {
        self.get_with(path, headers).split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> String {
        let address = self.origin.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// With these header lines.
    fn get_with(&self, path: &str, headers: &str) -> String {
        let address = self.origin.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Waits until the reports give that key this status. A change by another process takes effect within 200 ms; a busy
    /// machine may stall longer.
    #[track_caller]
    fn sees(&self, key: &str, status: u16) {
        let limit = Instant::now() + Duration::from_secs(10);
        let header = format!("X-API-Key: {key}\r\n");
        while !self.get_with("/api/v2/reports", &header).starts_with(&format!("HTTP/1.1 {status} ")) {
            assert!(Instant::now() < limit, "never {status}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops the service as Ctrl-C does. Returns the exit status and the rest of standard output.
    pub(crate) fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let killed = std::process::Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

#[test]
fn metrics_are_served_on_an_address_of_their_own() {
    let folder = Folder::new();
    let store = folder.path("store");
    let made = ["api-key", "new", "--store", &store, "--subject", "s", "--scope", "read:reports"];
    let api_key = run(&made, "").stdout.trim_end().to_owned();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log", "off", "--store", &store, "--metrics", "127.0.0.1:0"];
    let mut child = command(&arguments).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let metrics =
        line().strip_prefix("tollgate tells Prometheus on ").unwrap().strip_suffix("/metrics").unwrap().to_owned();
    let origin = line().strip_prefix("tollgate listens on ").unwrap().to_owned();
    let service = Service { child, stdout, origin };
    assert_eq!(service.status("/api/v2/reports", &format!("X-API-Key: {api_key}\r\n")), 200);
    assert_eq!(service.status("/api/v2/sites", &format!("X-API-Key: {api_key}\r\n")), 403);
    assert_eq!(service.status("/api/v2/sites", "Authorization: Bearer a(b\r\n"), 401);
    assert_eq!(service.status("/nowhere/7", ""), 404);
    assert_eq!(service.status("/metrics", ""), 404);
    let wrong = r#"{"session":{"email":"ada@example.com","password":"a-guess"}}"#;
    let refused = service.post("/api/v2/sessions", wrong);
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let address = metrics.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n").unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    for series in [
        "tollgate_verifications_total{kind=\"api-key\",issuer=\"\",cache=\"miss\"} 2",
        "tollgate_verifications_total{kind=\"\",issuer=\"\",cache=\"miss\",error_type=\"malformed-credential\"} 1",
        "tollgate_decisions_total{decision=\"rejected\",error_type=\"insufficient-scope\"} 1",
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/api/v2/reports\",http_response_status_code=\"200\"} 1",
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"-\",http_response_status_code=\"404\"} 2",
        "# TYPE http_server_request_duration_seconds histogram",
        "tollgate_feed_age_seconds{store=",
        "tollgate_logins_total{outcome=\"wrong-password\"} 1",
    ] {
        assert!(told.contains(series), "{series}\n{told}");
    }
    assert!(!told.contains(&api_key), "{told}");
    assert_eq!(service.stop("-TERM").0, Some(0));
}

/// The log lines of a service that trusts 127.0.0.1 as a proxy, after `ask`.
fn log_of(format: &str, ask: impl Fn(&Service)) -> Vec<String> {
    let folder = Folder::new();
    let store = folder.path("store");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--store", &store, "--log", "info", "--log-format", format];
    let proxy = ["--trusted-proxy", "127.0.0.1", "--client-address", "x-forwarded-for"];
    let mut child = command(&[&arguments[..], &proxy].concat()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let origin = line.trim_end().strip_prefix("tollgate listens on ").unwrap().to_owned();
    let mut stderr = child.stderr.take().unwrap();
    let service = Service { child, stdout, origin };
    ask(&service);
    assert_eq!(service.stop("-TERM").0, Some(0));
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    log.lines().map(str::to_owned).collect()
}

/// The id in an answer.
fn request_id(answer: &str) -> &str {
    let line = answer.lines().find_map(|line| line.strip_prefix("x-request-id: "));
    line.unwrap_or_else(|| panic!("no id: {answer}"))
}

/// Four requests by a trusted proxy: with an id, with an invalid id, without one, with two.
fn ask_with_ids(service: &Service) {
    let sites =
        |headers: &str| service.get_with("/api/v2/sites", &format!("Authorization: Bearer eyJ.x.y\r\n{headers}"));
    let traced = "X-Request-Id: proxy-7/a\r\nTraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
    assert_eq!(request_id(&sites(traced)), "proxy-7/a");
    let long = format!("X-Request-Id: {}\r\n", "7".repeat(129));
    for not_taken in ["X-Request-Id: forged id\r\n", &long, "", "X-Request-Id: one\r\nX-Request-Id: two\r\n"] {
        let answer = sites(not_taken);
        assert!(request_id(&answer).starts_with("request_"), "{answer}");
    }
}

#[test]
fn every_line_of_a_request_has_its_id_in_a_log_of_text() {
    let log = log_of("text", ask_with_ids);
    let of_it: Vec<_> = log.iter().filter(|line| line.contains("request_id=\"proxy-7/a\"")).collect();
    assert!(of_it.iter().any(|line| line.contains(" rejected ")), "{log:?}");
    assert!(of_it.iter().any(|line| line.contains("route=\"/api/v2/sites\" status=401")), "{log:?}");
    assert!(of_it[0].contains("trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\""), "{log:?}");
    assert_eq!(log.iter().filter(|line| line.contains("request_id=\"request_")).count(), 8, "{log:?}");
    assert!(!log.iter().any(|line| line.contains("forged") || line.contains("7777")), "{log:?}");
}

#[test]
fn every_line_of_a_request_has_its_id_as_a_field_of_json() {
    let log = log_of("json", ask_with_ids);
    let lines: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_it: Vec<_> = lines.iter().filter(|line| line["span"]["request_id"] == "proxy-7/a").collect();
    assert!(of_it.iter().any(|line| line["fields"]["message"] == "rejected"), "{log:?}");
    assert!(of_it.iter().any(|line| line["fields"]["status"] == 401), "{log:?}");
    assert_eq!(of_it[0]["span"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    let requests = lines.iter().filter(|line| line["fields"]["message"] == "request");
    assert!(requests.clone().all(|line| line["span"]["request_id"].is_string()), "{log:?}");
    assert_eq!(requests.count(), 5);
}

#[test]
fn the_demo_answers_prints_curl_lines_and_stops_on_ctrl_c() {
    let service = Service::start(&["--demo"]);
    assert!(service.get("/healthz").starts_with("HTTP/1.1 200 "));
    assert!(service.get("/api/v2/sites").starts_with("HTTP/1.1 401 "));
    let origin = service.origin.clone();
    let (status, rest) = service.stop("-INT");
    assert_eq!(status, Some(0));
    assert!(rest.contains("curl ") && rest.contains(&origin), "{rest}");
}

#[test]
fn a_store_is_made_where_it_is_asked_for() {
    let folder = Folder::new();
    let data = folder.path("data");
    let service = Service::start(&["--data", &data]);
    let jwks = service.get("/.well-known/jwks.json");
    assert!(jwks.contains(r#""keys""#), "{jwks}");
    assert_eq!(service.stop("-TERM").0, Some(0));
    assert!(std::fs::read_dir(&data).unwrap().count() > 0);
    let again = Service::start(&["--data", &data]);
    let key = |answer: &str| answer.split(r#""kid":""#).nth(1).unwrap()[..20].to_owned();
    assert_eq!(key(&again.get("/.well-known/jwks.json")), key(&jwks), "the signing key is kept");
    again.stop("-TERM");
}

#[test]
fn keys_are_made_imported_rotated_and_revoked_while_the_service_runs() {
    let folder = Folder::new();
    let data = folder.path("data");
    let pepper = folder.write("pepper", [7; 32]);
    let foreign = "9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52";
    let service = Service::start(&["--data", &data, "--pepper-file", &pepper, "--access-token-format", "opaque"]);
    let api_key = |arguments: &[&str]| {
        let done = run(&[&["api-key"], arguments, &["--store", &data]].concat(), "");
        assert_eq!(done.status, 0, "{arguments:?}: {}", done.stderr);
        done.stdout
    };
    let make = |more: &[&str]| -> Value {
        let new = ["new", "--subject", "user-7", "--scope", "read:reports", "--json"];
        serde_json::from_str(&api_key(&[&new, more].concat())).unwrap()
    };
    let text = |made: &Value, member: &str| made[member].as_str().unwrap().to_owned();

    let made = make(&[]);
    let (id, old) = (text(&made, "id"), text(&made, "key"));
    service.sees(&old, 200);
    api_key(&["disable", &id]);
    service.sees(&old, 401);
    api_key(&["enable", &id]);
    service.sees(&old, 200);
    let rotated: Value = serde_json::from_str(&api_key(&["rotate", &id, "--overlap", "1h", "--json"])).unwrap();
    let new = text(&rotated, "key");
    service.sees(&new, 200);
    service.sees(&old, 200);
    api_key(&["revoke", &id]);
    service.sees(&old, 401);
    service.sees(&new, 200);

    let lines = format!(
        "{{\"key\":\"{foreign}\",\"id\":\"theirs\",\"kind\":\"api-key\",\"subject\":\"user-8\",\"scopes\":[\"read:reports\"]}}\n"
    );
    let file = folder.write("theirs.jsonl", lines);
    api_key(&["import", &file, "--raw", "--pepper-file", &pepper]);
    service.sees(foreign, 200);
    api_key(&["revoke", "theirs"]);
    service.sees(foreign, 401);
    service.stop("-TERM");
}

#[test]
fn a75_the_service_believes_the_proxies_that_it_is_told_to_trust() {
    let folder = Folder::new();
    let data = folder.path("data");
    let key = run(
        &[
            "api-key",
            "new",
            "--store",
            &data,
            "--subject",
            "s",
            "--scope",
            "read:reports",
            "--allow-address",
            "192.0.2.7",
        ],
        "",
    );
    let bound = format!("X-API-Key: {}\r\nForwarded: for=203.0.113.5, for=192.0.2.7\r\n", key.stdout.trim_end());
    for (further, status) in [
        (&["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "127.0.0.1", "--client-address", "forwarded"][..], 200),
        (&["--trusted-proxy", "127.0.0.1", "--client-address", "x-forwarded-for"], 403),
        (&["--trusted-proxy", "10.0.0.0/8", "--client-address", "forwarded"], 403),
        (&[], 403),
    ] {
        let service = Service::start(&[&["--data", &data], further].concat());
        let answer = service.get_with("/api/v2/reports", &bound);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{further:?}: {answer}");
        service.stop("-TERM");
    }
}

#[test]
fn what_cannot_be_served_is_exit_status_2() {
    let folder = Folder::new();
    let data = folder.path("data");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    run(&["serve", "--data", &data, "--listen", &address], "").refused_with(&address);
    run(&["serve", "--data", &data, "--listen", "0.0.0.0:0"], "").refused_with("base URL");
    run(&["serve", "--data", &data, "--base-url", "https://as.example/path"], "")
        .refused_with("https://as.example/path");
    run(&["serve", "--data", &data, "--session-ttl", "0"], "").refused_with("session-ttl");
    run(&["serve", "--data", &data, "--listen", "nowhere"], "").refused_with("--listen");
    run(&["serve", "--trusted-proxy", "127.0.0.1"], "").refused_with("--client-address");
    run(&["serve", "--client-address", "forwarded"], "").refused_with("--trusted-proxy");
    run(&["serve", "--trusted-proxy", "127.0.0.1/8", "--client-address", "forwarded"], "").refused_with("CIDR");
    run(&["serve", "--trusted-proxy", "127.0.0.1", "--client-address", "via"], "").refused_with("x-forwarded-for");
    let file = folder.write("file", "");
    run(&["serve", "--data", &file, "--listen", "127.0.0.1:0"], "").refused_with("");
}

#[test]
fn a_service_that_can_log_nobody_in_says_what_to_do() {
    let folder = Folder::new();
    let data = folder.path("data");
    let log = |data: &str| {
        let mut child = command(&["serve", "--listen", "127.0.0.1:0", "--store", data]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        child.kill().unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    };
    let said = log(&data);
    assert!(said.contains("tollgate user new EMAIL") && said.contains(&data), "{said}");
    assert_eq!(run(&["user", "new", "ada@example.com", "--store", &data], "analytical engine").status, 0);
    let said = log(&data);
    assert!(!said.contains("tollgate user new"), "{said}");
}

#[test]
fn signing_keys_are_listed_and_rotated_beside_the_service() {
    let folder = Folder::new();
    let data = folder.path("data");
    let signing_key = |arguments: &[&str]| run(&[&["signing-key"], arguments, &["--store", &data]].concat(), "");
    signing_key(&["list"]).refused_with("no signing keys in the store yet");
    assert!(!std::path::Path::new(&data).exists(), "nothing is made");
    let service = Service::start(&["--data", &data]);
    let listed = signing_key(&["list"]).answers();
    assert_eq!((listed.len(), &listed[0]["state"], &listed[0]["alg"]), (1, &"signing".into(), &"ES256".into()));
    let rotated = signing_key(&["rotate"]).answers().remove(0);
    let listed = signing_key(&["list"]).answers();
    assert_eq!((&listed[1]["kid"], &listed[1]["state"]), (&rotated["kid"], &"announced".into()));
    assert_eq!(rotated["signs_at"].as_i64(), listed[1]["since"].as_i64().map(|since| since + 600));
    let at_once = signing_key(&["rotate", "--at-once"]).answers().remove(0);
    assert_eq!(at_once["kid"], rotated["kid"], "the announced one");
    let listed = signing_key(&["list"]).answers();
    assert_eq!((&listed[0]["kid"], &listed[1]["state"]), (&rotated["kid"], &"retired".into()));
    assert!(listed[1]["until"].as_i64() > at_once["signs_at"].as_i64());
    assert_eq!(service.stop("-TERM").0, Some(0));
    let short = run(&["serve", "--data", &data, "--signing-key-ttl", "6d"], "");
    short.refused_with("signing-key-ttl must be at least 604800 seconds");
}
