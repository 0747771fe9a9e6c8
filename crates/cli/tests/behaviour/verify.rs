//! `tollgate verify`: values of an Authorization header.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::support::{AUDIENCE, Folder, ISSUER, Run, run, token};
use serde_json::{Value, json};

fn verify(key: &str, further: &[&str], input: impl AsRef<[u8]>) -> Run {
    run(&[&["verify", "--issuer", ISSUER, "--audience", AUDIENCE, "--jwks", key], further].concat(), input)
}

fn api_key(file: &str, further: &[&str]) -> String {
    let made = run(&[&["api-key", "new", "--file", file], further].concat(), "");
    assert_eq!(made.status, 0, "{made:?}");
    made.stdout.trim_end().to_owned()
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", base64_simd::STANDARD.encode_to_string(format!("{id}:{secret}")))
}

#[test]
fn an_accepted_jwt_is_answered_to_the_letter() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let full = token(
        &key,
        &[
            "--audience",
            "b",
            "--subject",
            "user-7",
            "--scope",
            "r w",
            "--client-id",
            "c1",
            "--jti",
            "t1",
            "--now",
            "1000",
        ],
    );
    let bare = token(&key, &["--subject", "s", "--jti", "t2", "--now", "1000", "--lifetime", "1"]);
    let verified = verify(&key, &["--now", "1000"], format!("Bearer {full}\n{bare}\n"));
    assert_eq!((verified.status, verified.stderr.as_str()), (0, ""));
    assert_eq!(
        verified.lines(),
        [
            r#"{"ok":true,"principal":{"kind":"jwt","issuer":"https://as.example","subject":"user-7","audience":["https://api.example","b"],"scopes":["r","w"],"client_id":"c1","credential_id":"t1","key_id":"k1","expires_at":4600}}"#,
            r#"{"ok":true,"principal":{"kind":"jwt","issuer":"https://as.example","subject":"s","audience":["https://api.example"],"scopes":[],"client_id":null,"credential_id":"t2","key_id":"k1","expires_at":1001}}"#,
        ]
    );
}

#[test]
fn a_rejection_is_answered_to_the_letter() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let old = token(&key, &["--now", "1000"]);
    let verified = verify(&key, &["--now", "9000"], format!("Bearer {old}\n\nBasic x\n"));
    assert_eq!(verified.status, 1);
    assert_eq!(
        verified.lines(),
        [
            r#"{"ok":false,"status":401,"error":"expired","challenge":"Bearer error=\"invalid_token\"","detail":"expired at 4600; it is 9000"}"#,
            r#"{"ok":false,"status":401,"error":"missing-credential","challenge":"Bearer","detail":"there is no credential"}"#,
            r#"{"ok":false,"status":401,"error":"credential-not-accepted","challenge":"Bearer","detail":"this kind of credential is not accepted here"}"#,
        ]
    );
    let malformed = verify(&key, &["--input", "json"], "x\n");
    assert_eq!(
        malformed.lines(),
        [
            r#"{"ok":false,"status":401,"error":"malformed-input","challenge":"Bearer error=\"invalid_token\"","detail":"the line is neither a JSON string nor {\"base64\":\"...\"}"}"#
        ]
    );
}

