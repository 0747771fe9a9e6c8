//! `[introspection."NAME"]` for opaque tokens, and `[issuer.introspection]` for JWTs, against a server on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{AUDIENCE, Folder, ISSUER, Run, run, token};

const NAME: &str = "https://as.example/";

/// An introspection endpoint: tokens are active if their text ends in `good` or if they are in `active`.
struct Endpoint {
    uri: String,
    active: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/introspect", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, active) = (Arc::clone(&asked), Arc::<Mutex<Vec<String>>>::default());
        let known = Arc::clone(&active);
        thread::spawn(move || {
            for peer in listener.incoming() {
                let (mut peer, mut request, mut part) = (peer.unwrap(), Vec::new(), [0; 4096]);
                while !request.ends_with(b"access_token") {
                    let length = peer.read(&mut part).unwrap();
                    request.extend_from_slice(&part[..length]);
                }
                let request = String::from_utf8(request).unwrap();
                let token = request.split("token=").nth(1).unwrap().split('&').next().unwrap().to_owned();
                let body = if token.ends_with("good") || known.lock().unwrap().contains(&token) {
                    format!(
                        r#"{{"active":true,"aud":["{AUDIENCE}"],"sub":"user-7","client_id":"app","scope":"read","jti":"t1","exp":1763830000}}"#
                    )
                } else {
                    r#"{"active":false}"#.to_owned()
                };
                heard.lock().unwrap().push(request);
                let fields = format!("Content-Type: application/json\r\nContent-Length: {}", body.len());
                let _ = write!(peer, "HTTP/1.1 200 OK\r\n{fields}\r\nConnection: close\r\n\r\n{body}");
            }
        });
        Endpoint { uri, active, asked }
    }

    fn section(&self, lines: &str) -> String {
        let endpoint = &self.uri;
        format!(
            "[introspection.{NAME:?}]\nendpoint = {endpoint:?}\nclient_id = \"rs1\"\nclient_secret_file = \"secret\"\naudiences = [{AUDIENCE:?}]\n{lines}\n"
        )
    }
}

fn verify(folder: &Folder, configuration: &str, arguments: &[&str], lines: &str) -> Run {
    folder.write("secret", "s3cret\n");
    let configuration = folder.write("tollgate.toml", configuration);
    let mut all = vec!["verify", "--config", &configuration];
    all.extend(arguments);
    run(&all, lines)
}

#[test]
fn opaque_tokens_are_asked_about_and_become_principals() {
    let (folder, endpoint) = (Folder::new(), Endpoint::start());
    let section = endpoint.section("token_prefix = \"ory_at_\"");
    let lines = "Bearer ory_at_good\nBearer ory_at_good\nBearer ory_at_bad\nory_at_good\nBearer other_good\n";
    let answers = verify(&folder, &section, &["--now", "1763827200"], lines).answers();
    let principal = &answers[0]["principal"];
    assert_eq!((&answers[0]["ok"], &principal["kind"]), (&true.into(), &"access-token".into()), "{answers:?}");
    assert_eq!((&principal["issuer"], &principal["subject"]), (&NAME.into(), &"user-7".into()));
    assert_eq!(principal["audience"], serde_json::json!([AUDIENCE]));
    assert_eq!((&principal["client_id"], &principal["expires_at"]), (&"app".into(), &1_763_830_000.into()));
    assert_eq!((&principal["credential_id"], &principal["key_id"]), (&"t1".into(), &serde_json::Value::Null));
    assert_eq!(answers[1], answers[0]);
    assert_eq!((&answers[2]["status"], &answers[2]["error"]), (&401.into(), &"inactive-token".into()));
    assert_eq!(answers[3]["ok"], false);
    assert_eq!(answers[4]["ok"], false);
    let asked = endpoint.asked.lock().unwrap();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].to_ascii_lowercase().contains("authorization: basic cnmxonmzy3jlda=="), "{asked:?}");
}

#[test]
fn time_of_the_check_is_that_of_now() {
    let (folder, endpoint) = (Folder::new(), Endpoint::start());
    let run = verify(&folder, &endpoint.section(""), &["--now", "1763830000"], "Bearer good\n");
    assert_eq!(run.answers()[0]["error"], "expired");
}

#[test]
fn endpoint_that_is_down_is_503() {
    let folder = Folder::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{port}/");
    let endpoint = Endpoint { uri, active: Arc::default(), asked: Arc::default() };
    let answers = verify(&folder, &endpoint.section(""), &[], "Bearer good\n").answers();
    assert_eq!(
        (&answers[0]["status"], &answers[0]["error"]),
        (&503.into(), &"issuer-unavailable".into()),
        "{answers:?}"
    );
    assert!(answers[0]["detail"].as_str().unwrap().contains(NAME));
}

