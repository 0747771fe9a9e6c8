//! `tollgate gateway`: its file takes effect, is read again on SIGHUP, and is refused if it is invalid.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};
use std::time::{Duration, Instant};

use crate::support::{AUDIENCE, Folder, ISSUER, command, run, token};

struct Gateway {
    child: Child,
    address: String,
    stderr: BufReader<ChildStderr>,
}

impl Gateway {
    fn start(file: &str) -> Self {
        let mut child = command(&["gateway", "--config", file, "--listen", "127.0.0.1:0"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("tollgate answers proxies on http://");
        let address = address.unwrap_or_else(|| panic!("{line:?}")).to_owned();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Gateway { child, address, stderr }
    }

    /// The whole answer to an authorization request about this request.
    fn ask(&self, method: &str, uri: &str, fields: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET /forward HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nX-Forwarded-Method: {method}\r\n\
             X-Forwarded-Host: example.com\r\nX-Forwarded-Uri: {uri}\r\n{fields}\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The whole answer at one of the gateway's own paths.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(&self, method: &str, uri: &str, fields: &str) -> u16 {
        self.ask(method, uri, fields).split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn signal(&self, name: &str) {
        let kill = std::process::Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// The exit status, and the rest of the log.
    fn stop(mut self) -> (Option<i32>, String) {
        self.signal("-TERM");
        let mut log = String::new();
        self.stderr.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }

    /// Reads the log up to a line that contains `text`.
    fn logged(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "{text} was not logged");
        }
    }
}

/// The file, with its rules. The keys are those of `k1`.
fn file(folder: &Folder, rules: &str) -> String {
    let issuer =
        format!("[[issuer]]\nname = {ISSUER:?}\naudiences = [{AUDIENCE:?}]\njwks = {:?}\n", folder.path("k1.jwk"));
    folder.write("tollgate.toml", format!("{issuer}{rules}"))
}

const RULES: &str = r#"
[gateway]
realm = "sites"
[gateway.identity]
remote-user = "subject"
remote-tier = "/resource/tier"
[[gateway.rule]]
paths = ["/", "/assets/*"]
public = true
[[gateway.rule]]
paths = ["/sites/*"]
hosts = ["example.com"]
methods = ["GET"]
require.scopes = ["read:sites"]
require.claims."/resource/tier" = ["gold", "silver"]
require.any = [{ kinds = ["api-key"] }, { kinds = ["jwt"], issuers = ["https://as.example"] }]
[[gateway.rule]]
paths = ["/account"]
"#;

#[test]
fn what_the_file_says_counts() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let gateway = Gateway::start(&file(&folder, RULES));
    let bearer = |further: &[&str]| {
        format!("Authorization: Bearer {}\r\n", token(&key, &[&["--subject", "user-7"], further].concat()))
    };
    let good = bearer(&["--scope", "read:sites", "--claim", r#"resource={"tier":"gold"}"#]);
    let answer = gateway.ask("GET", "/sites/7", &good).to_lowercase();
    assert!(answer.contains("remote-user: user-7\r\n") && answer.contains("remote-tier: gold\r\n"), "{answer}");
    assert_eq!(gateway.status("GET", "/sites/7", &bearer(&["--claim", r#"resource={"tier":"gold"}"#])), 403);
    assert_eq!(gateway.status("GET", "/sites/7", &bearer(&["--scope", "read:sites"])), 403);
    assert_eq!(gateway.status("PUT", "/sites/7", &good), 403);
    assert_eq!(gateway.status("GET", "/account", &good), 200);
    assert_eq!(gateway.status("GET", "/", ""), 200);
    let answer = gateway.ask("GET", "/account", "");
    assert!(answer.contains(r#"www-authenticate: Bearer realm="sites""#), "{answer}");
    let (status, log) = gateway.stop();
    assert_eq!(status, Some(0));
    assert!(log.contains("insufficient-scope") && log.contains("no-rule"), "{log}");
}

#[test]
fn sighup_reads_the_file_anew_and_a_bad_one_changes_nothing() {
    let folder = Folder::new();
    folder.key("ES256", "k1");
    let rule = |path: &str| format!("[[gateway.rule]]\npaths = [{path:?}]\npublic = true\n");
    let mut gateway = Gateway::start(&file(&folder, &rule("/old")));
    assert_eq!((gateway.status("GET", "/old", ""), gateway.status("GET", "/new", "")), (200, 403));
    file(&folder, &rule("/new"));
    gateway.signal("-HUP");
    gateway.logged("read again");
    assert_eq!((gateway.status("GET", "/old", ""), gateway.status("GET", "/new", "")), (403, 200));
    file(&folder, &rule("new"));
    gateway.signal("-HUP");
    gateway.logged("goes on as it was");
    assert_eq!(gateway.status("GET", "/new", ""), 200);
    file(&folder, &rule("/old"));
    gateway.signal("-HUP");
    let limit = Instant::now() + Duration::from_secs(10);
    while gateway.status("GET", "/old", "") != 200 {
        assert!(Instant::now() < limit, "never read again");
    }
    assert_eq!(gateway.stop().0, Some(0));
}

#[test]
fn no_question_is_lost_while_the_file_is_read_anew() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let mut gateway = Gateway::start(&file(&folder, "[[gateway.rule]]\npaths = [\"/*\"]\n"));
    let authorization = format!("Authorization: Bearer {}\r\n", token(&key, &[]));
    let address = gateway.address.clone();
    let asking = std::thread::spawn(move || {
        // Kept open, like a proxy's connections.
        let stream = TcpStream::connect(address).unwrap();
        let mut answers = BufReader::new(stream.try_clone().unwrap());
        let mut asked = 0;
        let end = Instant::now() + Duration::from_secs(2);
        let question = format!(
            "GET /forward HTTP/1.1\r\nHost: gateway\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Host: example.com\r\n\
             X-Forwarded-Uri: /x\r\n{authorization}\r\n"
        );
        while Instant::now() < end {
            (&stream).write_all(question.as_bytes()).unwrap();
            let mut status = String::new();
            answers.read_line(&mut status).unwrap();
            assert_eq!(status, "HTTP/1.1 200 OK\r\n");
            while status != "\r\n" {
                status.clear();
                answers.read_line(&mut status).unwrap();
            }
            asked += 1;
        }
        asked
    });
    for _ in 0..5 {
        gateway.signal("-HUP");
        gateway.logged("read again");
    }
    assert!(asking.join().unwrap() > 100);
    assert_eq!(gateway.stop().0, Some(0));
}

#[test]
fn a_token_of_the_gateway_is_verified_with_the_keys_that_it_publishes() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    folder.key("ES256", "gateway");
    let section = "[gateway.token]\nkey = \"gateway.jwk\"\nissuer = \"https://gateway.internal\"\n\
        audiences = [\"https://sites.internal\"]\nclaims.kind = \"kind\"\n[[gateway.rule]]\npaths = [\"/*\"]\n";
    let gateway = Gateway::start(&file(&folder, section));
    let authorization = format!("Authorization: Bearer {}\r\n", token(&key, &["--subject", "user-7"]));
    let answer = gateway.ask("GET", "/sites/7", &authorization);
    let signed = answer.lines().find_map(|line| line.strip_prefix("x-auth-request-token: ")).expect(&answer);
    let published = gateway.get("/.well-known/jwks.json");
    assert!(published.contains("application/jwk-set+json") && !published.contains("\"d\""), "{published}");
    let jwks = folder.write("published.jwks", published.split("\r\n\r\n").nth(1).unwrap());
    let made_for = ["--issuer", "https://gateway.internal", "--audience", "https://sites.internal"];
    let verified = run(&[&["verify", "--jwks", &jwks], &made_for[..]].concat(), format!("Bearer {signed}\n"));
    assert_eq!(verified.status, 0, "{verified:?}");
    assert_eq!(verified.answers()[0]["principal"]["subject"], "user-7");
    let payload = &run(&["inspect"], signed).answers()[0]["payload"];
    assert_eq!((&payload["kind"], &payload["credential"]["issuer"]), (&"jwt".into(), &ISSUER.into()), "{payload}");
    assert_eq!(gateway.stop().0, Some(0));
    let plain = Gateway::start(&file(&folder, "[[gateway.rule]]\npaths = [\"/*\"]\n"));
    assert!(plain.get("/.well-known/jwks.json").starts_with("HTTP/1.1 404"));
    assert_eq!(plain.stop().0, Some(0));
}

#[test]
fn what_cannot_work_is_refused_with_its_line() {
    let folder = Folder::new();
    folder.key("ES256", "k1");
    let refused = |rules: &str, message: &str| {
        run(&["gateway", "--config", &file(&folder, rules), "--listen", "127.0.0.1:0"], "").refused_with(message);
    };
    refused("", "there is no [gateway] in the file");
    refused("[gateway]\n", "tollgate.toml:5: there is no rule");
    refused(
        "[[gateway.rule]]\npaths = [\"/a\"]\n[[gateway.rule]]\npaths = [\"b\"]\n",
        "tollgate.toml:7: \"b\" is no pattern",
    );
    refused("[[gateway.rule]]\npaths = [\"/*\"]\n[[gateway.rule]]\npaths = [\"/b\"]\n", "is never used");
    refused("[[gateway.rule]]\npaths = [\"/a\"]\npublic = true\nrequire.scopes = [\"a\"]\n", "is public");
    refused("[[gateway.rule]]\npaths = [\"/a\"]\nrequire = {}\n", "requirement");
    refused("[[gateway.rule]]\npaths = [\"/a\"]\nrequire.scopes = [\"a b\"]\n", "a b");
    refused("[[gateway.rule]]\npaths = [\"/a\"]\nrequire.kind = \"jwt\"\n", "tollgate.toml:7: unknown field `kind`");
    refused(
        "[gateway]\nidentity = { authorization = \"subject\" }\n[[gateway.rule]]\npaths = [\"/a\"]\n",
        "\"authorization\"",
    );
    let token = |key: &str, further: &str| {
        format!(
            "[gateway.token]\nkey = {key:?}\nissuer = \"https://g\"\naudiences = [\"a\"]\n{further}[[gateway.rule]]\npaths = [\"/a\"]\n"
        )
    };
    refused(&token("nowhere.jwk", ""), "nowhere.jwk");
    refused(&token("tollgate.toml", ""), "tollgate.toml:");
    refused(&token("k1.jwk", "lifetime = 301\n"), "cannot live for 301 s");
    refused(&token("k1.jwk", "claims.sub = \"kind\"\n"), "\"sub\"");
    refused(&token("k1.jwk", "field = \"x-auth-request-user\"\n"), "there twice");
    refused("[gateway]\nidentity = { x-user = \"email\" }\n", "expected subject, issuer");
}

#[test]
fn the_file_of_the_document_works() {
    let document = include_str!("../../../../docs/gateway.md");
    let block = |language: &str| {
        document.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next()).unwrap()
    };
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    std::fs::copy(&key, folder.path("jwks.json")).unwrap();
    folder.key("ES256", "gateway");
    let file = folder.write("tollgate.toml", [block("toml"), block("toml token")].concat());
    let checked = run(&["check", "--config", &file], "");
    assert_eq!(checked.status, 0, "{checked:?}");
    let gateway = Gateway::start(&file);
    let made = ["token", "new", "--key", &key, "--issuer", "https://as.example/", "--audience", "https://api.example"];
    let bearer = |further: &[&str]| {
        format!("Authorization: Bearer {}\r\n", run(&[&made, further].concat(), "").stdout.trim_end())
    };
    assert_eq!(gateway.status("GET", "/", ""), 200);
    assert_eq!(gateway.status("GET", "/account", &bearer(&[])), 200);
    assert_eq!(gateway.status("GET", "/sites/7", &bearer(&[])), 403);
    assert_eq!(gateway.status("HEAD", "/sites/7", &bearer(&["--scope", "read:sites"])), 200);
    assert!(gateway.ask("GET", "/account", &bearer(&[])).contains("x-auth-request-token: ey"));
    assert_eq!(gateway.stop().0, Some(0));
}

#[test]
fn metrics_are_served_apart_from_the_answers_and_outlive_a_reload() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let store = folder.path("store");
    let made = run(&["api-key", "new", "--store", &store, "--subject", "s"], "");
    let api_key = made.stdout.trim_end();
    let file = file(&folder, "[[gateway.rule]]\npaths = [\"/*\"]\n");
    let with_store = format!("store.file = {store:?}\n{}", std::fs::read_to_string(&file).unwrap());
    std::fs::write(&file, with_store).unwrap();
    let arguments = ["gateway", "--config", &*file, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
    let mut child = command(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let (metrics, answers) = (lines.next().unwrap(), lines.next().unwrap());
    let metrics =
        metrics.strip_prefix("tollgate tells Prometheus on http://").unwrap().strip_suffix("/metrics").unwrap();
    let address = answers.strip_prefix("tollgate answers proxies on http://").unwrap().to_owned();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut gateway = Gateway { child, address, stderr };
    let scrape = || {
        let mut stream = TcpStream::connect(metrics).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let authorization = format!("Authorization: Bearer {}\r\n", token(&key, &[]));
    {
        for _ in 0..3 {
            assert_eq!(gateway.status("GET", "/x", &authorization), 200);
        }
        assert_eq!(gateway.status("GET", "/x", &format!("Authorization: {api_key}\r\n")), 200);
        assert_eq!(gateway.status("GET", "/x", "Authorization: Bearer a(b\r\n"), 401);
        let told = scrape();
        assert!(told.starts_with("HTTP/1.1 200") && told.contains("content-type: text/plain; version=0.0.4"), "{told}");
        let value = |name: &str, labels: &[&str]| -> f64 {
            let is_it = |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
            let values =
                told.lines().filter(is_it).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap());
            values.sum()
        };
        let accepted = "tollgate_verifications_total{";
        assert_eq!(value(accepted, &["kind=\"jwt\"", &format!("issuer={ISSUER:?}")]), 3.0, "{told}");
        assert_eq!(value(accepted, &["kind=\"api-key\""]), 1.0, "{told}");
        assert_eq!(value(accepted, &["error_type=\"malformed-credential\""]), 1.0, "{told}");
        assert_eq!(value("tollgate_gateway_answers_total{", &["convention=\"forward\"", "status=\"200\""]), 4.0);
        assert_eq!(value("tollgate_signature_checks_total{", &["result=\"good\""]), 1.0, "{told}");
        assert!(value("tollgate_feed_age_seconds{", &[]) < 60.0, "{told}");
        assert!(told.contains("# TYPE tollgate_cache_bytes gauge"), "{told}");
        // No label identifies a person or contains a credential.
        assert!(!told.contains(api_key) && !told.contains("subject"), "{told}");
        assert_eq!(gateway.status("GET", "/metrics", ""), 401);
    }
    gateway.signal("-HUP");
    gateway.logged("read again");
    let before = scrape();
    assert_eq!(gateway.status("GET", "/x", &authorization), 200);
    let count = |told: &str| {
        let jwt = told
            .lines()
            .filter(|line| line.starts_with("tollgate_verifications_total{") && line.contains("kind=\"jwt\""));
        jwt.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum::<f64>()
    };
    assert_eq!((count(&before), count(&scrape())), (3.0, 4.0));
    gateway.stop();
}
