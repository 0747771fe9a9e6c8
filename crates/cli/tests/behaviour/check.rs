//! `tollgate check`: tries a configuration.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::json;

use crate::support::{AUDIENCE, Folder, ISSUER, run};

/// Answers every request with this status and JSON. Returns the server's origin.
fn server(status: &'static str, body: String) -> String {
    server_with("", status, body)
}

/// As above, with these header fields, each with its line end.
fn server_with(fields: &'static str, status: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 8192]);
            let head = format!(
                "HTTP/1.1 {status}\r\n{fields}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    origin
}

#[test]
fn each_part_is_tried_and_what_does_not_work_says_why() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let mut jwk: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&key).unwrap()).unwrap();
    jwk.as_object_mut().unwrap().remove("d");
    let weak = json!({ "kty": "oct", "kid": "shared", "k": "AAAA" });
    let keys = server("200 OK", json!({ "keys": [jwk, weak] }).to_string());
    let down = server("500 Internal Server Error", "{}".to_owned());
    let knows_nobody = server("200 OK", r#"{"active":false}"#.to_owned());
    let refuses_us = server("401 Unauthorized", "{}".to_owned());
    folder.write("secret", "s3cret");
    folder.write("keys.jsonl", "");
    let issuer =
        |name: &str, source: &str| format!("[[issuer]]\nname = {name:?}\naudiences = [{AUDIENCE:?}]\n{source}\n");
    let opaque = |name: &str, prefix: &str, origin: &str| {
        format!(
            "[introspection.{name:?}]\ntoken_prefix = {prefix:?}\nendpoint = \"{origin}/introspect\"\nclient_id = \"rs\"\n\
            client_secret_file = \"secret\"\naudiences = [{AUDIENCE:?}]\n"
        )
    };
    let file = folder.write(
        "tollgate.toml",
        [
            "api_keys = \"keys.jsonl\"\n".to_owned(),
            issuer(ISSUER, &format!("jwks = {key:?}\nrequire_claims = [\"/a/b\"]\nexpect.azp = [\"x\"]\nleeway = 5")),
            issuer("https://remote.example", &format!("remote.jwks_uri = \"{keys}/jwks\"")),
            issuer("https://down.example", &format!("remote.jwks_uri = \"{down}/jwks\"")),
            opaque("https://a.example", "a_", &knows_nobody),
            opaque("https://b.example", "b_", &refuses_us),
            "[[gateway.rule]]\npaths = [\"/*\"]\n".to_owned(),
        ]
        .concat(),
    );
    let checked = run(&["check", "--config", &file], "");
    assert_eq!(checked.status, 1, "{checked:?}");
    let answers = checked.answers();
    let parts: Vec<_> = answers
        .iter()
        .map(|line| (line["part"].as_str().unwrap(), line["name"].as_str().unwrap(), line["ok"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        parts,
        [
            ("issuer", ISSUER, true),
            ("issuer", "https://remote.example", true),
            ("issuer", "https://down.example", false),
            ("api-keys", &*folder.path("keys.jsonl"), true),
            ("introspection", "https://a.example", true),
            ("introspection", "https://b.example", false),
            ("gateway", &*file, true),
        ]
    );
    assert_eq!((&answers[0]["keys"], &answers[0]["algs"]), (&json!(1), &json!(["ES256"])));
    let takes = json!({
        "audiences": [AUDIENCE], "typ": answers[1]["takes"]["typ"], "claims": ["/a/b"], "expect": ["azp"], "leeway": 5,
    });
    assert_eq!(answers[0]["takes"], takes);
    assert!(takes["typ"].as_str().unwrap().contains("JWT"), "{takes}");
    assert_eq!(answers[1]["keys"], 1);
    assert_eq!(answers[1]["refused"][0]["kid"], "shared");
    assert!(answers[1]["fetched_at"].is_i64());
    assert_eq!(answers[2]["error"], "no-keys");
    assert!(answers[2]["detail"].as_str().unwrap().contains("500"), "{}", answers[2]);
    assert!(answers[5]["detail"].as_str().unwrap().contains("401"), "{}", answers[5]);
}

#[test]
fn what_cannot_work_at_all_is_refused_as_by_the_commands_that_use_the_file() {
    let folder = Folder::new();
    run(&["check", "--config", &folder.write("tollgate.toml", "[[issuer]]\nname = \"https://as.example\"\n")], "")
        .refused_with("tollgate.toml:1");
}

#[test]
fn a_clock_that_differs_by_more_than_the_leeway_is_reported() {
    let folder = Folder::new();
    let mut jwk: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.key("ES256", "k1")).unwrap()).unwrap();
    jwk.as_object_mut().unwrap().remove("d");
    let origin = server_with("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "200 OK", json!({ "keys": [jwk] }).to_string());
    let issuer =
        format!("[[issuer]]\nname = {ISSUER:?}\naudiences = [{AUDIENCE:?}]\nremote.jwks_uri = \"{origin}/jwks\"\n");
    let checked = run(&["check", "--config", &folder.write("tollgate.toml", issuer)], "");
    assert_eq!(checked.status, 1, "{checked:?}");
    let line = &checked.answers()[0];
    assert_eq!((&line["error"], &line["keys"]), (&json!("wrong-clock"), &json!(1)));
    // 784111777 is the `Date`.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let difference = line["clock_difference"].as_i64().unwrap();
    assert!((difference + now - 784_111_777).abs() <= 5, "{line}");
    assert!(line["detail"].as_str().unwrap().contains("behind this host's"), "{line}");
}