#[test]
fn sections_that_cannot_work_are_refused_with_their_line() {
    let section = |lines: &str| format!("\n[introspection.{NAME:?}]\n{lines}\n");
    let whole =
        "endpoint = \"http://127.0.0.1:9/\"\nclient_id = \"rs1\"\nclient_secret_file = \"secret\"\naudiences = [\"a\"]";
    let other = format!("[introspection.\"https://other.example/\"]\n{whole}");
    for (configuration, line, reason) in [
        (section(whole).replace("audiences = [\"a\"]", ""), 2, "needs an audience"),
        (section(&whole.replace("endpoint = \"http://127.0.0.1:9/\"", "")), 2, "is not an absolute https URI"),
        (section(&whole.replace("127.0.0.1", "as.example")), 2, "is not https"),
        (
            section(&whole.replace("client_id = \"rs1\"\n", "")),
            2,
            "client_id and the client's secret or key or certificate go together",
        ),
        (section(&format!("{whole}\nmax_age = 0")), 2, "max_age = 0"),
        (section(&format!("{whole}\nmax_age = \"30\"")), 7, "invalid type"),
        (section(&format!("{whole}\ntoken_prefix = \"\"")), 2, "token_prefix"),
        (section(&format!("{whole}\nname = \"x\"")), 2, "leave out name"),
        (section(&format!("{whole}\nalgorithms = [\"ES256\"]")), 7, "unknown field `algorithms`"),
        (section(&format!("{whole}\nrequests_per_second = 0")), 2, "requests per second"),
        (section(&format!("{whole}\n{other}")), 7, "overlap"),
        (section("endpoint = \"http://127.0.0.1:9/\"\naudiences = [\"a\"]"), 2, "has to know who asks"),
    ] {
        let folder = Folder::new();
        let run = verify(&folder, &configuration, &[], "");
        assert_eq!(run.status, 2, "{configuration}");
        assert!(run.stderr.contains(&format!("tollgate.toml:{line}: ")), "{configuration}: {}", run.stderr);
        assert!(run.stderr.contains(reason), "{configuration}: {}", run.stderr);
    }
}

fn issuer_section(endpoint: &Endpoint, lines: &str) -> String {
    let endpoint = &endpoint.uri;
    format!(
        "[[issuer]]\nname = {ISSUER:?}\naudiences = [{AUDIENCE:?}]\njwks = \"k1.jwk\"\n[issuer.introspection]\nendpoint = {endpoint:?}\nclient_id = \"rs1\"\nclient_secret_file = \"secret\"\n{lines}\n"
    )
}

#[test]
fn a86_jwts_are_asked_about_where_that_is_configured_and_forged_ones_are_not() {
    let (folder, endpoint) = (Folder::new(), Endpoint::start());
    let (key, forger) = (folder.key("ES256", "k1"), Folder::new());
    let forged = token(&forger.key("ES256", "k1"), &["--subject", "s"]);
    // The endpoint's answers have an earlier exp than these tokens.
    let good =
        |jti: &str| token(&key, &["--subject", "user-1", "--jti", jti, "--now", "1763827200", "--lifetime", "1h"]);
    let [active, revoked] = ["t1", "t2"].map(good);
    endpoint.active.lock().unwrap().push(active.clone());
    let lines: String =
        [&active, &active, &revoked, &revoked, &forged].map(|token| format!("Bearer {token}\n")).concat();
    let section = issuer_section(&endpoint, "max_age = 60");
    let answers = verify(&folder, &section, &["--now", "1763827200"], &lines).answers();
    for answer in &answers[..2] {
        let principal = &answer["principal"];
        assert_eq!((&answer["ok"], &principal["kind"]), (&true.into(), &"jwt".into()), "{answers:?}");
        assert_eq!((&principal["subject"], &principal["key_id"]), (&"user-1".into(), &"k1".into()));
    }
    for answer in &answers[2..4] {
        assert_eq!((&answer["status"], &answer["error"]), (&401.into(), &"inactive-token".into()), "{answers:?}");
    }
    assert_eq!(answers[4]["error"], "bad-signature");
    let asked = endpoint.asked.lock().unwrap();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked.iter().all(|request| !request.contains(&forged)));
}

#[test]
fn a86_jwts_are_503_while_their_endpoint_is_down() {
    let (folder, port) = (Folder::new(), TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let uri = format!("http://127.0.0.1:{port}/");
    let endpoint = Endpoint { uri, active: Arc::default(), asked: Arc::default() };
    let token = token(&folder.key("ES256", "k1"), &["--subject", "s"]);
    let answers = verify(&folder, &issuer_section(&endpoint, ""), &[], &format!("Bearer {token}\n")).answers();
    assert_eq!(
        (&answers[0]["status"], &answers[0]["error"]),
        (&503.into(), &"issuer-unavailable".into()),
        "{answers:?}"
    );
}

#[test]
fn sections_of_issuers_that_cannot_work_are_refused_with_their_line() {
    let endpoint = Endpoint { uri: "http://127.0.0.1:9/".into(), active: Arc::default(), asked: Arc::default() };
    for (configuration, line, reason) in [
        (issuer_section(&endpoint, "max_age = 0"), 1, "max_age = 0"),
        (issuer_section(&endpoint, "max_age = \"30\""), 9, "invalid type"),
        (issuer_section(&endpoint, "audiences = [\"a\"]"), 9, "unknown field `audiences`"),
        (issuer_section(&endpoint, "token_prefix = \"a\""), 9, "unknown field `token_prefix`"),
        (issuer_section(&endpoint, "requests_per_second = 0"), 5, "requests per second"),
        (issuer_section(&endpoint, "").replace("127.0.0.1", "as.example"), 5, "is not https"),
        (issuer_section(&endpoint, "").replace("client_id = \"rs1\"\n", ""), 5, "go together"),
    ] {
        let folder = Folder::new();
        folder.key("ES256", "k1");
        let run = verify(&folder, &configuration, &[], "");
        assert_eq!(run.status, 2, "{configuration}");
        assert!(run.stderr.contains(&format!("tollgate.toml:{line}: ")), "{configuration}: {}", run.stderr);
        assert!(run.stderr.contains(reason), "{configuration}: {}", run.stderr);
    }
}
