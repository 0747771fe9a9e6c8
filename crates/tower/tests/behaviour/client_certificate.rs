//! Tokens that are bound to a client certificate (RFC 8705), and the sources of the certificate.

use http::request::Builder;
use http::{Request, Response};
use tollgate::jwt::base64url;
use tollgate::keys::sha256;
use tollgate::{Algorithm, CertificateField, Engine, TrustedProxies};
use tollgate_tests::{Draft, NOW, issuer, signing_key};
use tollgate_tower::{AuthLayer, PeerAddress, PeerCertificate};

use crate::support::{answer, challenge};

const PROXY: &str = "10.0.0.1";
const OUTSIDE: &str = "203.0.113.5";
const DER: &[u8] = b"what the layer does not look into";

struct Fixture {
    layer: AuthLayer,
    bearer: String,
}

impl Fixture {
    /// Behind a proxy that names certificates in `field`.
    fn new(field: Option<CertificateField>) -> Self {
        let key = signing_key(Algorithm::EdDSA, 0);
        let engine = Engine::builder().issuer(issuer([&key])).clock(|| NOW).build().unwrap();
        let cnf = serde_json::json!({ "x5t#S256": base64url::encode(sha256(DER)) });
        let proxies = TrustedProxies::nameless([PROXY.parse().unwrap()]);
        let proxies = match field {
            Some(field) => proxies.client_certificate(field),
            None => proxies,
        };
        Fixture {
            layer: AuthLayer::new(engine).trusted_proxies(proxies),
            bearer: format!("Bearer {}", Draft::new(&key).claim("cnf", cnf).sign(&key)),
        }
    }

    fn from(&self, peer: &str) -> Builder {
        Request::get("/").extension(PeerAddress(peer.parse().unwrap())).header("authorization", &self.bearer)
    }
}

fn verdict(response: &Response<String>) -> (u16, &str) {
    let status = response.status().as_u16();
    (status, if status == 200 { "" } else { challenge(response) })
}

const OK: (u16, &str) = (200, "");
const INVALID: (u16, &str) = (401, r#"Bearer error="invalid_token""#);
const TWICE: (u16, &str) = (400, r#"Bearer error="invalid_request""#);

#[tokio::test]
async fn a52_the_certificate_of_the_connection_counts() {
    let fixture = Fixture::new(None);
    let layer = &fixture.layer;
    let request = || Request::get("/").header("authorization", &fixture.bearer);
    for certificate in [PeerCertificate::from_der(DER), PeerCertificate::from_digest(sha256(DER))] {
        assert_eq!(verdict(&answer(layer, request().extension(certificate)).await), OK);
        assert_eq!(verdict(&answer(layer, fixture.from(PROXY).extension(certificate)).await), OK);
    }
    let other = PeerCertificate::from_der(b"other");
    assert_eq!(verdict(&answer(layer, request().extension(other)).await), INVALID);
    assert_eq!(verdict(&answer(layer, request()).await), INVALID);
    // Without configuration every field is ignored.
    let forged = request().header("client-cert", format!(":{}:", base64(DER)));
    assert_eq!(verdict(&answer(layer, forged).await), INVALID);
}

#[tokio::test]
async fn a52_the_one_configured_field_of_a_trusted_proxy_counts() {
    let hash: String = sha256(DER).iter().map(|byte| format!("{byte:02x}")).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64(DER));
    let escaped = pem.replace('\n', "%0A").replace('+', "%2B").replace('=', "%3D").replace('/', "%2F");
    let all = [
        (CertificateField::ClientCert, format!(":{}:", base64(DER))),
        (CertificateField::XForwardedClientCert, format!("Hash={hash}")),
        (CertificateField::XSslClientCert, escaped),
    ];
    for (field, value) in &all {
        let fixture = Fixture::new(Some(*field));
        let layer = &fixture.layer;
        let from = |peer: &str| fixture.from(peer).header(field.as_str(), value);
        assert_eq!(verdict(&answer(layer, from(PROXY)).await), OK);
        assert_eq!(verdict(&answer(layer, from(OUTSIDE)).await), INVALID);
        assert_eq!(verdict(&answer(layer, from(PROXY).header(field.as_str(), value)).await), TWICE);
        assert_eq!(verdict(&answer(layer, from(PROXY).header(field.as_str(), "")).await), TWICE);
        assert_eq!(verdict(&answer(layer, fixture.from(PROXY).header(field.as_str(), "x")).await), TWICE);
        // The proxy's own certificate is not its client's; that of another peer is.
        let own = PeerCertificate::from_der(DER);
        assert_eq!(verdict(&answer(layer, fixture.from(PROXY).extension(own)).await), INVALID);
        assert_eq!(verdict(&answer(layer, fixture.from(OUTSIDE).extension(own)).await), OK);
        for (other, value) in all.iter().filter(|(other, _)| other != field) {
            let request = fixture.from(PROXY).header(other.as_str(), value);
            assert_eq!(verdict(&answer(layer, request).await), INVALID);
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}
