//! Tokens that are bound to a client certificate (RFC 8705), and the fields in which proxies pass one on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tollgate::jwt::base64url;
use tollgate::keys::sha256;
use tollgate::{
    Algorithm, CacheConfig, CertificateField, Engine, KeyRing, Rejection, Request, Revocation, Revocations,
};
use tollgate_issuer::SigningKey;
use tollgate_keys::test_hooks::signature_checks;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, cold_engine, engine, issuer, key_set, signing_key};

/// RFC 8705, appendix A, figures 5 and 6.
const CERTIFICATE: &str = "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENM\
    AsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH\
    6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=";
const THUMBPRINT: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";

fn certificate() -> Vec<u8> {
    STANDARD.decode(CERTIFICATE).unwrap()
}

fn bound(key: &SigningKey) -> String {
    Draft::new(key).claim("cnf", json!({ "x5t#S256": THUMBPRINT })).sign(key)
}

fn code(engine: &Engine, request: Request<'_>) -> Result<(), &'static str> {
    engine.verify_request_at(&request, NOW).map(drop).map_err(|rejection| rejection.code())
}

#[test]
fn a52_a_bound_token_is_accepted_with_its_certificate_alone() {
    let key = signing_key(Algorithm::ES256, 0);
    let (token, der) = (bound(&key), certificate());
    let (digest, header) = (sha256(&der), format!("Bearer {token}"));
    let (other, nothing) = (&der[..der.len() - 1], b"");
    for engine in [cold_engine([&key]), engine([&key])] {
        // Cold, from the shared table and from the thread's own: the certificate is checked each time.
        for _ in 0..5 {
            for value in [&token, &header] {
                let request = Request::new().authorization(value);
                assert_eq!(code(&engine, request.certificate(&der)), Ok(()));
                assert_eq!(code(&engine, request.certificate_digest(digest)), Ok(()));
                assert_eq!(code(&engine, request), Err("certificate-required"));
                assert_eq!(code(&engine, request.certificate(other)), Err("wrong-certificate"));
                assert_eq!(code(&engine, request.certificate(nothing)), Err("wrong-certificate"));
                assert_eq!(code(&engine, request.certificate(&digest)), Err("wrong-certificate"));
                assert_eq!(code(&engine, request.certificate_digest([0; 32])), Err("wrong-certificate"));
            }
        }
    }
}

#[test]
fn a52_a_cache_hit_asks_for_the_certificate_and_for_no_signature() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = engine([&key]);
    let (token, der) = (bound(&key), certificate());
    let request = Request::new().authorization(&token);
    // Without the certificate, not even the token's signature is checked.
    let before = signature_checks();
    assert_eq!(code(&engine, request), Err("certificate-required"));
    assert_eq!(signature_checks(), before);
    assert_eq!(code(&engine, request.certificate(&der)), Ok(()));
    assert_eq!(signature_checks(), before + 1);
    for _ in 0..4 {
        assert_eq!(code(&engine, request.certificate(&der)), Ok(()));
        assert_eq!(code(&engine, request.certificate(b"other")), Err("wrong-certificate"));
        assert_eq!(code(&engine, request), Err("certificate-required"));
    }
    assert_eq!(signature_checks(), before + 1);
    let statistics = engine.cache_statistics().unwrap();
    assert!(statistics.front_hits > 0 && statistics.back_hits > 0);
}

#[test]
fn a52_a_certificate_makes_nothing_else_of_a_token_good() {
    let key = signing_key(Algorithm::ES256, 0);
    let (revocations, ring) = (Revocations::new(), KeyRing::new(key_set([&key])));
    let issuer = tollgate::Issuer::new(ISSUER).audience(AUDIENCE).keys(ring.clone());
    let engine = Engine::builder().issuer(issuer).revocations(revocations.clone()).build().unwrap();
    let (token, der) = (bound(&key), certificate());
    let request = Request::new().authorization(&token).certificate(&der);
    assert_eq!(code(&engine, request), Ok(()));
    assert_eq!(engine.verify_request_at(&request, NOW + 10_000).unwrap_err().code(), "expired");
    revocations.revoke(&Revocation::token(ISSUER, "token-1"));
    assert_eq!(code(&engine, request), Err("revoked"));
    let forged = format!("{}.{}", token.rsplit_once('.').unwrap().0, base64url::encode([1; 64]));
    assert_eq!(code(&engine, Request::new().authorization(&forged).certificate(&der)), Err("bad-signature"));
    ring.replace(key_set([]));
    assert_eq!(code(&engine, request), Err("unknown-key"));
}

