//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 section 2).

use super::certificates::{Authority, Identity, also_named, expired, for_servers, named, not_yet_valid};
use super::{MACHINE, TOKEN, World, issued_to, register, registered, robots_subject};
use crate::logs::LOG;
use crate::support::{BASIC, TestResult, TestServer, assert_problem, decode, json};
use rcgen::SanType;
use serde_json::{Value, json};
use std::process::Command;
use tollgate::jwt::base64url;
use tollgate_storage::{ClientKeys, SubjectName};
use tollgate_tests::real_servers::{find_command, skip};

const CLIENTS: &str = "/api/v2/admin/clients";

/// RFC 8705 section 2.1.2.
#[test]
fn a_client_authenticates_by_a_certificate_of_an_authority_with_its_subject() {
    let address = "192.0.2.7".parse().unwrap();
    let text = |text: &str| text.try_into().unwrap();
    for (name, value, san) in [
        (SubjectName::SubjectDn, "CN=robot,O=Example", None),
        (SubjectName::SanDns, "robot.example", Some(SanType::DnsName(text("robot.example")))),
        (SubjectName::SanUri, "urn:example:robot", Some(SanType::URI(text("urn:example:robot")))),
        (SubjectName::SanIp, "192.0.2.7", Some(SanType::IpAddress(address))),
        (SubjectName::SanEmail, "robot@example.com", Some(SanType::Rfc822Name(text("robot@example.com")))),
    ] {
        let world = World::start();
        world.register(issued_to(name, value));
        let robot = world.authority.issue(&also_named("robot", san));
        let answer = json(world.token(Some(&robot)), 200);
        let (_, claims) = decode(answer["access_token"].as_str().unwrap());
        assert_eq!((&claims["client_id"], &claims["scope"]), (&json!("robot"), &json!("read:reports")), "{value}");
        // A certificate of the same authority for somebody else.
        world.refuses(Some(&world.authority.issue(&named("other"))));
        world.refuses(None);
    }
}

#[test]
fn a52_a_subject_proves_nothing_without_the_authority_that_vouches_for_it() {
    let world = World::start();
    world.register(robots_subject());
    let (own, other) = (&world.authority, Authority::new("Clients"));
    let no_authority = own.issue_issuer(named("other robot"));
    json(world.token(Some(&own.issue(&named("robot")))), 200);
    for refused in [
        Identity::self_signed(&named("robot")),
        // The authority has the name of the one that is known.
        other.issue(&named("robot")),
        own.issue(&expired(named("robot"))),
        own.issue(&not_yet_valid(named("robot"))),
        own.issue(&for_servers(named("robot"))),
        // A client's certificate is no authority's.
        chain(&no_authority.issue(&named("robot")), &no_authority.der),
    ] {
        world.refuses(Some(&refused));
    }
}

#[test]
fn the_certificates_between_the_clients_and_the_authoritys_are_taken_from_the_client() {
    let world = World::start();
    world.register(robots_subject());
    let between = world.authority.issue_authority("Robots");
    let robot = between.issue(&named("robot"));
    world.refuses(Some(&robot));
    json(world.token(Some(&chain(&robot, &between.der))), 200);
}

/// The identity with a further certificate that it sends along.
fn chain(identity: &Identity, further: &rustls::pki_types::CertificateDer<'static>) -> Identity {
    let mut identity = identity.clone();
    identity.chain.push(further.clone());
    identity
}

/// RFC 8705 section 2.2.
#[test]
fn a_client_authenticates_by_a_certificate_that_is_registered_with_it() {
    let (robot, further) = (Identity::self_signed(&named("robot")), Identity::self_signed(&named("robot")));
    let by_certificate = ClientKeys::of_certificates(&format!("{}{}", robot.pem, further.pem)).unwrap();
    let by_thumbprint = ClientKeys::new(with_thumbprint(&robot, &robot.thumbprint())).unwrap();
    for (jwks, takes_further) in [(by_certificate, true), (by_thumbprint, false)] {
        let world = World::start();
        world.register(registered(jwks));
        json(world.token(Some(&robot)), 200);
        assert_eq!(world.token(Some(&further)).status().as_u16(), if takes_further { 200 } else { 401 });
        // Exactly that certificate: neither another one of the same key and subject, nor one that an authority vouches for.
        world.refuses(Some(&robot.renewed(&named("robot"))));
        world.refuses(Some(&Identity::self_signed(&named("robot"))));
        world.refuses(Some(&world.authority.issue(&named("robot"))));
        world.refuses(None);
    }
}