#[test]
fn each_check_has_its_code() {
    let folder = Folder::new();
    let (key, other) = (folder.key("ES256", "k1"), folder.key("ES256", "k2"));
    let token_of = |further: &[&str]| token(&key, &[&["--subject", "s"], further].concat());
    let good = token_of(&[]);
    let with_issuer = |issuer: &str| {
        run(&["token", "new", "--key", &key, "--issuer", issuer, "--audience", AUDIENCE, "--subject", "s"], "").stdout
    };
    let with_audience = run(&["token", "new", "--key", &key, "--issuer", ISSUER, "--audience", "x"], "").stdout;
    let cases = [
        (good.clone(), None),
        (format!("{}A", &good[..good.len() - 4]), Some("malformed-signature")),
        (good.replacen('.', ".e", 1), Some("malformed-token")),
        (token(&other, &[]), Some("unknown-key")),
        (with_issuer("https://as.example/"), Some("unknown-issuer")),
        (with_audience, Some("wrong-audience")),
        (token_of(&["--typ", "logout+jwt"]), Some("type-not-allowed")),
        (token_of(&["--now", "9999999999"]), None),
        (token_of(&["--now", "9999999999", "--not-before", "9999999999"]), Some("not-yet-valid")),
        ("tg_live_2".to_owned(), Some("credential-not-accepted")),
        ("Digest x".to_owned(), Some("unsupported-scheme")),
        ("a b".to_owned(), Some("unsupported-scheme")),
        ("Bearer".to_owned(), Some("malformed-credential")),
        (format!("Bearer {}", "a".repeat(9000)), Some("header-too-long")),
        (format!("Bearer {}", "a".repeat(3_000_000)), Some("header-too-long")),
    ];
    let input: String = cases.iter().map(|(item, _)| format!("{}\n", item.trim_end())).collect();
    let verified = verify(&key, &[], input);
    let expected: Vec<_> = cases.iter().map(|(_, error)| error.map(str::to_owned)).collect();
    assert_eq!(verified.errors(), expected);
}

#[test]
fn now_leeway_alg_and_typ_are_heeded() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let token =
        token(&key, &["--subject", "s", "--client-id", "c", "--typ", "at+jwt", "--now", "1000", "--lifetime", "100"]);
    let status = |further: &[&str]| verify(&key, &[further, &["--input", "lines"]].concat(), &token).status;
    let errors = |further: &[&str]| verify(&key, further, &token).errors();
    let typ = ["--typ", "at+jwt"];
    assert_eq!(status(&[&typ[..], &["--now", "1159"]].concat()), 0);
    assert_eq!(errors(&[&typ[..], &["--now", "1160"]].concat()), [Some("expired".to_owned())]);
    assert_eq!(errors(&[&typ[..], &["--now", "1100", "--leeway", "0"]].concat()), [Some("expired".to_owned())]);
    assert_eq!(status(&[&typ[..], &["--now", "1399", "--leeway", "300"]].concat()), 0);
    assert_eq!(status(&[&typ[..], &["--now", "-5"]].concat()), 0);
    assert_eq!(status(&["--now", "1000", "--typ", "application/at+jwt"]), 0);
    assert_eq!(errors(&["--now", "1000"]), [Some("type-not-allowed".to_owned())]);
    assert_eq!(status(&["--now", "1000", "--typ", "either"]), 0);
    assert_eq!(status(&["--now", "1000", "--typ", "AT+JWT", "--alg", "ES384", "--alg", "ES256"]), 0);
}

#[test]
fn a65_a_command_line_under_which_nothing_would_be_accepted_is_refused() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let issuer = ["verify", "--issuer", ISSUER, "--audience", AUDIENCE];
    run(&issuer, "").refused_with("--jwks");
    let for_others = run(&[&issuer[..], &["--jwks", &key, "--alg", "ES384", "--alg", "RS256"]].concat(), "");
    for_others.refused_with("has no key for an algorithm that it accepts");

    let file = folder.write("keys.jsonl", "");
    run(&["verify", "--api-keys", &file], "").refused_with("keys.jsonl: no API key is in it");
    run(&["verify", "--api-keys", &file], "").refused_with("tollgate api-key new --file");
    let beside_an_issuer = run(&[&issuer[..], &["--jwks", &key, "--api-keys", &file]].concat(), "");
    assert_eq!((beside_an_issuer.status, beside_an_issuer.stderr.as_str()), (0, ""));
    api_key(&file, &["--subject", "s"]);
    assert_eq!(run(&["verify", "--api-keys", &file], "").stderr, "");

    for block in ["0.0.0.0/0", "::/0"] {
        let serve = ["serve", "--client-address", "forwarded", "--trusted-proxy", block];
        run(&serve, "").refused_with("makes a trusted proxy of every client");
    }
}

