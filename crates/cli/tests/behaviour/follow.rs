//! `tollgate verify --store` while other processes change the store.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{AUDIENCE, Folder, ISSUER, command, run, token};
use serde_json::Value;

/// The time within which a change by another process takes effect (docs/storage.md).
const SEEN_WITHIN: Duration = Duration::from_millis(200);
/// The limit for a machine that stalls.
const SEEN_AT_ALL_WITHIN: Duration = Duration::from_secs(10);

/// A `tollgate verify` that is fed line by line.
struct Verifier {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    delays: Vec<Duration>,
}

impl Verifier {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(&[&["verify"], arguments].concat()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Verifier { child, stdin, stdout, delays: Vec::new() }
    }

    /// The error for that header, if any.
    fn verify(&mut self, header: &str) -> Option<String> {
        self.answer(header)["error"].as_str().map(str::to_owned)
    }

    fn answer(&mut self, header: &str) -> Value {
        writeln!(self.stdin.as_mut().unwrap(), "{header}").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Waits until that header gets this answer, and records the time.
    #[track_caller]
    fn sees(&mut self, header: &str, expected: Option<&str>) {
        let since = Instant::now();
        while self.verify(header).as_deref() != expected {
            assert!(since.elapsed() < SEEN_AT_ALL_WITHIN, "still {:?}", self.verify(header));
            thread::sleep(Duration::from_millis(1));
        }
        self.delays.push(since.elapsed());
    }

    /// Asserts that the changes were seen within the promised time. The machine may stall once; the command may not.
    fn saw_it_in_time(&mut self) {
        self.delays.sort_unstable();
        assert!(self.delays[self.delays.len() - 2] < SEEN_WITHIN, "{:?}", self.delays);
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        drop(self.stdin.take());
        self.child.wait().unwrap();
    }
}

#[test]
fn what_another_process_does_to_a_key_is_seen_at_once() {
    let folder = Folder::new();
    let store = folder.path("store");
    let api_key = |arguments: &[&str]| {
        let done = run(&[&["api-key"], arguments, &["--store", &store]].concat(), "");
        assert_eq!(done.status, 0, "{done:?}");
        done.stdout.trim_end().to_owned()
    };
    let first = api_key(&["new", "--subject", "u", "--id", "first"]);
    let mut verifier = Verifier::start(&["--store", &store]);
    assert_eq!(verifier.verify(&first), None);

    let second = api_key(&["new", "--subject", "u", "--id", "second"]);
    verifier.sees(&second, None);
    for _ in 0..3 {
        api_key(&["disable", "second"]);
        verifier.sees(&second, Some("disabled"));
        api_key(&["enable", "second"]);
        verifier.sees(&second, None);
    }
    api_key(&["revoke", "second"]);
    verifier.sees(&second, Some("revoked"));

    let third = api_key(&["rotate", "first", "--overlap", "1h"]);
    verifier.sees(&third, None);
    assert_eq!(verifier.verify(&first), None, "until the overlap ends");
    verifier.saw_it_in_time();

    let export = folder.write("keys.jsonl", api_key(&["export"]));
    let other = folder.path("other");
    assert_eq!(run(&["api-key", "import", &export, "--store", &other], "").status, 0);
    let mut of_other = Verifier::start(&["--store", &other]);
    assert_eq!(of_other.verify(&third), None);
    assert_eq!(of_other.verify(&second).as_deref(), Some("revoked"), "what is revoked is imported so");
}

#[test]
fn keys_of_other_systems_are_verified_under_their_pepper() {
    let folder = Folder::new();
    let (store, pepper) = (folder.path("store"), folder.write("pepper", [7; 32]));
    assert_eq!(run(&["api-key", "new", "--subject", "u", "--store", &store], "").status, 0);
    let mut verifier = Verifier::start(&["--store", &store, "--pepper-file", &pepper]);
    let key = "9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52";
    assert!(verifier.verify(key).is_some());
    let file = folder.write("legacy.csv", format!("key,kind,subject\n{key},api-key,u\n"));
    let imported = run(&["api-key", "import", &file, "--raw", "--pepper-file", &pepper, "--store", &store], "");
    assert_eq!(imported.status, 0, "{imported:?}");
    verifier.sees(key, None);
    assert!(run(&["verify", "--store", &store], key).errors()[0].is_some(), "without the pepper it is unknown");
}

#[test]
fn a_configuration_may_name_a_store() {
    let folder = Folder::new();
    let made = run(&["api-key", "new", "--subject", "u", "--store", &folder.path("store")], "");
    let config = folder.write("tollgate.toml", "store.file = \"store\"\n");
    assert_eq!(run(&["verify", "--config", &config], made.stdout).status, 0);
    let both = folder.write("both.toml", "api_keys = \"a\"\nstore.file = \"store\"\n");
    run(&["verify", "--config", &both], "").refused_with("either api_keys or store");
    let absent = folder.write("absent.toml", "store.file = \"absent\"\n");
    run(&["verify", "--config", &absent], "").refused_with("there is no store");
}

#[test]
fn a80_tokens_of_an_issuer_that_requires_fresh_revocations_are_503_while_the_store_cannot_be_followed() {
    let folder = Folder::new();
    assert_eq!(run(&["api-key", "new", "--subject", "u", "--store", &folder.path("store")], "").status, 0);
    let key = folder.key("ES256", "k1");
    let issuer = format!("[[issuer]]\nname = \"{ISSUER}\"\naudiences = [\"{AUDIENCE}\"]\njwks = \"k1.jwk\"\n");
    let requiring = format!("{issuer}require_fresh_revocations = true\n");
    let stored = format!("store.file = \"store\"\nstore.max_staleness = 1\n{requiring}");
    let config = folder.write("tollgate.toml", stored);
    let token = token(&key, &[]);
    let mut verifier = Verifier::start(&["--config", &config]);
    assert_eq!(verifier.verify(&token), None);

    let file = folder.path("store/tollgate-keys.sqlite3");
    let store = rusqlite::Connection::open(file).unwrap();
    store.execute_batch("ALTER TABLE log RENAME TO lost").unwrap();
    verifier.sees(&token, Some("revocations-stale"));
    let answer = verifier.answer(&token);
    assert_eq!((&answer["status"], &answer["retry_after"]), (&503.into(), &5.into()), "{answer}");
    assert_eq!((&answer["challenge"], answer["detail"].is_string()), (&"Bearer".into(), true), "{answer}");
    assert!(verifier.answer("Bearer nonsense").get("retry_after").is_none());
    store.execute_batch("ALTER TABLE lost RENAME TO log").unwrap();
    verifier.sees(&token, None);

    let without = folder.write("without.toml", &requiring);
    run(&["verify", "--config", &without], "").refused_with("without.toml:1: the issuer");
    run(&["verify", "--config", &without], "").refused_with("requires fresh revocations");
    let never = folder.write("never.toml", format!("store.file = \"store\"\nstore.max_staleness = 0\n{issuer}"));
    run(&["verify", "--config", &never], "").refused_with("nonzero");
}
