//! A real authorization server: oidc-provider, from npm, on loopback. It needs Node.js, npm and a package registry, so
//! it runs only if `TOLLGATE_SKIP_NOTHING` is set, as in `.ci/run`.

#![forbid(unsafe_code)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tollgate::{Engine, Issuer, OpaqueIssuer, PrincipalKind, TypProfile};
use tollgate_remote::{HeaderSource, Introspection, RemoteKeys, Verifier};

/// oidc-provider, configured by `tests/oidc-provider/server.mjs`.
struct Server {
    process: Child,
    issuer: String,
}

impl Server {
    /// None, with the reason on standard output, if the test may be skipped.
    fn start() -> Option<Self> {
        if env::var_os("TOLLGATE_SKIP_NOTHING").is_none() {
            println!("skipped: oidc-provider is fetched where TOLLGATE_SKIP_NOTHING is set");
            return None;
        }
        let (source, folder) = (
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc-provider")),
            Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/oidc-provider")),
        );
        fs::create_dir_all(folder).unwrap();
        for file in ["package.json", "package-lock.json", "server.mjs"] {
            fs::copy(source.join(file), folder.join(file)).unwrap();
        }
        let installed = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder).output();
        assert!(installed.is_ok_and(|installed| installed.status.success()), "npm cannot install oidc-provider");
        let mut node = Command::new("node");
        if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            // Runs as the user nobody: the server only reads.
            node.uid(65534).gid(65534);
        }
        let mut process = node.arg("server.mjs").current_dir(folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut issuer = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
        Some(Server { process, issuer: issuer.trim().to_owned() })
    }

    /// Returns the answer to a form that the client `app` posts.
    fn post(&self, path: &str, form: &str) -> String {
        let mut peer = TcpStream::connect(self.issuer.strip_prefix("http://").unwrap()).unwrap();
        let head = [
            &format!("POST {path} HTTP/1.1"),
            "Host: localhost",
            "Connection: close",
            // app:app-secret
            "Authorization: Basic YXBwOmFwcC1zZWNyZXQ=",
            "Content-Type: application/x-www-form-urlencoded",
            &format!("Content-Length: {}", form.len()),
        ];
        write!(peer, "{}\r\n\r\n{form}", head.join("\r\n")).unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// An access token for `resource`.
    fn token(&self, resource: &str) -> String {
        let answer = self.post("/token", &format!("grant_type=client_credentials&scope=read&resource={resource}"));
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opaque_tokens_and_jwts_of_oidc_provider_are_verified_by_one_verifier() {
    let Some(server) = Server::start() else { return };
    let keys = RemoteKeys::from_openid_issuer(&server.issuer).start().unwrap();
    keys.ready().await;
    let endpoint = Introspection::at(&format!("{}/token/introspection", server.issuer))
        .client_secret("rs 1", HeaderSource::value("s%cret:+ of the resource server"))
        .start()
        .unwrap();
    let opaque =
        OpaqueIssuer::new(&server.issuer).audience("https://api.example.com").introspector(endpoint.clone()).max_age(2);
    let jwts = Issuer::new(&server.issuer)
        .audience("https://jwt.example.com")
        .typ(TypProfile::AccessToken)
        .keys(keys.key_ring());
    let verifier = Verifier::new(Engine::builder().issuer(jwts).opaque_issuer(opaque).build().unwrap());

    let jwt = verifier.verify(format!("Bearer {}", server.token("https://jwt.example.com"))).await.unwrap();
    assert_eq!((jwt.kind(), jwt.client_id()), (PrincipalKind::Jwt, Some("app")));

    let token = server.token("https://api.example.com");
    let header = format!("Bearer {token}");
    let principal = verifier.verify(&header).await.unwrap();
    assert_eq!(principal.kind(), PrincipalKind::AccessToken);
    assert_eq!((principal.issuer(), principal.client_id()), (Some(&*server.issuer), Some("app")));
    assert!(principal.require_scope("read").is_ok() && principal.require_scope("write").is_err());
    assert!(principal.expires_at() > principal.issued_at());

    let code =
        async |header: &str| verifier.verify(header).await.map_or_else(|rejection| rejection.code(), |_| "accepted");
    let other = server.token("https://other.example.com");
    assert_eq!(code(&format!("Bearer {other}")).await, "wrong-audience");
    assert_eq!(code("Bearer never-issued-by-anybody").await, "inactive-token");

    // After a revocation at the server, the token is accepted here for `max_age` at most.
    server.post("/token/revocation", &format!("token={token}"));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(code(&header).await, "inactive-token");
    assert_eq!(endpoint.statistics().failures, 0);
}