#[test]
fn api_keys_client_secrets_and_opaque_tokens_are_accepted_each_in_its_place() {
    let folder = Folder::new();
    let file = folder.path("keys.jsonl");
    let key = api_key(&file, &["--subject", "user-7", "--scope", "a b", "--id", "key-1", "--expires-in", "1h"]);
    let secret = api_key(&file, &["--kind", "client-secret", "--client-id", "c1", "--id", "key-2"]);
    let opaque = api_key(&file, &["--kind", "access-token", "--subject", "s", "--client-id", "c2", "--id", "key-3"]);
    let elsewhere = api_key(&file, &["--subject", "other", "--prefix", "acme", "--env", "test", "--id", "key-4"]);
    let expires_at = serde_json::from_str::<Value>(fs::read_to_string(&file).unwrap().lines().next().unwrap()).unwrap()
        ["expires_at"]
        .clone();
    let another_end = if key.ends_with('x') { 'y' } else { 'x' };
    let cases = [
        (key.clone(), None),
        (format!("Bearer {key}"), None),
        (basic("c1", &secret), None),
        (format!("Bearer {opaque}"), None),
        (elsewhere, None),
        (secret.clone(), Some("unknown-api-key")),
        (opaque, Some("unknown-api-key")),
        (basic("c2", &secret), Some("unknown-client")),
        (basic("user-7", &key), Some("unknown-client")),
        (format!("{}{another_end}", &key[..key.len() - 1]), Some("malformed-api-key")),
    ];
    let input: String = cases.iter().map(|(item, _)| format!("{item}\n")).collect();
    let verified = run(&["verify", "--api-keys", &file], input);
    assert_eq!(verified.errors(), cases.iter().map(|(_, error)| error.map(str::to_owned)).collect::<Vec<_>>());
    let lines = verified.lines();
    assert_eq!(
        lines[0],
        format!(
            r#"{{"ok":true,"principal":{{"kind":"api-key","issuer":null,"subject":"user-7","audience":null,"scopes":["a","b"],"client_id":null,"credential_id":"key-1","key_id":null,"expires_at":{expires_at}}}}}"#
        )
    );
    assert_eq!(
        lines[2],
        r#"{"ok":true,"principal":{"kind":"client","issuer":null,"subject":"c1","audience":null,"scopes":[],"client_id":"c1","credential_id":"key-2","key_id":null,"expires_at":null}}"#
    );
    assert_eq!(
        lines[3],
        r#"{"ok":true,"principal":{"kind":"access-token","issuer":null,"subject":"s","audience":null,"scopes":[],"client_id":"c2","credential_id":"key-3","key_id":null,"expires_at":null}}"#
    );
    assert_eq!(
        lines[7],
        r#"{"ok":false,"status":401,"error":"unknown-client","challenge":"Basic realm=\"tollgate\", charset=\"UTF-8\"","detail":"no such client, or another client's secret"}"#
    );
    let later = (expires_at.as_i64().unwrap()).to_string();
    let expired = run(&["verify", "--api-keys", &file, "--now", &later], key);
    assert_eq!(expired.errors(), [Some("expired".to_owned())]);
}

