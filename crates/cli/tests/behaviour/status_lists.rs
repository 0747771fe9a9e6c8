//! `[issuer.status_lists]`: tokens with a status in their issuer's list, against a server on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::json;
use tollgate::jwt::base64url;
use tollgate_issuer::SigningKey;

use crate::support::{AUDIENCE, Folder, ISSUER, Run, run, token};

/// An issuer with one list of 16 statuses of one bit, of which 0, 3, 4, 5, 7, 8, 9, 13 and 15 are set (the example of the draft,
/// section 4.1).
struct World {
    folder: Folder,
    key: String,
    /// The URI prefix of the lists.
    prefix: String,
}

impl World {
    fn new() -> Self {
        let folder = Folder::new();
        let key = folder.key("ES256", "k1");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let prefix = format!("http://{}/lists/", listener.local_addr().unwrap());
        let signing = SigningKey::from_jwk(&std::fs::read_to_string(&key).unwrap()).unwrap();
        let claims = json!({
            "iss": ISSUER, "sub": format!("{prefix}1"), "iat": 1_763_827_200,
            "status_list": { "bits": 1, "lst": "eNrbuRgAAhcBXQ" },
        });
        let head = json!({ "alg": "ES256", "kid": "k1", "typ": "statuslist+jwt" });
        let input = [head, claims].map(|part| base64url::encode(part.to_string())).join(".");
        let list = format!("{input}.{}", base64url::encode(signing.sign(input.as_bytes()).unwrap()));
        thread::spawn(move || {
            for peer in listener.incoming() {
                let mut peer = peer.unwrap();
                let _ = peer.read(&mut [0; 4096]);
                let fields = format!("Content-Type: application/statuslist+jwt\r\nContent-Length: {}", list.len());
                let _ = write!(peer, "HTTP/1.1 200 OK\r\n{fields}\r\nConnection: close\r\n\r\n{list}");
            }
        });
        World { folder, key, prefix }
    }

    fn token(&self, status: Option<(u32, &str)>) -> String {
        let status = status.map(|(idx, uri)| {
            format!("status={}", json!({ "status_list": { "idx": idx, "uri": format!("{}{uri}", self.prefix) } }))
        });
        let claim: Vec<_> = status.iter().flat_map(|status| ["--claim", status]).collect();
        format!("Bearer {}\n", token(&self.key, &[&["--now", "1763827200", "--subject", "s"][..], &claim].concat()))
    }

    fn verify(&self, lines: &str, tokens: &str) -> Run {
        let configuration = format!(
            "[[issuer]]\nname = {ISSUER:?}\naudiences = [{AUDIENCE:?}]\njwks = \"k1.jwk\"\n[issuer.status_lists]\n{lines}\n"
        );
        let configuration = self.folder.write("tollgate.toml", configuration);
        run(&["verify", "--config", &configuration, "--now", "1763827260"], tokens)
    }

    fn prefixes(&self) -> String {
        format!("prefixes = [{:?}]", self.prefix)
    }
}

#[test]
fn tokens_are_accepted_whose_status_is_valid() {
    let world = World::new();
    let tokens =
        [Some((1, "1")), Some((0, "1")), Some((15, "1")), Some((16, "1")), None, Some((1, "../1")), Some((1, "2"))]
            .map(|status| world.token(status))
            .concat();
    let errors = [
        None,
        Some("invalid-status"),
        Some("invalid-status"),
        Some("invalid-status"),
        None,
        Some("invalid-claim"),
        // The list served there names another URI as its subject.
        Some("issuer-unavailable"),
    ];
    let run = world.verify(&world.prefixes(), &tokens);
    assert_eq!(run.errors(), errors.map(|error| error.map(str::to_owned)), "{run:?}");
    assert_eq!(run.answers()[6]["status"], 503);
    let required = world.verify(&format!("{}\nrequired = true", world.prefixes()), &world.token(None));
    assert_eq!(required.errors(), [Some("missing-claim".to_owned())]);
}

#[test]
fn lists_that_cannot_work_are_refused_with_their_line() {
    let world = World::new();
    for (lines, line, reason) in [
        ("", 5, "need a prefix"),
        ("prefixes = []", 5, "need a prefix"),
        ("prefixes = [\"http://as.example/lists/\"]", 5, "is not https"),
        ("prefixes = [\"https://as.example\"]", 5, "is not an absolute https URI"),
        ("prefixes = [\"https://as.example/\"]\nmax_age = 0", 5, "max_age of status lists"),
        ("prefixes = [\"https://as.example/\"]\nttl = 1", 7, "unknown field `ttl`"),
    ] {
        let run = world.verify(lines, "");
        assert_eq!(run.status, 2, "{lines}");
        assert!(run.stderr.contains(&format!("tollgate.toml:{line}: ")), "{lines}: {}", run.stderr);
        assert!(run.stderr.contains(reason), "{lines}: {}", run.stderr);
    }
}
