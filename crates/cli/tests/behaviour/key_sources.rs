//! The sources of an issuer's keys: `[issuer.remote]` and `[issuer.secret]`, against servers on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};

use crate::support::{AUDIENCE, Folder, ISSUER, Run, command, data_text, run, run_command, token};

/// A server that gives every request the same answer, and records the heads of the requests.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `body` receives the server's own URI.
    fn start(status: &'static str, content_type: &'static str, body: impl FnOnce(&str) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heads, body) = (Arc::new(Mutex::new(Vec::new())), body(&format!("http://127.0.0.1:{port}")));
        let heard = Arc::clone(&heads);
        thread::spawn(move || {
            for peer in listener.incoming() {
                let (mut peer, mut head, mut byte) = (peer.unwrap(), Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && peer.read_exact(&mut byte).is_ok() {
                    head.push(byte[0]);
                }
                heard.lock().unwrap().push(String::from_utf8(head).unwrap().to_ascii_lowercase());
                let fields = format!("Content-Type: {content_type}\r\nContent-Length: {}", body.len());
                let _ = write!(peer, "HTTP/1.1 {status}\r\n{fields}\r\nConnection: close\r\n\r\n{body}");
            }
        });
        Server { port, heads }
    }

    fn uri(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// An issuer with additional lines.
fn issuer(lines: &str) -> String {
    format!("[[issuer]]\nname = {ISSUER:?}\naudiences = [{AUDIENCE:?}]\n{lines}\n")
}

fn verify(folder: &Folder, configuration: &str, token: &str) -> Run {
    run(&["verify", "--config", &folder.write("tollgate.toml", configuration)], token)
}

/// A private key in a file, and its JWK set.
fn key(folder: &Folder) -> (String, String) {
    let key = folder.key("ES256", "k1");
    let mut jwk: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&key).unwrap()).unwrap();
    jwk.as_object_mut().unwrap().remove("d");
    (key, serde_json::json!({ "keys": [jwk] }).to_string())
}

#[test]
fn headers_go_to_the_configured_origin_alone() {
    let folder = Folder::new();
    let (key, jwks) = key(&folder);
    let keys = Server::start("200 OK", "application/jwk-set+json", |_| jwks);
    // The issuer's metadata has another origin than its keys.
    let metadata = Server::start("200 OK", "application/octet-stream", {
        let keys = keys.uri("/keys");
        move |own: &str| serde_json::json!({ "issuer": own, "jwks_uri": keys }).to_string()
    });
    let name = metadata.uri("");
    folder.write("token", "from-a-file\n");
    let headers = "{ authorization = { file = \"token\", prefix = \"Bearer \" }, x-gateway = \"value\" }";
    let lines = format!("[issuer.remote]\ndiscovery = \"openid\"\nheaders = {headers}");
    let configuration = issuer(&lines).replace(ISSUER, &name);
    let made = run(&["token", "new", "--key", &key, "--issuer", &name, "--audience", AUDIENCE], "");
    let verified = verify(&folder, &configuration, &made.stdout);
    assert_eq!(verified.errors(), [None], "{verified:?}");
    let metadata = metadata.heads().concat();
    assert!(metadata.contains("authorization: bearer from-a-file\r\n") && metadata.contains("x-gateway: value\r\n"));
    let keys = keys.heads().concat();
    assert!(!keys.is_empty() && !keys.contains("from-a-file") && !keys.contains("x-gateway"), "{keys}");
}

#[test]
fn certificates_are_fetched_from_x509() {
    let folder = Folder::new();
    let document = serde_json::json!({ "k1": data_text("rsa.cert.pem") }).to_string();
    let server = Server::start("200 OK", "application/json; charset=UTF-8", |_| document);
    let verified = verify(&folder, &issuer(&format!("remote.x509 = {:?}", server.uri("/x509"))), "x.y.z");
    assert_eq!((verified.status, verified.stderr.as_str()), (1, ""), "the keys were fetched");
    assert!(server.heads()[0].starts_with("get /x509 "));
}

#[test]
fn other_content_types_are_taken_where_it_is_asked_for() {
    let folder = Folder::new();
    let (key, jwks) = key(&folder);
    let server = Server::start("200 OK", "text/plain", |_| jwks);
    let lines = format!("remote.jwks_uri = {:?}\nremote.danger_accept_any_content_type = true", server.uri("/"));
    assert_eq!(verify(&folder, &issuer(&lines), &token(&key, &[])).errors(), [None]);
}