#[test]
fn a_bad_line_of_the_api_keys_file_is_named() {
    let folder = Folder::new();
    let file = folder.path("keys.jsonl");
    api_key(&file, &["--subject", "s"]);
    let good = fs::read_to_string(&file).unwrap();
    let mut line: Value = serde_json::from_str(&good).unwrap();
    let mut with = |member: &str, value: Value| {
        let before = line[member].take();
        line[member] = value;
        let text = line.to_string();
        line[member] = before;
        text
    };
    let cases = [
        ("hello".to_owned(), "not the record of an API key"),
        (with("digest", json!("AAAA")), "`digest`"),
        (with("kind", json!("key")), "unknown variant `key`"),
        (with("subject", json!(null)), "`subject`"),
        (with("id", json!("")), "`id`"),
        (with("scopes", json!(["a b"])), "`scopes`"),
        (with("expires_at", json!("soon")), "expected i64"),
        (good.trim_end().replacen('{', r#"{"secret":1,"#, 1), "unknown field `secret`"),
        (good.trim_end().replacen('{', r#"{"id":"a","#, 1), "duplicate field `id`"),
        (good.trim_end().to_owned(), "an earlier line"),
        (with("format", json!({"prefix": "A", "env": "b"})), "lower-case"),
    ];
    for (bad, message) in cases {
        let text = if message == "lower-case" { format!("\n\n{bad}\n") } else { format!("{good}\n{bad}\n") };
        fs::write(&file, text).unwrap();
        let refused = run(&["verify", "--api-keys", &file], "");
        refused.refused_with(message);
        refused.refused_with(&format!("{file}:3: "));
    }
    run(&["verify", "--api-keys", &folder.path("absent")], "").refused_with("No such file");
}

#[test]
fn a_configuration_file_describes_any_number_of_issuers() {
    let folder = Folder::new();
    let (first, _second) = (folder.key("ES256", "one"), folder.key("EdDSA", "two"));
    let secret = api_key(&folder.path("keys.jsonl"), &["--subject", "s"]);
    let config = folder.write(
        "tollgate.toml",
        format!(
            r#"
max_header_bytes = 1000
api_keys = "keys.jsonl"
[[issuer]]
name = "https://one.example"
audiences = ["a", "b"]
jwks = "{first}"
leeway = 10
require_claims = ["tenant"]
[[issuer]]
name = "https://two.example"
audiences = ["a"]
jwks = "two.jwk"
algorithms = ["EdDSA"]
typ = "at+jwt"
"#
        ),
    );
    let new = |name: &str, further: &[&str]| {
        let key = folder.path(if name == "two" { "two.jwk" } else { "one.jwk" });
        let issuer = format!("https://{name}.example");
        let made =
            run(&[&["token", "new", "--key", &key, "--issuer", &issuer, "--subject", "s"], further].concat(), "");
        made.stdout.trim_end().to_owned()
    };
    let items = [
        new("one", &["--audience", "b", "--claim", "tenant=1"]),
        new("one", &["--audience", "b"]),
        new("two", &["--audience", "a", "--typ", "at+jwt", "--client-id", "c"]),
        new("two", &["--audience", "b", "--typ", "at+jwt", "--client-id", "c"]),
        new("three", &["--audience", "a"]),
        secret,
        "a".repeat(1001),
    ];
    let verified = run(&["verify", "--config", &config], items.join("\n"));
    let expected = [
        None,
        Some("missing-claim"),
        None,
        Some("wrong-audience"),
        Some("unknown-issuer"),
        None,
        Some("header-too-long"),
    ];
    assert_eq!(verified.errors(), expected.map(|error| error.map(str::to_owned)));
}

#[test]
fn what_is_dangerous_is_asked_for_by_name() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k");
    let token = token(&key, &["--subject", "s"]);
    let config = |further: &str| {
        folder.write("tollgate.toml", format!("[[issuer]]\nname = {ISSUER:?}\njwks = {key:?}\n{further}\n"))
    };
    run(&["verify", "--config", &config("")], &token).refused_with("needs an audience");
    assert_eq!(run(&["verify", "--config", &config("danger_accept_any_audience = true")], &token).status, 0);
}

#[test]
fn a65_a_configuration_that_cannot_work_is_exit_status_2() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let issuer = format!("[[issuer]]\nname = \"i\"\njwks = {key:?}\naudiences = [\"a\"]\n");
    let cases = [
        ("isuer = 1\n".to_owned(), ":1: unknown field `isuer`"),
        (format!("{issuer}\nlee_way = 5\n"), ":6: unknown field `lee_way`"),
        (format!("{issuer}leeway = \"5\"\n"), ":5: "),
        (format!("{issuer}algorithms = [\"none\"]\n"), ":5: unknown algorithm"),
        (format!("{issuer}typ = \"jwt\"\n"), ":5: invalid value: string \"jwt\""),
        (format!("{issuer}{issuer}"), ":5: the issuer \"i\" is configured twice"),
        (format!("{issuer}leeway = 301\n"), ":1: the issuer \"i\" has a leeway of 301 s; at most 300"),
        (issuer.replace(&key, "absent"), "absent"),
        ("max_header_bytes = 1000000\napi_keys = \"none\"\n".to_owned(), "No such file"),
        (format!("max_header_bytes = 1000000\n{issuer}"), "at most 65536"),
        ("[[issuer]]\naudiences = [\"a\"]\n".to_owned(), ":1: the issuer needs a name"),
        ("[[issuer]\n".to_owned(), ":1: "),
        (String::new(), "give the engine an issuer"),
        (format!("{issuer}\n[accept]\nkinds = [\"jwts\"]\n"), ":7: unknown kind `jwts`"),
        (format!("{issuer}\n[accept]\nkinds = []\n"), ":7: no kind is accepted"),
        (format!("{issuer}\n[accept]\nkinds = [\"client\"]\n"), "for a kind of credential that it accepts"),
        (format!("{issuer}\n[accept]\nbare = \"yes\"\n"), ":7: "),
        (format!("{issuer}\n[accept]\nkind = [\"jwt\"]\n"), ":7: unknown field `kind`"),
        (
            format!("{issuer}\n[request]\ntrusted_proxies = [\"10.0.0.0/8\"]\n"),
            ":7: nothing is read of the trusted proxies; give client_address or client_certificate",
        ),
        (format!("{issuer}algorithms = [\"RS256\"]\n"), ":1: the issuer \"i\" has no key for an algorithm"),
        (format!("{issuer}danger_accept_any_audience = true\n"), ":1: the issuer \"i\" has audiences, and accepts"),
        (format!("{issuer}optional_claims = [\"sub\"]\n"), ":1: the issuer \"i\" has optional_claims, which only"),
        (format!("{issuer}max_members = 2\n"), ":1: the issuer \"i\" has max_members = 2; it may be 3 to"),
        (format!("{issuer}\n[accept]\nkinds = [\"jwt\", \"client\"]\n"), "client is accepted, and there is no table"),
        (
            format!("{issuer}\n[request]\nclient_certificate = \"client-cert\"\n"),
            ":7: client_certificate is read of trusted proxies alone",
        ),
        (
            format!("{issuer}\n[request]\nclient_certificate = \"x-client-cert\"\ntrusted_proxies = [\"10.0.0.1\"]\n"),
            ":7: unknown header `x-client-cert`",
        ),
        (
            format!("{issuer}\n[request]\nclient_address = \"forwarded\"\ntrusted_proxies = []\n"),
            ":8: no proxy is trusted",
        ),
        (
            format!("{issuer}\n[request]\nclient_address = \"forwarded\"\ntrusted_proxies = [\"0.0.0.0/0\"]\n"),
            ":8: `0.0.0.0/0` makes a trusted proxy of every client",
        ),
        (
            format!("{issuer}\n[request]\nclient_address = \"forwarded\"\n"),
            ":7: client_address is read of trusted proxies alone",
        ),
        (
            format!("{issuer}\n[request]\nclient_address = \"forwarded\"\ntrusted_proxies = [\"10.0.0.1/8\"]\n"),
            ":8: `10.0.0.1/8` is not a block of addresses",
        ),
        (
            format!("{issuer}\n[request]\nclient_address = \"x-real-ip\"\ntrusted_proxies = [\"10.0.0.1\"]\n"),
            ":7: unknown header `x-real-ip`",
        ),
    ];
    for (text, message) in cases {
        let config = folder.write("tollgate.toml", &text);
        run(&["verify", "--config", &config], "").refused_with(message);
    }
    run(&["verify", "--config", &folder.path("absent")], "").refused_with("No such file");
    run(&["verify", "--config", &folder.write("bytes", b"\n\n\xff")], "").refused_with(":3: ");
}

/// Answers every request with `body`. Returns the server's URI.
fn serve(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
            let _ = stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes());
        }
    });
    origin
}

