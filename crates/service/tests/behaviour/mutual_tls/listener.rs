//! The listener that asks for certificates, and what clients are told of it.

use super::certificates::{Authority, Identity, named, server_files};
use super::{MACHINE, METADATA, TOKEN, TlsClient, World, robots_subject, with_listener};
use crate::dpop::proof;
use crate::support::{BASIC, TestServer, assert_problem, config, json};
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;
use tollgate::{Algorithm, CertificateField, ForwardedField, TrustedProxies};
use tollgate_issuer::SigningKey;
use tollgate_service::{Config, DpopNonces, Server};

/// A browser that is asked for a certificate asks its user.
#[test]
fn certificates_are_asked_for_at_the_listener_of_their_own_alone() {
    let world = World::start();
    for (origin, is_asked) in [(&world.server.origin, false), (&world.mtls_origin, true)] {
        let client = world.client(None);
        assert_eq!(client.get(&format!("{origin}/healthz"), &[]).text().unwrap(), "ok\n");
        assert_eq!(client.is_asked_for_a_certificate(), is_asked, "{origin}");
    }
    // What a client sends there unasked for is no certificate of the connection.
    world.register(robots_subject());
    let robot = world.authority.issue(&named("robot"));
    let at_the_other = world.client(Some(&robot)).post(&world.server.url(TOKEN), &[], &MACHINE);
    assert_problem(at_the_other, 401, BASIC, "invalid_client");
    json(world.token(Some(&robot)), 200);
}

/// RFC 8705 section 7.2: the handshake shows that the client has the key.
#[test]
fn a52_a_certificate_without_its_key_lets_nobody_in() {
    let world = World::start();
    world.register(robots_subject());
    let robot = world.authority.issue(&named("robot"));
    let thief = Identity { key: Identity::self_signed(&named("thief")).key, ..robot.clone() };
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = |identity| TlsClient::speaking(&[version], &world.identity.chain[0], Some(identity));
        json(client(&robot).post(&world.mtls_url(TOKEN), &[], &MACHINE), 200);
        assert!(client(&thief).try_get(&world.mtls_url("/healthz")).is_err(), "{version:?}");
    }
}

/// Its connection is a proxy's for all its clients.
#[test]
fn a52_the_certificate_of_a_trusted_proxys_own_connection_is_no_clients() {
    let proxies = |proxy: &str| TrustedProxies::new([proxy.parse().unwrap()], ForwardedField::XForwardedFor);
    for (proxy, status) in [("127.0.0.1", 401), ("198.51.100.1", 200)] {
        let world = World::start_with(|config| Config { trusted_proxies: proxies(proxy), ..config });
        world.register(robots_subject());
        let robot = world.authority.issue(&named("robot"));
        assert_eq!(world.token(Some(&robot)).status().as_u16(), status, "{proxy}");
    }
}

/// RFC 8705 sections 2.1.1, 2.2.1 and 5.
#[test]
fn metadata_name_the_methods_and_where_certificates_are_asked_for() {
    let world = World::start();
    let metadata = json(world.client(None).get(&world.server.url(METADATA), &[]), 200);
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = metadata[format!("{endpoint}_endpoint_auth_methods_supported")].as_array().unwrap();
        for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
            assert!(methods.contains(&method.into()), "{endpoint} {methods:?}");
        }
    }
    let aliases = metadata["mtls_endpoint_aliases"].as_object().unwrap();
    assert_eq!(aliases.len(), 6, "{aliases:?}");
    for (name, alias) in aliases {
        let path = metadata[name].as_str().unwrap().strip_prefix(&world.server.origin).unwrap();
        assert_eq!(*alias, world.mtls_url(path), "{name}");
    }

    // Without one there are neither.
    let server = TestServer::start();
    let metadata: Value = json(server.client.get(server.url(METADATA)).send().unwrap(), 200);
    assert_eq!(metadata.get("mtls_endpoint_aliases"), None);
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(!methods.iter().any(|method| method.as_str().unwrap().contains("tls")), "{methods:?}");
}

#[test]
fn the_origin_of_the_listener_may_be_named() {
    let named = "https://mtls.auth.example";
    let folder = TempDir::new().unwrap();
    let (identity, tls) = server_files(folder.path());
    let config = with_listener(&folder, &Authority::new("Clients"), tls);
    let server = TestServer::start_with(Config { mtls_base_url: Some(named.into()), ..config });
    let metadata = TlsClient::new(&identity.chain[0], None).get(&server.url(METADATA), &[]);
    assert_eq!(json(metadata, 200)["mtls_endpoint_aliases"]["token_endpoint"], format!("{named}{TOKEN}"));
}

/// RFC 9449 section 4.3: the `htu` is that of the request, at either origin.
#[test]
fn a_proof_is_for_the_origin_that_it_is_sent_to() {
    let world = World::start_with(|config| Config { dpop_nonces: DpopNonces::Off, ..config });
    world.register(robots_subject());
    let robot = world.authority.issue(&named("robot"));
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let post = |proof_for: &str| {
        let proof = proof(&key, "POST", proof_for, None).sign(&key);
        world.client(Some(&robot)).post(&world.mtls_url(TOKEN), &[("dpop", &proof)], &MACHINE)
    };
    assert_eq!(json(post(&world.mtls_url(TOKEN)), 200)["token_type"], "DPoP");
    assert_problem(post(&world.server.url(TOKEN)), 400, None, "invalid_dpop_proof");
}

#[test]
fn the_authorities_are_replaced_while_the_service_runs() {
    let world = World::start();
    world.register(robots_subject());
    let next = Authority::new("Next");
    let (old_robot, new_robot) = (world.authority.issue(&named("robot")), next.issue(&named("robot")));
    let file = world.folder.path().join("next.pem");
    std::fs::write(&file, "").unwrap();
    assert_eq!(world.server.certificates.replace(None, Some(&file)).unwrap_err().code(), "tls");
    json(world.token(Some(&old_robot)), 200);
    std::fs::write(&file, &next.pem).unwrap();
    world.server.certificates.replace(None, Some(&file)).unwrap();
    world.refuses(Some(&old_robot));
    json(world.token(Some(&new_robot)), 200);
}

#[tokio::test]
async fn options_that_contradict_each_other_are_refused() {
    let folder = TempDir::new().unwrap();
    let (_, tls) = server_files(folder.path());
    let listening = || with_listener(&folder, &Authority::new("Clients"), tls.clone());
    let missing = || Some(PathBuf::from("missing.pem"));
    let proxies = |field| TrustedProxies::nameless([]).client_certificate(field);
    for (config, code) in [
        (Config { tls: None, ..listening() }, "client-certificates"),
        (Config { mtls_listen: None, ..listening() }, "client-certificates"),
        (Config { client_ca: missing(), ..listening() }, "tls"),
        (Config { mtls_base_url: Some("http://127.0.0.1".into()), ..listening() }, "base-url"),
        (Config { store: None, mtls_base_url: Some("https://a.example".into()), ..config() }, "client-certificates"),
        (
            Config { trusted_proxies: proxies(CertificateField::XForwardedClientCert), ..listening() },
            "client-certificates",
        ),
    ] {
        assert_eq!(Server::bind(config).await.map(drop).unwrap_err().code(), code);
    }
    Server::bind(Config { trusted_proxies: proxies(CertificateField::ClientCert), ..listening() }).await.unwrap();
}