#[test]
fn a_registered_certificate_is_good_until_it_expires() {
    for params in [expired(named("robot")), not_yet_valid(named("robot"))] {
        let (world, robot) = (World::start(), Identity::self_signed(&params));
        world.register(registered(ClientKeys::of_certificates(&robot.pem).unwrap()));
        world.refuses(Some(&robot));
    }
}

/// The JWK set of its key with that `x5t#S256`.
fn with_thumbprint(identity: &Identity, thumbprint: &str) -> String {
    let keys = ClientKeys::of_certificates(&identity.pem).unwrap();
    let mut jwks: Value = serde_json::from_str(keys.as_str()).unwrap();
    let jwk = jwks["keys"][0].as_object_mut().unwrap();
    jwk.remove("x5c");
    jwk.insert("x5t#S256".into(), thumbprint.into());
    jwks.to_string()
}

#[test]
fn a_certificate_is_for_its_own_client_and_its_own_method() {
    let world = World::start();
    let (robot, probe) = (world.authority.issue(&named("robot")), Identity::self_signed(&named("probe")));
    world.register(robots_subject());
    register(&world.server, "probe", registered(ClientKeys::of_certificates(&probe.pem).unwrap()));
    register(&world.server, "public-like", |settings| settings);
    let token = |client_id: &str, identity| {
        let form = [("grant_type", "client_credentials"), ("client_id", client_id)];
        world.client(Some(identity)).post(&world.mtls_url(TOKEN), &[], &form)
    };
    json(token("robot", &robot), 200);
    json(token("probe", &probe), 200);
    for (client_id, identity) in [("robot", &probe), ("probe", &robot), ("public-like", &robot), ("nobody", &robot)] {
        assert_problem(token(client_id, identity), 401, BASIC, "invalid_client");
    }
    // RFC 6749 section 2.3: one method in each request; a client of certificates has no secret.
    let with_secret = [&MACHINE[..], &[("client_secret", "guess")]].concat();
    let answer = world.client(Some(&robot)).post(&world.mtls_url(TOKEN), &[], &with_secret);
    assert_problem(answer, 401, BASIC, "invalid_client");
}

#[test]
fn every_endpoint_of_clients_takes_certificates() {
    let world = World::start();
    world.register(robots_subject());
    let robot = world.authority.issue(&named("robot"));
    let token = json(world.token(Some(&robot)), 200)["access_token"].as_str().unwrap().to_owned();
    let form = [("client_id", "robot"), ("token", token.as_str())];
    let introspect = |identity| world.client(identity).post(&world.mtls_url("/oauth/v2/introspect"), &[], &form);
    assert_eq!(json(introspect(Some(&robot)), 200)["active"], true);
    assert_problem(introspect(None), 401, BASIC, "invalid_client");
    let revoke = |identity| world.client(identity).post(&world.mtls_url("/oauth/v2/revoke"), &[], &form);
    assert_problem(revoke(None), 401, BASIC, "invalid_client");
    assert_eq!(revoke(Some(&robot)).status().as_u16(), 200);
    assert_eq!(json(introspect(Some(&robot)), 200), json!({"active": false}));
}