#[test]
fn proxy_of_the_environment_is_used_but_for_no_proxy() {
    let folder = Folder::new();
    let proxy = Server::start("403 Forbidden", "text/plain", |_| String::new());
    let section = |name: &str, uri: &str| {
        issuer(&format!("remote.jwks_uri = {uri:?}\nremote.proxy = \"env\"")).replace(ISSUER, name)
    };
    let text = section("a", "https://keys.example/jwks") + &section("b", "https://sub.internal.example:1/jwks");
    let mut verify = command(&["verify", "--config", &folder.write("tollgate.toml", text)]);
    let address = format!("http://127.0.0.1:{}", proxy.port);
    verify.env("HTTPS_PROXY", address).env("NO_PROXY", "10.0.0.0/8, internal.example");
    let verified = run_command(verify, b"");
    assert!(verified.stderr.contains("no keys of https://keys.example/jwks yet"), "{verified:?}");
    assert!(verified.stderr.contains("the proxy does not connect"), "{verified:?}");
    let heads = proxy.heads();
    assert!(heads.iter().all(|head| head.starts_with("connect keys.example:443 ")) && !heads.is_empty(), "{heads:?}");
}

#[test]
fn what_is_wrong_with_remote_keys_is_said_with_its_line() {
    let folder = Folder::new();
    for (lines, line, message) in [
        ("[issuer.remote]\nsaved_in = \"x\"", 4, "one of jwks_uri, x509 and discovery is needed"),
        ("[issuer.remote]\njwks_uri = \"https://a/\"\nx509 = \"https://a/\"", 4, "only one of jwks_uri, x509"),
        ("[issuer.remote]\njwks_uri = \"http://a.example/\"", 4, "is not https"),
        (
            "[issuer.remote]\njwks_uri = \"https://a/\"\nheaders = { host = \"b\" }",
            4,
            "the header \"host\" cannot be sent",
        ),
        (
            "[issuer.remote]\njwks_uri = \"https://a/\"\nproxy = \"socks5://a\"",
            4,
            "not a URI of the form http://host:port",
        ),
        ("[issuer.remote]\njwks_uri = \"https://a/\"\nca = \"none.pem\"", 4, "none.pem cannot be read"),
        (
            "[issuer.remote]\njwks_uri = \"https://a/\"\nheaders = { a = 1 }",
            6,
            "expected the value of a header, or { file",
        ),
        ("[issuer.remote]\njwks_uri = \"https://a/\"\nheaders.a = { path = \"b\" }", 6, "unknown field `path`"),
        ("[issuer.remote]\ndiscovery = \"saml\"", 5, "unknown variant `saml`, expected `openid` or `oauth`"),
    ] {
        let path = folder.write("tollgate.toml", issuer(lines));
        let refused = run(&["verify", "--config", &path], "");
        refused.refused_with(message);
        assert!(refused.stderr.starts_with(&format!("tollgate: {path}:{line}: ")), "{lines}: {}", refused.stderr);
    }
}

/// 48 bytes of plain text.
const SECRET: &[u8; 48] = b"a secret of forty-eight bytes, for HS256 & HS384";

