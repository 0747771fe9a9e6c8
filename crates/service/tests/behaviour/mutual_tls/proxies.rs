//! Clients' certificates that a proxy passes on.

use super::certificates::{Authority, Identity, expired, named, server_files};
use super::{MACHINE, TOKEN, TlsClient, register, registered, robots_subject};
use crate::support::{BASIC, TestServer, assert_problem, config, json};
use base64_simd::STANDARD;
use reqwest::blocking::Response;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tollgate::{CertificateField, ForwardedField, TrustedProxies};
use tollgate_service::Config;
use tollgate_storage::{ClientKeys, ClientSettings};
use tollgate_tests::real_servers::{Running, find_command, free_address, skip, unprivileged};

/// A server that trusts a proxy at that address with that field, and the authority that it knows.
struct Behind {
    server: TestServer,
    authority: Authority,
    _folder: TempDir,
}

impl Behind {
    fn start(proxy: &str, field: CertificateField, mtls_base_url: Option<String>) -> Self {
        let (folder, authority) = (TempDir::new().unwrap(), Authority::new("Clients"));
        let client_ca = folder.path().join("clients.pem");
        std::fs::write(&client_ca, &authority.pem).unwrap();
        let proxies = TrustedProxies::new([proxy.parse().unwrap()], ForwardedField::XForwardedFor);
        let server = TestServer::start_with(Config {
            store: None,
            trusted_proxies: proxies.client_certificate(field),
            client_ca: Some(client_ca),
            mtls_base_url,
            ..config()
        });
        register(&server, "robot", robots_subject());
        Self { server, authority, _folder: folder }
    }

    /// A request as the proxy would send it on, with these fields.
    fn token(&self, fields: &[(&str, &str)]) -> Response {
        let request = self.server.client.post(self.server.url(TOKEN)).form(&MACHINE);
        let request = request.header("x-forwarded-for", "198.51.100.7");
        fields.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().unwrap()
    }

    #[track_caller]
    fn refuses(&self, fields: &[(&str, &str)]) {
        assert_problem(self.token(fields), 401, BASIC, "invalid_client");
    }
}

fn byte_sequence(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode_to_string(der))
}