#[test]
fn the_log_says_why_a_certificate_is_refused() {
    let log = &*LOG;
    let world = World::start();
    register(&world.server, "log-robot", robots_subject());
    let form = [("grant_type", "client_credentials"), ("client_id", "log-robot")];
    let refused = |identity: Option<&Identity>, reason: &str| {
        let answer = world.client(identity).post(&world.mtls_url(TOKEN), &[], &form);
        assert_problem(answer, 401, BASIC, "invalid_client");
        let line = format!(r#"client certificate rejected client_id="log-robot" reason={reason}"#);
        assert!(log.text().contains(&line), "{line}");
    };
    refused(None, "the request has none");
    refused(Some(&Identity::self_signed(&named("robot"))), "it is not from an authority of this service: ");
    refused(
        Some(&world.authority.issue(&expired(named("robot")))),
        "it is not from an authority of this service: invalid peer certificate: certificate expired",
    );
    refused(Some(&world.authority.issue(&named("other"))), "it has another subject than the client");
}

/// RFC 8705 section 2.1.2: "exactly one".
#[test]
fn a_client_is_registered_with_one_subject_in_a_form_that_can_be_compared() -> TestResult {
    let server = TestServer::start();
    let admin = server.key_with("admin:keys");
    let post = |members: Value| {
        let mut client = json!({"id": "robot", "name": "Robot", "scope": "read:reports", "token_endpoint_auth_method": "tls_client_auth"});
        client.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        server.post_json(CLIENTS, &admin, &json!({"client": client}))
    };
    let two = json!({"tls_client_auth_subject_dn": "CN=robot", "tls_client_auth_san_dns": "robot.example"});
    for refused in [
        json!({}),
        two,
        json!({"tls_client_auth_subject_dn": "robot"}),
        json!({"tls_client_auth_subject_dn": "CN=robot, O=Example"}),
        json!({"tls_client_auth_subject_dn": ""}),
        json!({"tls_client_auth_subject_dn": "CN=#0500"}),
        json!({"tls_client_auth_san_dns": "*.example"}),
        json!({"tls_client_auth_san_ip": "192.0.2.0/24"}),
        json!({"tls_client_auth_san_uri": "robot"}),
        json!({"tls_client_auth_san_email": "robot"}),
        json!({"tls_client_auth_subject_dn": "CN=robot", "token_endpoint_auth_method": "client_secret_basic"}),
        json!({"token_endpoint_auth_method": "self_signed_tls_client_auth"}),
    ] {
        assert_problem(post(refused.clone()), 400, None, "invalid_request");
    }
    let made = json(post(json!({"tls_client_auth_subject_dn": "CN=robot,O=Example"})), 201);
    assert_eq!(made["data"]["tls_client_auth_subject_dn"], "CN=robot,O=Example");
    assert_eq!(
        (&made["data"]["token_endpoint_auth_method"], &made["data"]["secrets"]),
        (&json!("tls_client_auth"), &json!([]))
    );
    Ok(())
}

/// RFC 7517 section 4.7: "The key in the first certificate MUST match the public key represented by other members".
#[test]
fn keys_of_certificates_are_those_of_the_certificates() {
    let (robot, other) = (Identity::self_signed(&named("robot")), Identity::self_signed(&named("other")));
    let jwks = |identity: &Identity| -> Value {
        serde_json::from_str(ClientKeys::of_certificates(&identity.pem).unwrap().as_str()).unwrap()
    };
    let digest = |jwks: &Value| ClientKeys::new(jwks.to_string()).unwrap().certificates();
    let of_robot = jwks(&robot);
    let sha256 = tollgate::keys::sha256(&robot.chain[0]);
    assert_eq!(digest(&of_robot).unwrap(), [sha256]);
    let mut both = of_robot.clone();
    both["keys"][0]["x5t#S256"] = json!(base64url::encode(sha256));
    assert_eq!(digest(&both).unwrap(), [sha256]);
    both["keys"][0]["x5t#S256"] = json!(other.thumbprint());
    digest(&both).unwrap_err();
    let mut mixed = of_robot.clone();
    mixed["keys"][0]["x5c"] = jwks(&other)["keys"][0]["x5c"].clone();
    digest(&mixed).unwrap_err();
    let mut bare = of_robot;
    bare["keys"][0].as_object_mut().unwrap().remove("x5c");
    digest(&bare).unwrap_err();
    for pem in [
        "",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        &robot.key,
        &format!("{}{}", robot.key, robot.pem),
    ] {
        ClientKeys::of_certificates(pem).unwrap_err();
    }
}

#[test]
fn curl_authenticates_by_its_certificate() {
    if find_command(&["curl"], "--version").is_none() {
        return skip("curl is not there");
    }
    let world = World::start();
    world.register(robots_subject());
    let (ca, _) = world.identity.write(world.folder.path(), "ca");
    let curl = |identity: &Identity| {
        let (certificate, key) = identity.write(world.folder.path(), "robot");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--cacert"]).arg(&ca).arg("--cert").arg(certificate).arg("--key").arg(key);
        curl.args(["--data", "grant_type=client_credentials", "--data", "client_id=robot"]);
        let output = curl.arg(world.mtls_url(TOKEN)).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(curl(&world.authority.issue(&named("robot")))["token_type"], "Bearer");
    assert_eq!(curl(&Identity::self_signed(&named("robot")))["error"], "invalid_client");
}
