//! JWK thumbprints with published answers (RFC 7638).

use tollgate_jwt::base64url;
use tollgate_keys::{Algorithm, HmacKey, KeySet, PublicKey, VerifyingKey};

#[test]
fn rsa_thumbprint_of_rfc_7638_section_3_1() {
    let jwk = br#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    assert_eq!(thumbprint(jwk), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn ed25519_thumbprint_of_rfc_8037_appendix_a_3() {
    let jwk = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert_eq!(thumbprint(jwk), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn dpop_key_thumbprint_of_rfc_9449_section_6_1() {
    let jwk = br#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
    assert_eq!(thumbprint(jwk), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn leading_zeros_of_an_rsa_key_do_not_count() {
    let (modulus, exponent) = ([0xc5; 256], [1, 0, 1]);
    let plain = PublicKey::rsa(&modulus, &exponent).unwrap();
    let padded = PublicKey::rsa(&[&[0], &modulus[..]].concat(), &[0, 0, 1, 0, 1]).unwrap();
    assert_eq!(plain.thumbprint(), padded.thumbprint());
}

#[test]
fn secrets_have_thumbprints_that_tell_them_apart() {
    let key = |secret: &[u8]| VerifyingKey::hmac(HmacKey::new(Algorithm::HS256, secret).unwrap(), None).unwrap();
    let (a, b) = (key(&[1; 32]), key(&[2; 32]));
    assert_ne!(a.thumbprint(), b.thumbprint());
    assert!(!format!("{a:?}").contains(&base64url::encode(a.thumbprint())), "{a:?}");
}

fn thumbprint(jwk: &[u8]) -> String {
    let loaded = KeySet::builder().jwk(jwk).unwrap().build_with_reports();
    base64url::encode(loaded.set.iter().next().unwrap().thumbprint())
}