/// A key file to sign with [`SECRET`] or another secret.
fn signing_key(folder: &Folder, algorithm: &str, secret: &[u8]) -> String {
    let k = URL_SAFE_NO_PAD.encode_to_string(secret);
    folder.write("secret.jwk", format!(r#"{{"kty":"oct","alg":"{algorithm}","kid":"named","k":"{k}"}}"#))
}

#[test]
fn secrets_are_read_in_every_encoding_but_for_one_line_feed() {
    let folder = Folder::new();
    let hex: String = SECRET.iter().map(|byte| format!("{byte:02X}")).collect();
    let table = [
        ("", String::from_utf8(SECRET.to_vec()).unwrap()),
        ("encoding = \"utf8\"", String::from_utf8(SECRET.to_vec()).unwrap()),
        ("encoding = \"base64\"", STANDARD.encode_to_string(SECRET)),
        ("encoding = \"base64url\"", URL_SAFE_NO_PAD.encode_to_string(SECRET)),
        ("encoding = \"hex\"", hex),
    ];
    for algorithm in ["HS256", "HS384"] {
        let token = token(&signing_key(&folder, algorithm, SECRET), &[]);
        for (encoding, text) in &table {
            let lines = format!("algorithms = [{algorithm:?}]\n[issuer.secret]\nfile = \"secret.txt\"\n{encoding}");
            for end in ["", "\n"] {
                folder.write("secret.txt", format!("{text}{end}"));
                assert_eq!(verify(&folder, &issuer(&lines), &token).errors(), [None], "{lines}");
            }
        }
    }
    // A second line feed belongs to the secret.
    folder.write("secret.txt", [&SECRET[..], b"\n\n"].concat());
    let configuration = issuer("algorithms = [\"HS256\"]\nsecret.file = \"secret.txt\"");
    let with_line_feed = token(&signing_key(&folder, "HS256", &[&SECRET[..], b"\n"].concat()), &[]);
    let without = token(&signing_key(&folder, "HS256", SECRET), &[]);
    let errors = verify(&folder, &configuration, &format!("{with_line_feed}\n{without}")).errors();
    assert_eq!(errors, [None, Some("bad-signature".to_owned())]);
}

#[test]
fn what_is_wrong_with_a_secret_is_said_with_its_line() {
    let folder = Folder::new();
    folder.write("good", SECRET);
    folder.write("short", "too short\n");
    folder.write("empty", "\n");
    folder.write("latin1", b"\xe9\xe9\xe9 a secret of forty-eight bytes, for HS256");
    folder.write("mark", [b"\xef\xbb\xbf", &SECRET[..]].concat());
    folder.write("crlf", STANDARD.encode_to_string(SECRET) + "\r\n");
    folder.write("pem", data_text("rsa.spki.pem"));
    folder.write("long", "x".repeat(20_000));
    let one = "algorithms = [\"HS256\"]";
    for (algorithms, lines, line, message) in [
        (one, "file = \"none\"", 5, "none: No such file"),
        (one, "file = \"short\"", 5, "has 9 bytes; at least 32 are needed"),
        ("algorithms = [\"HS512\"]", "file = \"good\"", 5, "has 48 bytes; at least 64 are needed"),
        (one, "file = \"empty\"", 5, "is empty"),
        (one, "file = \"latin1\"", 5, "the secret is not utf8"),
        (one, "file = \"mark\"", 5, "begins with a byte order mark"),
        (one, "file = \"crlf\"\nencoding = \"base64\"", 5, "the secret is not base64"),
        (one, "file = \"good\"\nencoding = \"hex\"", 5, "the secret is not hex"),
        (one, "file = \"pem\"", 5, "is PEM text"),
        (one, "file = \"long\"", 5, "the file is longer than"),
        (one, "file = \"good\"\nencoding = \"rot13\"", 7, "unknown variant `rot13`"),
        (one, "file = \"good\"\nkey = 1", 7, "unknown field `key`"),
        (one, "encoding = \"hex\"", 5, "missing field `file`"),
        ("", "file = \"good\"", 5, "algorithms to name exactly one of HS256, HS384 and HS512"),
        ("algorithms = [\"HS256\", \"HS384\"]", "file = \"good\"", 5, "algorithms to name exactly one"),
        ("algorithms = [\"RS256\"]", "file = \"good\"", 5, "algorithms to name exactly one"),
    ] {
        let path = folder.write("tollgate.toml", issuer(&format!("{algorithms}\n[issuer.secret]\n{lines}")));
        let refused = run(&["verify", "--config", &path], "");
        refused.refused_with(message);
        assert!(refused.stderr.starts_with(&format!("tollgate: {path}:{line}: ")), "{lines}: {}", refused.stderr);
        assert!(!refused.stderr.contains("forty-eight"), "the secret is shown");
    }
    // A `key_use` without effect is refused: neither a secret nor PEM names a use.
    let without_use = [("algorithms = [\"HS256\"]\nsecret.file = \"good\"", "good"), ("jwks = \"pem\"", "pem")];
    for (source, name) in without_use {
        let configuration = issuer(&format!("{source}\nkey_use = [\"sig\"]"));
        verify(&folder, &configuration, "")
            .refused_with(":1: the issuer \"https://as.example\" lists the use of its keys (key_use)");
        assert_eq!(verify(&folder, &issuer(source), "").status, 0, "{name}");
    }
    let both = issuer("algorithms = [\"HS256\"]\njwks = \"x\"\nsecret.file = \"good\"");
    verify(&folder, &both, "").refused_with(":1: the issuer \"https://as.example\" has both jwks and secret; give one");
}

/// An unusable key beside usable ones is reported once, with the reason, and the others are used.
#[test]
fn a_refused_key_of_a_file_is_told_of_with_its_reason() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let good = std::fs::read_to_string(&key).unwrap();
    let weak = r#"{"kty":"RSA","kid":"weak","alg":"RS256","n":"AQAB","e":"AQAB"}"#;
    let encryption = r#"{"kty":"RSA","kid":"enc","use":"enc","n":"AQAB","e":"AQAB"}"#;
    let jwks = folder.write("jwks.json", format!(r#"{{"keys":[{weak},{encryption},{good}]}}"#));
    let arguments = ["verify", "--issuer", ISSUER, "--audience", AUDIENCE, "--jwks", &jwks];
    let verified = run(&arguments, token(&key, &[]));
    assert_eq!(verified.status, 0, "{verified:?}");
    assert_eq!(verified.stderr.lines().count(), 1, "{verified:?}");
    assert!(verified.stderr.contains("jwks.json: the RSA key \"weak\" is refused ("), "{verified:?}");
}
