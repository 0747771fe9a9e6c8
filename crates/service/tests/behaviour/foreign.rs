//! Clients that others wrote, each in a process of its own: openid-client, oauth4webapi and the SDK of the Model Context Protocol (npm), Authlib (PyPI).
//! They know nothing but the issuer and what they are registered with.
//!
//! Where Node.js or Python is missing the tests are skipped; under `TOLLGATE_SKIP_NOTHING` the packages are fetched, and what is missing fails
//! them.

use crate::support::{EMAIL, PASSWORD, TestServer};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use tollgate::Algorithm;
use tollgate_issuer::SigningKey;
use tollgate_storage::{Client, ClientAuthMethod, ClientKeys, ClientKind, ClientSettings, GrantType, RedirectUri};
use tollgate_tests::real_servers::{skip, skips_nothing};

const SITE: &str = "https://site.example/callback";

/// A server with Ada and a client of each kind, and what their programs are told in the environment.
struct World {
    server: TestServer,
    environment: Vec<(&'static str, String)>,
}

impl World {
    fn start() -> Self {
        let server = TestServer::start();
        server.accounts.add_user(EMAIL, PASSWORD, "read:sites").unwrap();
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let secret = server.accounts.register_client(&site()).unwrap().unwrap().secret;
        let public = |id: &str, redirect_uris: &[&str], grants| {
            let client = Client::new(id, "", "", redirect_uris.iter().copied(), 0).unwrap();
            let settings = ClientSettings {
                kind: ClientKind::Native,
                grants: vec![grants],
                auth_method: ClientAuthMethod::None,
                user_scopes: "openid read:sites".into(),
                ..client.settings().clone()
            };
            server.accounts.register_client(&client.with(settings).unwrap()).unwrap();
        };
        public("app", &["http://127.0.0.1/callback"], GrantType::AuthorizationCode);
        public("tv", &[], GrantType::DeviceCode);
        server.accounts.register_client(&robot(&key)).unwrap();
        let environment = vec![
            ("ORIGIN", server.origin.clone()),
            ("EMAIL", EMAIL.to_owned()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("SITE_SECRET", secret.as_str().to_owned()),
            ("ROBOT_KEY", key.to_private_jwk().to_string()),
            ("AUTHLIB_INSECURE_TRANSPORT", "1".to_owned()),
        ];
        Self { server, environment }
    }

    /// The lines that the program writes.
    #[track_caller]
    fn run(&self, command: &mut Command) -> Vec<String> {
        let output = command.envs(self.environment.iter().cloned()).output().unwrap();
        let (lines, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "at {}: {lines}\n{errors}", self.server.origin);
        lines.lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn run_node(&self, script: &str, expected: &[&str]) {
        match of_npm() {
            Ok(folder) => assert_eq!(self.run(Command::new("node").arg(script).current_dir(folder)), expected),
            Err(missing) => skip(&missing),
        }
    }
}

fn site() -> Client {
    let client = Client::new("site", "The Site", "read:reports", [SITE], 0).unwrap();
    let settings = ClientSettings {
        user_scopes: "email openid read:sites".into(),
        post_logout_redirect_uris: vec![RedirectUri::new("https://site.example/bye").unwrap()],
        ..client.settings().clone()
    };
    client.with(settings).unwrap()
}

fn robot(key: &SigningKey) -> Client {
    let client = Client::new("robot", "", "read:reports", [""; 0], 0).unwrap();
    let jwks = format!(r#"{{"keys":[{}]}}"#, key.public_jwk().unwrap());
    let settings = ClientSettings {
        auth_method: ClientAuthMethod::PrivateKeyJwt,
        jwks: Some(ClientKeys::new(jwks).unwrap()),
        ..client.settings().clone()
    };
    client.with(settings).unwrap()
}

#[test]
fn openid_client_of_npm_takes_each_flow_by_discovery_alone() {
    let lines = [
        "code ada@example.com 200",
        "pushed 200",
        "native 200",
        "device true 200",
        "machine read:reports read:reports",
        "logout done 401 401",
    ];
    World::start().run_node("openid_client.mjs", &lines);
}

#[test]
fn oauth4webapi_of_npm_finds_no_fault_with_any_answer() {
    let lines = [
        "discovery true true",
        "code true 200",
        "device authorization_pending slow_down 200 invalid_grant",
        "machine read:reports",
    ];
    World::start().run_node("oauth4webapi.mjs", &lines);
}

/// RFC 9728 section 5.1, RFC 8414, RFC 8707.
#[test]
fn a_client_of_the_model_context_protocol_finds_its_way_from_a_refusal_to_a_token() {
    let lines = ["challenge 401 /.well-known/oauth-protected-resource", "token REDIRECT AUTHORIZED read:sites 200"];
    World::start().run_node("mcp.mjs", &lines);
}

#[test]
fn authlib_of_pypi_logs_a_user_in_and_speaks_for_itself() {
    let lines = ["code openid read:sites True 200", "userinfo True", "machine read:reports"];
    match of_pypi() {
        Ok(packages) => {
            let script = sources().join("authlib_client.py");
            let world = World::start();
            assert_eq!(world.run(Command::new("python3").arg(script).env("PYTHONPATH", packages)), lines);
        }
        Err(missing) => skip(&missing),
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Two tests fetch nothing at the same time.
static FETCHING: Mutex<()> = Mutex::new(());

/// The programs and their packages, in a folder of the build's.
fn of_npm() -> Result<PathBuf, String> {
    let _fetching = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    std::fs::create_dir_all(&folder).unwrap();
    for file in std::fs::read_dir(sources()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    if folder.join("node_modules/openid-client").exists() {
        return Ok(folder);
    }
    fetch(Command::new("npm").args(["install", "--no-audit", "--no-fund"]).current_dir(&folder), "npm").map(|()| folder)
}

/// The folder of Authlib and what it needs.
fn of_pypi() -> Result<PathBuf, String> {
    let _fetching = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pypi-clients");
    if folder.join("authlib").exists() {
        return Ok(folder);
    }
    let mut pip = Command::new("pip");
    pip.args(["install", "--quiet", "--target"]).arg(&folder).args(["Authlib==1.9.10", "requests==2.34.2"]);
    fetch(&mut pip, "pip").map(|()| folder)
}

fn fetch(command: &mut Command, name: &str) -> Result<(), String> {
    if !skips_nothing() {
        return Err(format!("packages of {name} are fetched where TOLLGATE_SKIP_NOTHING is set"));
    }
    match command.output() {
        Err(_) => Err(format!("{name} is not there")),
        Ok(output) if !output.status.success() => Err(format!("{name} could not fetch its packages")),
        Ok(_) => Ok(()),
    }
}