#[test]
fn keys_of_a_remote_issuer_are_fetched() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k");
    let mut jwk: Value = serde_json::from_str(&fs::read_to_string(&key).unwrap()).unwrap();
    jwk.as_object_mut().unwrap().remove("d");
    let origin = serve(json!({ "keys": [jwk] }).to_string());
    let token = run(
        &["token", "new", "--key", &key, "--issuer", "https://as.example", "--subject", "s", "--audience", "a"],
        "",
    );
    let config = folder.write(
        "tollgate.toml",
        format!(
            "[[issuer]]\nname = \"https://as.example\"\naudiences = [\"a\"]\n\
             remote.jwks_uri = \"{origin}/jwks.json\"\nremote.saved_in = \"saved\"\n"
        ),
    );
    let tokens = format!("{}garbage\n", token.stdout);
    let verified = run(&["verify", "--config", &config], &tokens);
    assert_eq!(verified.errors(), [None, Some("credential-not-accepted".to_owned())]);
    let dead = folder.write(
        "dead.toml",
        "[[issuer]]\nname = \"https://as.example\"\naudiences = [\"a\"]\n\
         remote.jwks_uri = \"http://127.0.0.1:9/jwks.json\"\n",
    );
    let verified = run(&["verify", "--config", &dead], &tokens);
    assert_eq!(verified.errors()[0].as_deref(), Some("unknown-key"));
    assert!(verified.stderr.contains("no keys of http://127.0.0.1:9/jwks.json yet"), "{}", verified.stderr);
}