#[test]
fn a52_a_token_without_cnf_needs_no_certificate_and_minds_none() {
    let key = signing_key(Algorithm::ES256, 0);
    let (engine, token) = (engine([&key]), Draft::new(&key).sign(&key));
    let request = Request::new().authorization(&token);
    for _ in 0..3 {
        assert_eq!(code(&engine, request), Ok(()));
        assert_eq!(code(&engine, request.certificate(b"any")), Ok(()));
    }
}

#[test]
fn a52_each_field_names_the_certificate_in_its_own_form() {
    let der = certificate();
    let digest = sha256(&der);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let (client_cert, envoy, nginx) =
        (CertificateField::ClientCert, CertificateField::XForwardedClientCert, CertificateField::XSslClientCert);
    let lines: Vec<_> = CERTIFICATE.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    let escaped =
        pem.replace('\n', "%0A").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace(' ', "%20");
    let good = [
        (client_cert, format!(":{CERTIFICATE}:")),
        (client_cert, format!(" :{CERTIFICATE}:\t")),
        (envoy, format!("Hash={hex}")),
        (envoy, format!("By=spiffe://a;Hash={}", hex.to_uppercase())),
        (envoy, format!("By=spiffe://a;Hash={};Subject=\"CN=a, O=b;c\",By=x;hash={hex}", "00".repeat(32))),
        (envoy, format!("Hash={},Hash={hex};Subject=\"CN=x,Hash={}\"", "00".repeat(32), "11".repeat(32))),
        (nginx, escaped.clone()),
    ];
    for (field, value) in &good {
        assert_eq!(field.digest([value.as_bytes()]), Ok(Some(digest)), "{value}");
        // A field that is present twice is rejected, whichever of the two is the client's own.
        assert_eq!(field.digest([value.as_bytes(), b""]), Err(Rejection::MultipleCertificates));
        assert_eq!(field.digest([value.as_bytes(), value.as_bytes()]), Err(Rejection::MultipleCertificates));
    }
    for field in [client_cert, envoy, nginx] {
        assert_eq!(field.digest::<[u8]>([]), Ok(None));
        assert_eq!(field.digest([""]), Ok(None));
        assert_eq!(CertificateField::from_name(field.as_str()), Some(field));
        // The form of another field is malformed.
        for (other, value) in good.iter().filter(|(other, _)| *other != field) {
            let malformed = Err(Rejection::MalformedCertificate { field });
            assert_eq!(field.digest([value.as_bytes()]), malformed, "{} {}", field.as_str(), other.as_str());
        }
    }
    assert_eq!(CertificateField::from_name("client-cert-chain"), None);
}

/// RFC 9440 section 2.3.
#[test]
fn a52_the_certificates_between_are_a_list_of_byte_sequences_and_nothing_else() {
    use tollgate::limits::{MAX_CERTIFICATE_FIELD_BYTES, MAX_CHAIN_CERTIFICATES};
    let field = CertificateField::ClientCert;
    assert_eq!(field.chain_name(), Some("client-cert-chain"));
    let chain = |lines: &[&str]| field.chain(lines.iter().copied());
    let (one, two) = (vec![b'1'; 3], vec![b'2'; 3]);
    let both = vec![one.clone(), two];
    for lines in [&[":MTEx:, :MjIy:"][..], &[":MTEx:,:MjIy:"], &[":MTEx:", " :MjIy: "], &["", ":MTEx: ,\t:MjIy:"]] {
        assert_eq!(chain(lines).unwrap(), both, "{lines:?}");
    }
    assert_eq!((chain(&[]).unwrap(), chain(&["", " "]).unwrap()), (Vec::new(), Vec::new()));
    let most = [":MTEx:"; MAX_CHAIN_CERTIFICATES].join(",");
    assert_eq!(chain(&[&most]).unwrap(), vec![one; MAX_CHAIN_CERTIFICATES]);
    let long = format!(":{}:", STANDARD.encode(vec![0; MAX_CERTIFICATE_FIELD_BYTES / 8 * 3]));
    let more = format!("{most},:MTEx:");
    for lines in [
        &[":MTEx:,"][..],
        &[",:MTEx:"],
        &[":MTEx:;a=1"],
        &["MTEx"],
        &["::"],
        &[":MTEx"],
        &[more.as_str()],
        &[long.as_str(), long.as_str()],
    ] {
        assert_eq!(chain(lines).unwrap_err().code(), "malformed-certificate", "{lines:?}");
    }
    for other in [CertificateField::XForwardedClientCert, CertificateField::XSslClientCert] {
        assert_eq!(other.chain_name(), None);
    }
}

