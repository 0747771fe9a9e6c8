//! Clients' certificates (RFC 8705) over TLS sockets, with authorities and certificates of the test.

mod authentication;
mod bound_tokens;
mod certificates;
mod client;
mod listener;
mod proxies;
mod subjects;

use crate::support::{BASIC, TestServer, assert_problem, config, json};
use certificates::{Authority, Identity, server_files};
use client::TlsClient;
use reqwest::blocking::Response;
use serde_json::Value;
use tempfile::TempDir;
use tollgate_service::{Config, TlsFiles};
use tollgate_storage::{CertificateSubject, Client, ClientAuthMethod, ClientKeys, ClientSettings, SubjectName};

const TOKEN: &str = "/oauth/v2/token";
const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("client_id", "robot")];

/// A server that asks for certificates at a listener of its own, and the authority that it knows.
struct World {
    server: TestServer,
    identity: Identity,
    authority: Authority,
    folder: TempDir,
    /// The origin of that listener.
    mtls_origin: String,
}

impl World {
    fn start() -> Self {
        Self::start_with(|config| config)
    }

    fn start_with(change: impl FnOnce(Config) -> Config) -> Self {
        let folder = TempDir::new().unwrap();
        let authority = Authority::new("Clients");
        let (identity, tls) = server_files(folder.path());
        let server = TestServer::start_with(change(with_listener(&folder, &authority, tls)));
        let metadata = TlsClient::new(&identity.chain[0], None).get(&server.url(METADATA), &[]);
        let metadata: Value = json(metadata, 200);
        let token = metadata["mtls_endpoint_aliases"]["token_endpoint"].as_str().unwrap();
        let mtls_origin = token.strip_suffix(TOKEN).unwrap().to_owned();
        Self { server, identity, authority, folder, mtls_origin }
    }

    fn client(&self, identity: Option<&Identity>) -> TlsClient {
        TlsClient::new(&self.identity.chain[0], identity)
    }

    fn mtls_url(&self, path: &str) -> String {
        format!("{}{path}", self.mtls_origin)
    }

    /// Asks for a token of the machine `robot`.
    fn token(&self, identity: Option<&Identity>) -> Response {
        self.client(identity).post(&self.mtls_url(TOKEN), &[], &MACHINE)
    }

    /// Expects that the machine is not authenticated by that certificate.
    #[track_caller]
    fn refuses(&self, identity: Option<&Identity>) {
        assert_problem(self.token(identity), 401, BASIC, "invalid_client");
    }

    fn register(&self, change: impl FnOnce(ClientSettings) -> ClientSettings) {
        register(&self.server, "robot", change);
    }
}

const METADATA: &str = "/.well-known/oauth-authorization-server";

fn with_listener(folder: &TempDir, authority: &Authority, tls: TlsFiles) -> Config {
    let client_ca = folder.path().join("clients.pem");
    std::fs::write(&client_ca, &authority.pem).unwrap();
    Config { store: None, tls: Some(tls), mtls_listen: Some(config().listen), client_ca: Some(client_ca), ..config() }
}

/// A machine with these settings.
fn register(server: &TestServer, id: &str, change: impl FnOnce(ClientSettings) -> ClientSettings) {
    let client = Client::new(id, "Robot", "read:reports", [""; 0], 0).unwrap();
    let settings = change(client.settings().clone());
    server.accounts.register_client(&client.with(settings).unwrap()).unwrap();
}

/// `tls_client_auth` with that name of the certificate.
fn issued_to(name: SubjectName, value: &str) -> impl FnOnce(ClientSettings) -> ClientSettings {
    let certificate_subject = Some(CertificateSubject::new(name, value).unwrap());
    move |settings| ClientSettings { auth_method: ClientAuthMethod::TlsClientAuth, certificate_subject, ..settings }
}

fn robots_subject() -> impl FnOnce(ClientSettings) -> ClientSettings {
    issued_to(SubjectName::SubjectDn, "CN=robot,O=Example")
}

/// `self_signed_tls_client_auth` with that key set.
fn registered(jwks: ClientKeys) -> impl FnOnce(ClientSettings) -> ClientSettings {
    move |settings| ClientSettings {
        auth_method: ClientAuthMethod::SelfSignedTlsClientAuth,
        jwks: Some(jwks),
        ..settings
    }
}
