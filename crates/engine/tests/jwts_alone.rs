//! An engine for JWTs, with or without the feature `apikeys`. These tests cover the build without it.

#![forbid(unsafe_code)]

use ring::hmac;
use tollgate::jwt::base64url;
use tollgate::keys::HmacKey;
use tollgate::keys::VerifyingKey;
use tollgate::{Algorithm, BuildError, Engine, Issuer, KeySet, PrincipalKind, Rejection, Revocation, Revocations};

const ISSUER: &str = "https://as.example";
const SECRET: &[u8] = b"a secret of thirty-two bytes, or more of them";
const NOW: i64 = 1_763_800_000;

fn token(claims: &str) -> String {
    let signed = format!("{}.{}", base64url::encode(r#"{"alg":"HS256","kid":"k1"}"#), base64url::encode(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed.as_bytes());
    format!("{signed}.{}", base64url::encode(signature))
}

fn engine(revocations: &Revocations) -> Engine {
    let key = VerifyingKey::hmac(HmacKey::new(Algorithm::HS256, SECRET).unwrap(), Some("k1")).unwrap();
    let issuer = Issuer::new(ISSUER).audience("api").keys(KeySet::builder().key(key).build().unwrap());
    Engine::builder().issuer(issuer).revocations(revocations.clone()).build().unwrap()
}

#[test]
fn jwts_are_verified_cached_and_revoked() {
    let revocations = Revocations::new();
    let engine = engine(&revocations);
    let good = token(r#"{"iss":"https://as.example","aud":"api","sub":"u","exp":1763800600,"scope":"a b"}"#);
    for header in [good.clone(), format!("Bearer {good}"), good.clone()] {
        let principal = engine.verify_at(header, NOW).unwrap();
        assert_eq!((principal.kind(), principal.subject()), (PrincipalKind::Jwt, Some("u")));
        assert!(principal.require_scope("a").is_ok() && principal.key_record().is_none());
    }
    assert_eq!(engine.verify_at(&good, NOW + 700).unwrap_err().code(), "expired");
    for (claims, code) in [
        (r#"{"iss":"https://as.example","aud":"other","exp":1763800600}"#, "wrong-audience"),
        (r#"{"iss":"https://other.example","aud":"api","exp":1763800600}"#, "unknown-issuer"),
        (r#"{"iss":"https://as.example","aud":"api"}"#, "missing-claim"),
    ] {
        assert_eq!(engine.verify_at(token(claims), NOW).unwrap_err().code(), code);
    }
    let mut forged = good.clone();
    forged.replace_range(
        good.len() - 10..good.len() - 9,
        if good.as_bytes()[good.len() - 10] == b'A' { "B" } else { "A" },
    );
    assert_eq!(engine.verify_at(forged, NOW).unwrap_err(), Rejection::BadSignature);
    revocations.revoke(&Revocation::subject(ISSUER, "u"));
    assert_eq!(engine.verify_at(&good, NOW).unwrap_err(), Rejection::Revoked);
}

#[test]
fn keys_and_clients_are_not_accepted() {
    let engine = engine(&Revocations::new());
    for header in ["tg_live_2abcdef", "Bearer tg_live_2abcdef", "Bearer opaque-token-of-somebody", "Basic YTpi"] {
        assert_eq!(engine.verify(header).unwrap_err().code(), "credential-not-accepted", "{header}");
    }
    assert_eq!(engine.verify_api_key("tg_live_2abcdef").unwrap_err().code(), "credential-not-accepted");
    assert_eq!(engine.verify_client("id", "secret").unwrap_err().code(), "credential-not-accepted");
    assert_eq!(Engine::builder().build().unwrap_err(), BuildError::NothingToAccept);
}
