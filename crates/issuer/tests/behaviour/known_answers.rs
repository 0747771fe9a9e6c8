//! The worked examples of RFC 7515 appendix A and RFC 8037 appendix A.

use crate::support::*;
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;
use tollgate_keys::Algorithm;

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn sign(key: &SigningKey, signing_input: &str) -> String {
    base64url::encode(key.sign(signing_input.as_bytes()).unwrap())
}

#[test]
fn rfc7515_a1_hs256() {
    let key = SigningKey::from_jwk(HMAC_JWK).unwrap();
    assert_eq!(
        sign(&key, &format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}")),
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
}

#[test]
fn rfc7515_a2_rs256() {
    let expected = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5ju\
        jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383\
        LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0\
        igcN_IoypGlUPQGe77Rw";
    let from_jwk = SigningKey::from_jwk(RSA_JWK).unwrap();
    let from_pem = SigningKey::from_pkcs8_pem(Algorithm::RS256, RSA_PEM).unwrap();
    assert_eq!(from_jwk.algorithm(), Algorithm::RS256);
    for key in [from_jwk, from_pem] {
        assert_eq!(sign(&key, &format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}")), expected);
    }
}

#[test]
fn rfc7515_a3_es256() {
    // Every ECDSA signature is different: the example's signature verifies under the key, and so does a new one.
    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = Vec::new();
    base64url::decode(signature, &mut bytes).unwrap();
    let key = SigningKey::from_jwk(EC_JWK).unwrap();
    assert_eq!(key.algorithm(), Algorithm::ES256);
    assert!(key.verifying_key().verify(signing_input.as_bytes(), &bytes).is_ok());
    let own = key.sign(signing_input.as_bytes()).unwrap();
    assert_eq!(own.len(), 64);
    assert!(key.verifying_key().verify(signing_input.as_bytes(), &own).is_ok());
}

#[test]
fn rfc8037_a3_thumbprint_is_the_default_kid() {
    let key = SigningKey::from_jwk(ED25519_JWK).unwrap();
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn rfc8037_a4_eddsa() {
    let key = SigningKey::from_jwk(ED25519_JWK).unwrap();
    assert_eq!(key.algorithm(), Algorithm::EdDSA);
    assert_eq!(
        sign(&key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}