#[test]
fn a_field_with_the_whole_certificate_gives_its_der() {
    let der = certificate();
    let of_rfc_9440 = format!(":{}:", STANDARD.encode(&der));
    assert_eq!(CertificateField::ClientCert.der([of_rfc_9440.as_str()]), Ok(Some(der)));
    assert_eq!(CertificateField::ClientCert.der([""; 0]), Ok(None));
    let twice = CertificateField::ClientCert.der([of_rfc_9440.as_str(), of_rfc_9440.as_str()]);
    assert_eq!(twice, Err(Rejection::MultipleCertificates));
    let hash = format!("Hash={}", "0a".repeat(32));
    assert_eq!(CertificateField::XForwardedClientCert.der([hash.as_str()]), Ok(None));
}

#[test]
fn a52_a_field_in_any_other_form_is_a_rejection() {
    let zeros = "00".repeat(32);
    let bad = [
        (CertificateField::ClientCert, CERTIFICATE.to_owned()),
        (CertificateField::ClientCert, format!(":{CERTIFICATE}")),
        (CertificateField::ClientCert, format!(":{CERTIFICATE}:, :{CERTIFICATE}:")),
        (CertificateField::ClientCert, format!(":{CERTIFICATE}:;a=1")),
        (CertificateField::ClientCert, ":".to_owned()),
        (CertificateField::ClientCert, "::".to_owned()),
        (CertificateField::ClientCert, format!(":{}:", CERTIFICATE.replace('=', ""))),
        (CertificateField::ClientCert, format!(":{}:", "A".repeat(20_000))),
        (CertificateField::XForwardedClientCert, zeros.clone()),
        (CertificateField::XForwardedClientCert, format!("Hash={zeros},")),
        (CertificateField::XForwardedClientCert, format!("Hash={zeros},By=x")),
        (CertificateField::XForwardedClientCert, format!("Hash={zeros};Hash={zeros}")),
        (CertificateField::XForwardedClientCert, format!("Hash={}", &zeros[2..])),
        (CertificateField::XForwardedClientCert, format!("Hash={zeros}00")),
        (CertificateField::XForwardedClientCert, format!("Hash={}é", &zeros[2..])),
        (CertificateField::XForwardedClientCert, format!("Hash={zeros};Subject=\"CN=a")),
        // A subject with quotes in it, as Envoy writes it, which imitates a whole element.
        (
            CertificateField::XForwardedClientCert,
            format!(r#"Hash={zeros};Subject="CN=x\\",Hash={zeros};Subject="\\"""#),
        ),
        (CertificateField::XSslClientCert, "-----BEGIN CERTIFICATE-----%0A-----END CERTIFICATE-----".to_owned()),
        (CertificateField::XSslClientCert, "-----BEGIN CERTIFICATE-----%0AAAAA".to_owned()),
        (CertificateField::XSslClientCert, "-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----".to_owned()),
        (CertificateField::XSslClientCert, "-----BEGIN CERTIFICATE-----AA%-----END CERTIFICATE-----".to_owned()),
        (CertificateField::XSslClientCert, "%".to_owned()),
        (CertificateField::XSslClientCert, "(null)".to_owned()),
    ];
    for (field, value) in bad {
        let rejection = field.digest([value.as_bytes()]).unwrap_err();
        assert_eq!(rejection, Rejection::MalformedCertificate { field }, "{value}");
        assert_eq!((rejection.status(), rejection.code()), (400, "malformed-certificate"));
        assert!(!rejection.to_string().contains(&value));
    }
}

#[test]
fn a_bound_token_is_kept_in_caches_of_every_size() {
    let key = signing_key(Algorithm::ES256, 0);
    let der = certificate();
    let small = CacheConfig { per_thread_slots: 1, ..CacheConfig::default() };
    let engine = Engine::builder().issuer(issuer([&key])).cache(small).build().unwrap();
    let tokens: Vec<_> = (0..20)
        .map(|n| {
            Draft::new(&key).claim("jti", n.to_string()).claim("cnf", json!({ "x5t#S256": THUMBPRINT })).sign(&key)
        })
        .collect();
    for token in tokens.iter().chain(&tokens).chain(&tokens) {
        let principal = engine.verify_request_at(&Request::new().authorization(token).certificate(&der), NOW).unwrap();
        assert_eq!(principal.audience().collect::<Vec<_>>(), [AUDIENCE]);
        assert_eq!(principal.scopes().iter().count(), 2);
        assert_eq!(code(&engine, Request::new().authorization(token)), Err("certificate-required"));
    }
}