#[test]
fn a_remote_issuer_that_cannot_be_is_exit_status_2() {
    let folder = Folder::new();
    for (members, message) in [
        ("remote.jwks_uri = \"http://as.example/jwks\"", "http"),
        ("remote.saved_in = \"x\"", "one of jwks_uri, x509 and discovery is needed"),
        ("remote.jwks_uri = \"https://as.example/\"\nremote.discovery = \"openid\"", "only one of jwks_uri, x509"),
        ("remote.discovery = \"webfinger\"", "webfinger"),
        ("remote.discovery = \"openid\"\njwks = \"x\"", "x"),
        ("remote.url = \"https://as.example/\"", "url"),
    ] {
        let text = format!("[[issuer]]\nname = \"https://as.example\"\naudiences = [\"a\"]\n{members}\n");
        run(&["verify", "--config", &folder.write("tollgate.toml", text)], "").refused_with(message);
    }
}

#[test]
fn key_file_without_a_usable_key_is_a_configuration_error_with_the_reasons() {
    let folder = Folder::new();
    let short = folder.write("short.json", r#"{"kty":"oct","alg":"HS256","kid":"s","k":"c2VjcmV0"}"#);
    for arguments in [&["--jwks", &short][..], &["--jwks", &short, "--alg", "HS256"]] {
        let arguments = [&["verify", "--issuer", ISSUER, "--audience", AUDIENCE], arguments].concat();
        run(&arguments, "").refused_with(r#"the oct key "s" is refused (the HMAC secret (`k`) has 6 bytes"#);
    }
    let empty = folder.write("empty.json", r#"{"keys":[]}"#);
    run(&["verify", "--issuer", ISSUER, "--audience", AUDIENCE, "--jwks", &empty], "").refused_with("none was given");
}