/// Percent-encoded, as nginx does.
fn escaped(pem: &str) -> String {
    pem.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// nginx before the server, and its certificate.
fn nginx(program: &str, folder: &Path, listen: SocketAddr, server: SocketAddr) -> (Identity, Command) {
    let (identity, _) = server_files(folder);
    let configuration = format!(
        "daemon off; master_process off; error_log {0}/error.log; pid {0}/pid; events {{}}
        http {{
            access_log off; client_body_temp_path {0}; proxy_temp_path {0};
            fastcgi_temp_path {0}; uwsgi_temp_path {0}; scgi_temp_path {0};
            server {{
                listen {listen} ssl;
                ssl_certificate {0}/server.crt.pem; ssl_certificate_key {0}/server.key.pem;
                ssl_verify_client optional_no_ca;
                location / {{
                    proxy_pass http://{server};
                    proxy_set_header X-Forwarded-For $remote_addr;
                    proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
                }}
            }}
        }}",
        folder.display()
    );
    std::fs::write(folder.join("nginx.conf"), configuration).unwrap();
    let mut command = unprivileged(program, folder);
    command.arg("-c").arg(folder.join("nginx.conf")).arg("-p").arg(folder);
    (identity, command)
}

const NGINX: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

/// With `optional_no_ca` nginx passes on whatever certificate a client has the key of.
#[test]
fn a52_behind_a_proxy_the_chain_counts_and_not_the_proxys_word() {
    let Some(program) = find_command(&NGINX, "-v") else { return skip("nginx is not there") };
    let listen = free_address();
    let origin = format!("https://{listen}");
    let behind = Behind::start("127.0.0.1", CertificateField::XSslClientCert, Some(origin.clone()));
    let folder = TempDir::new().unwrap();
    let (server_identity, mut command) = nginx(program, folder.path(), listen, behind.server.address);
    let _nginx = Running::start(&mut command, listen);
    let token = |identity: Option<&Identity>, fields: &[(&str, &str)]| {
        TlsClient::new(&server_identity.chain[0], identity).post(&format!("{origin}{TOKEN}"), fields, &MACHINE)
    };
    let robot = behind.authority.issue(&named("robot"));
    json(token(Some(&robot), &[]), 200);
    let forged = escaped(&robot.pem);
    for (identity, fields) in [
        (Some(Identity::self_signed(&named("robot"))), &[][..]),
        (Some(Authority::new("Clients").issue(&named("robot"))), &[]),
        (Some(behind.authority.issue(&named("other"))), &[]),
        (None, &[]),
        // What the client writes into the field is overwritten.
        (None, &[("x-ssl-client-cert", forged.as_str())]),
        (Some(Identity::self_signed(&named("robot"))), &[("x-ssl-client-cert", forged.as_str())]),
    ] {
        assert_problem(token(identity.as_ref(), fields), 401, BASIC, "invalid_client");
    }
    // nginx answers 400 to this one.
    let expired = behind.authority.issue(&expired(named("robot")));
    behind.refuses(&[("x-ssl-client-cert", &escaped(&expired.pem))]);
    // A certificate that is registered needs no authority.
    let probe = Identity::self_signed(&named("probe"));
    register(&behind.server, "probe", registered(ClientKeys::of_certificates(&probe.pem).unwrap()));
    let form = [("grant_type", "client_credentials"), ("client_id", "probe")];
    let of_probe = TlsClient::new(&server_identity.chain[0], Some(&probe));
    json(of_probe.post(&format!("{origin}{TOKEN}"), &[], &form), 200);
    // A token that is bound to the certificate is good with it alone, at the API too.
    register(&behind.server, "bound", |settings| ClientSettings {
        is_certificate_bound: true,
        ..registered(ClientKeys::of_certificates(&probe.pem).unwrap())(settings)
    });
    let form = [("grant_type", "client_credentials"), ("client_id", "bound")];
    let answer = json(of_probe.post(&format!("{origin}{TOKEN}"), &[], &form), 200);
    let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    for (identity, status) in [(Some(&probe), 200), (Some(&robot), 401), (None, 401)] {
        let client = TlsClient::new(&server_identity.chain[0], identity);
        let fields = [("authorization", bearer.as_str()), ("x-ssl-client-cert", &escaped(&probe.pem))];
        assert_eq!(client.get(&format!("{origin}/api/v2/reports"), &fields).status().as_u16(), status);
    }
    let metadata = json(behind.server.client.get(behind.server.url(super::METADATA)).send().unwrap(), 200);
    assert_eq!(metadata["mtls_endpoint_aliases"]["token_endpoint"], format!("{origin}{TOKEN}"));
}

#[test]
fn a52_a_field_of_whoever_is_no_trusted_proxy_is_no_certificate() {
    for (field, proxy, status) in [
        (CertificateField::XSslClientCert, "127.0.0.1", 200),
        (CertificateField::XSslClientCert, "198.51.100.1", 401),
        (CertificateField::ClientCert, "127.0.0.1", 401),
    ] {
        let behind = Behind::start(proxy, field, None);
        let robot = behind.authority.issue(&named("robot"));
        let answer = behind.token(&[("x-ssl-client-cert", &escaped(&robot.pem))]);
        assert_eq!(answer.status().as_u16(), status, "{proxy} {field:?}");
    }
}

/// RFC 9440 sections 2.2 and 2.3.
#[test]
fn a_proxy_passes_the_certificates_between_on_in_a_field_of_their_own() {
    let behind = Behind::start("127.0.0.1", CertificateField::ClientCert, None);
    let between = behind.authority.issue_authority("Robots");
    let further = between.issue_authority("Mobile robots");
    let robot = byte_sequence(&further.issue(&named("robot")).chain[0]);
    let [between, further] = [between, further].map(|authority| byte_sequence(&authority.der));
    let certificate = ("client-cert", robot.as_str());
    json(behind.token(&[certificate, ("client-cert-chain", &format!("{further}, {between}"))]), 200);
    json(behind.token(&[certificate, ("client-cert-chain", &further), ("client-cert-chain", &between)]), 200);
    behind.refuses(&[certificate]);
    behind.refuses(&[certificate, ("client-cert-chain", &further)]);
    // A field in another form is not left out.
    behind.refuses(&[certificate, ("client-cert-chain", &format!("{further}, {between};q=1"))]);
    behind.refuses(&[("client-cert", "robot"), ("client-cert-chain", &format!("{further}, {between}"))]);
    behind.refuses(&[certificate, certificate, ("client-cert-chain", &format!("{further}, {between}"))]);
}
