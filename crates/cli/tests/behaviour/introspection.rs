//! `[introspection."NAME"]`: opaque tokens whose issuer is asked, against a server on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{AUDIENCE, Folder, Run, run};

const NAME: &str = "https://as.example/";

/// An introspection endpoint that calls the tokens active whose text ends in `good`.
struct Endpoint {
    uri: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/introspect", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for peer in listener.incoming() {
                let (mut peer, mut request, mut part) = (peer.unwrap(), Vec::new(), [0; 4096]);
                while !request.ends_with(b"access_token") {
                    let length = peer.read(&mut part).unwrap();
                    request.extend_from_slice(&part[..length]);
                }
                let request = String::from_utf8(request).unwrap();
                let token = request.split("token=").nth(1).unwrap().split('&').next().unwrap().to_owned();
                let body = if token.ends_with("good") {
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
        Endpoint { uri, asked }
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
    let endpoint = Endpoint { uri: format!("http://127.0.0.1:{port}/"), asked: Arc::default() };
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
            "client_id and the client's secret or key go together",
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
