//! Clients that others wrote, each in a process of its own: openid-client, oauth4webapi and the SDK of the Model Context Protocol (npm), Authlib
//! (PyPI), openidconnect and oauth2 (crates.io).
//! They know nothing but the issuer and what they are registered with.
//!
//! Where Node.js or Python is missing the tests are skipped; under `TOLLGATE_SKIP_NOTHING` the packages are fetched, and what is missing fails
//! them.

use crate::support::{EMAIL, PASSWORD, TestServer, config};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::Algorithm;
use tollgate_issuer::SigningKey;
use tollgate_service::{Config, DpopNonces};
use tollgate_storage::{Client, ClientAuthMethod, ClientKeys, ClientKind, ClientSettings, GrantType, RedirectUri};
use tollgate_tests::real_servers::{npm_install, pip_install, skip};

const SITE: &str = "https://site.example/callback";

/// A server with Ada and a client of each kind, and what their programs are told in the environment.
struct World {
    server: TestServer,
    environment: Vec<(&'static str, String)>,
}

impl World {
    fn start() -> Self {
        Self::start_with(DpopNonces::default())
    }

    fn start_with(dpop_nonces: DpopNonces) -> Self {
        let server = TestServer::start_with(Config { store: None, dpop_nonces, ..config() });
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        server.accounts.add_user(EMAIL, PASSWORD, "read:sites").unwrap();
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let secret = server.accounts.register_client(&site()).unwrap().unwrap().secret;
        let public = |id: &str, redirect_uris: &[&str], grants| {
            let client = Client::new(id, "", "", redirect_uris.iter().copied(), 0).unwrap();
            let settings = ClientSettings {
                kind: ClientKind::Native,
                grants,
                auth_method: ClientAuthMethod::None,
                user_scopes: "openid read:sites".into(),
                ..client.settings().clone()
            };
            server.accounts.register_client(&client.with(settings).unwrap()).unwrap();
        };
        let of_codes = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        public("app", &["http://127.0.0.1/callback", "com.example.app:/callback"], of_codes);
        public("tv", &[], vec![GrantType::DeviceCode]);
        server.accounts.register_client(&robot(&key)).unwrap();
        let environment = vec![
            ("ORIGIN", server.origin.clone()),
            ("EMAIL", EMAIL.to_owned()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("SITE_SECRET", secret.as_str().to_owned()),
            ("ROBOT_KEY", key.to_private_jwk().to_string()),
            // The second in which the server started, from which it takes proofs a little later.
            ("STARTED", started.to_string()),
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
    fn run_beside_node(&self, command: &mut Command, expected: &[&str]) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
        match npm_install(&sources(), &folder) {
            Ok(()) => assert_eq!(self.run(command.current_dir(folder)), expected),
            Err(missing) => skip(&missing),
        }
    }

    #[track_caller]
    fn run_node(&self, script: &str, expected: &[&str]) {
        self.run_beside_node(Command::new("node").arg(script), expected);
    }
}

fn site() -> Client {
    let client = Client::new("site", "The Site", "read:reports", [SITE], 0).unwrap();
    let settings = ClientSettings {
        grants: vec![GrantType::AuthorizationCode, GrantType::ClientCredentials, GrantType::RefreshToken],
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

const OPENID_CLIENT: [&str; 14] = [
    "discovery: true",
    "code: 200",
    "userinfo: ada@example.com",
    "introspection: true true",
    "refresh: 200 invalid_grant 401",
    "pushed request: 200",
    "revocation: 401 false",
    "native: 200 200 invalid_grant 401",
    "own scheme: 200",
    "device: true 200",
    "client credentials: read:reports",
    "private_key_jwt: read:reports",
    "DPoP: dpop 401 200 true 200 invalid_grant 401",
    "logout: done 401",
];

#[test]
fn openid_client_of_npm_takes_each_flow_by_discovery_alone() {
    World::start().run_node("openid_client.mjs", &OPENID_CLIENT);
}

const OAUTH4WEBAPI: [&str; 13] = [
    "discovery: true true",
    "code: 200",
    "userinfo: ada@example.com",
    "resource server: true",
    "introspection: true true",
    "refresh: 200 invalid_grant 401",
    "pushed request: 200",
    "revocation: 401 false",
    "native: 200 200 invalid_grant 401",
    "device: authorization_pending slow_down 200 invalid_grant",
    "client credentials: read:reports",
    "private_key_jwt: read:reports",
    "DPoP: dpop 401 200 true 200 invalid_grant 401",
];

#[test]
fn oauth4webapi_of_npm_finds_no_fault_with_any_answer() {
    World::start().run_node("oauth4webapi.mjs", &OAUTH4WEBAPI);
}

/// RFC 9449 sections 8 and 9.
#[test]
#[ignore = "the programs once more for each other choice of nonces: .ci/long clients"]
fn clients_with_proofs_get_along_with_and_without_nonces() {
    for nonces in [DpopNonces::Off, DpopNonces::Everywhere] {
        World::start_with(nonces).run_node("openid_client.mjs", &OPENID_CLIENT);
        World::start_with(nonces).run_node("oauth4webapi.mjs", &OAUTH4WEBAPI);
    }
}

const MCP: [&str; 5] = [
    "discovery: 401 /.well-known/oauth-protected-resource",
    "native: REDIRECT AUTHORIZED read:sites 200",
    "refresh: AUTHORIZED true 200 invalid_grant 401",
    "client credentials: read:reports",
    "private_key_jwt: read:reports",
];

/// RFC 9728 section 5.1, RFC 8414, RFC 8707.
#[test]
fn a_client_of_the_model_context_protocol_finds_its_way_from_a_refusal_to_a_token() {
    World::start().run_node("mcp.mjs", &MCP);
}

const AUTHLIB: [&str; 9] = [
    "code: openid read:sites 200",
    "userinfo: True",
    "introspection: True True",
    "refresh: 200 invalid_grant 401",
    "revocation: 401 False",
    "native: 200 200 invalid_grant 401",
    "device: 200",
    "client credentials: read:reports",
    "private_key_jwt: read:reports",
];

const OF_PYPI: [&str; 2] = ["Authlib==1.9.10", "requests==2.34.2"];

#[test]
fn authlib_of_pypi_takes_each_flow_that_it_has() {
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pypi-clients");
    if let Err(missing) = pip_install(&OF_PYPI, &packages) {
        return skip(&missing);
    }
    let script = sources().join("authlib_client.py");
    let world = World::start();
    assert_eq!(world.run(Command::new("python3").arg(script).env("PYTHONPATH", packages)), AUTHLIB);
}

const CRATES: [&str; 8] = [
    "discovery: true",
    "code: 200 true",
    "userinfo: true",
    "introspection: true true",
    "refresh: 200 invalid_grant 401",
    "revocation: 401 false",
    "device: 200",
    "client credentials: read:reports",
];

#[test]
#[ignore = "builds the libraries first, with a lock file of their own: .ci/long clients"]
fn openidconnect_and_oauth2_of_crates_io_take_each_flow_that_they_have() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("foreign-clients");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--quiet", "--target-dir"]).arg(&target).current_dir(sources().join("rust"));
    assert!(cargo.status().unwrap().success());
    let mut program = Command::new(target.join("debug/tollgate-foreign-clients"));
    World::start().run_beside_node(&mut program, &CRATES);
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// The table of docs/clients.md has a column for each library, with "yes" for what its program does above.
#[test]
fn the_table_of_the_document_is_what_the_programs_do() {
    let packages = std::fs::read_to_string(sources().join("package.json")).unwrap();
    let of_npm = |name: &str| {
        let version = packages.split(&format!("\"{name}\": \"")).nth(1).expect("a package").split('"').next();
        format!("{name} {}", version.unwrap())
    };
    let manifest = std::fs::read_to_string(sources().join("rust/Cargo.toml")).unwrap();
    let of_crates = |name: &str| {
        let version = manifest.split(&format!("{name} = {{ version = \"=")).nth(1).expect("a crate").split('"').next();
        format!("{name} {}", version.unwrap())
    };
    let programs: [(String, &[&str]); 5] = [
        (of_npm("openid-client"), &OPENID_CLIENT),
        (of_npm("oauth4webapi"), &OAUTH4WEBAPI),
        (of_npm("@modelcontextprotocol/sdk"), &MCP),
        (OF_PYPI[0].replace("==", " "), &AUTHLIB),
        ([of_crates("openidconnect"), of_crates("oauth2")].join(", "), &CRATES),
    ];
    let document = include_str!("../../../../docs/clients.md");
    let mut rows = document.lines().filter(|line| line.starts_with('|')).map(cells);
    let head = rows.find(|row| row[0] == "flow").expect("the table");
    let rows: Vec<_> = rows.skip(1).collect();
    for (library, lines) in programs {
        let column = head.iter().position(|cell| *cell == library).unwrap_or_else(|| panic!("no column {library}"));
        let written: BTreeSet<_> = rows.iter().filter(|row| row[column] == "yes").map(|row| row[0]).collect();
        let done: BTreeSet<_> = lines.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(written, done, "{library}");
    }
}

/// The cells of a row of a table.
fn cells(row: &'static str) -> Vec<&'static str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}
