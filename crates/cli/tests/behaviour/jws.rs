//! `tollgate jws`: signatures only, under every kind of key file.

use crate::support::{Folder, data, data_text, run, token};

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7515 appendix A.1.1.
const A1_SECRET: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
const A1_SIGNATURE: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// RFC 7515 appendix A.2.1.
const A2_MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const A2_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/// RFC 7515 appendix A.3.1, the private key.
const A3_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const A3_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn a1_key() -> String {
    format!(r#"{{"kty":"oct","k":"{A1_SECRET}"}}"#)
}

fn a1_token() -> String {
    format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.{A1_SIGNATURE}")
}

fn a2_key() -> String {
    format!(r#"{{"kty":"RSA","n":"{A2_MODULUS}","e":"AQAB"}}"#)
}

fn a2_token() -> String {
    format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.{A2_SIGNATURE}")
}

fn a3_token() -> String {
    format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{A3_SIGNATURE}")
}

fn accepted(alg: &str, kid: &str) -> String {
    format!(r#"{{"ok":true,"alg":"{alg}","kid":{kid},"payload":"{PAYLOAD}"}}"#)
}

fn rejected(error: &str) -> String {
    format!(r#"{{"ok":false,"error":"{error}"}}"#)
}

#[test]
fn rfc_7515_examples_verify() {
    let folder = Folder::new();
    let a1 = folder.write("a1", a1_key());
    let a2 = folder.write("a2", a2_key());
    let a3 = folder.write("a3", A3_KEY);
    for (key, alg, token) in [(&a1, "HS256", a1_token()), (&a2, "RS256", a2_token()), (&a3, "ES256", a3_token())] {
        let verified = run(&["jws", "--key", key, "--alg", alg], &token);
        assert_eq!((verified.status, verified.stdout), (0, accepted(alg, "null") + "\n"), "{alg}");
    }
    // The example has a line break in its header.
    let all = run(&["jws", "--key", &a2, "--key", &a3], [a2_token(), a3_token(), a1_token()].join("\n"));
    assert_eq!(
        all.lines_without_detail(),
        [accepted("RS256", "null"), accepted("ES256", "null"), rejected("unknown-key")]
    );
    assert_eq!(all.status, 1);
}

#[test]
fn a_changed_token_is_rejected() {
    let folder = Folder::new();
    let key = folder.write("a3", A3_KEY);
    let token = a3_token();
    let payload_changed = token.replacen(".eyJpc3Mi", ".eyJpc3Ni", 1);
    let signature_changed = token.replacen(".DtEh", ".DtEi", 1);
    let verified = run(&["jws", "--key", &key], [payload_changed, signature_changed].join("\n"));
    assert_eq!((verified.status, verified.lines_without_detail()), (1, vec![rejected("bad-signature"); 2]));
}

#[test]
fn every_kind_of_key_file_is_read() {
    let token = data_text("rsa.rs256.jws");
    for file in ["rsa.spki.pem", "rsa.spki.der", "rsa.pkcs1.pem", "rsa.pkcs1.der", "rsa.cert.pem", "rsa.cert.der"] {
        let verified = run(&["jws", "--key", &data(file)], &token);
        assert_eq!(
            (verified.status, verified.answers()[0]["alg"].as_str()),
            (0, Some("RS256")),
            "{file}: {verified:?}"
        );
        assert_eq!(verified.answers()[0]["payload"], "YW55IHBheWxvYWQ", "{file}");
    }
    for file in ["ec.spki.pem", "ec.cert.pem"] {
        assert_eq!(run(&["jws", "--key", &data(file)], data_text("ec.es256.jws")).status, 0, "{file}");
    }
    assert_eq!(run(&["jws", "--key", &data("ed25519.spki.pem")], data_text("ed25519.eddsa.jws")).status, 0);

    let folder = Folder::new();
    let jwks = folder.write("jwks", format!(r#"{{"keys":[{A3_KEY},{}]}}"#, a2_key()));
    assert_eq!(run(&["jws", "--key", &jwks], [a3_token(), a2_token()].join("\n")).status, 0);
}

#[test]
fn the_algorithm_is_that_of_the_key_never_that_of_the_header() {
    let folder = Folder::new();
    // A public key in PEM is never used as a secret, whatever `--alg` says.
    let as_secret = run(&["jws", "--key", &data("rsa.spki.pem"), "--alg", "HS256"], a1_token());
    assert_eq!(as_secret.lines_without_detail(), [rejected("no-usable-key")]);
    let verified = run(&["jws", "--key", &data("rsa.spki.pem")], [a1_token(), a3_token()].join("\n"));
    assert_eq!(verified.lines_without_detail(), [rejected("unknown-key"), rejected("unknown-key")]);
    let kid = folder.write("kid", A3_KEY.replacen('{', r#"{"kid":"k1","#, 1));
    let header = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0";
    let verified = run(&["jws", "--key", &kid], format!("{header}.{PAYLOAD}.{A2_SIGNATURE}"));
    assert_eq!(verified.lines_without_detail(), [rejected("algorithm-mismatch")]);
}

#[test]
fn none_is_never_an_algorithm() {
    for header in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIn0", "eyJhbGciOiIifQ"] {
        let verified =
            run(&["jws", "--key", &data("ec.spki.pem")], format!("{header}.{PAYLOAD}.\n{header}.{PAYLOAD}.AAAA"));
        assert_eq!(
            verified.lines_without_detail(),
            [rejected("algorithm-not-allowed"), rejected("algorithm-not-allowed")]
        );
    }
}

#[test]
fn an_rsa_key_without_alg_is_for_rs256_unless_told_otherwise() {
    let (rs256, ps384) = (data_text("rsa.rs256.jws"), data_text("rsa.ps384.jws"));
    let input = format!("{rs256}\n{ps384}\n");
    let errors = |further: &[&str]| run(&[&["jws", "--key", &data("rsa.spki.pem")], further].concat(), &input).errors();
    let not_allowed = Some("algorithm-not-allowed".to_owned());
    assert_eq!(errors(&[]), [None, Some("unknown-key".to_owned())]);
    assert_eq!(errors(&["--alg", "PS384"]), [not_allowed.clone(), None]);
    assert_eq!(errors(&["--alg", "RS256", "--alg", "PS384"]), [None, None]);
    let no_key = Some("no-usable-key".to_owned());
    assert_eq!(errors(&["--alg", "ES256"]), [no_key.clone(), no_key]);
}

#[test]
fn alg_limits_what_keys_say_themselves() {
    let verified = run(&["jws", "--key", &data("ec.spki.pem"), "--alg", "EdDSA"], data_text("ec.es256.jws"));
    assert_eq!((verified.status, verified.lines_without_detail()), (1, vec![rejected("algorithm-not-allowed")]));
}

#[test]
fn an_oct_key_needs_an_alg_of_its_own_or_on_the_command_line() {
    let folder = Folder::new();
    let bare = folder.write("bare", a1_key());
    let token = a1_token();
    assert_eq!(run(&["jws", "--key", &bare], &token).lines_without_detail(), [rejected("no-usable-key")]);
    assert_eq!(
        run(&["jws", "--key", &bare, "--alg", "RS256"], &token).lines_without_detail(),
        [rejected("no-usable-key")]
    );
    assert_eq!(run(&["jws", "--key", &bare, "--alg", "HS256"], &token).status, 0);
    assert_eq!(run(&["jws", "--key", &bare, "--alg", "HS512", "--alg", "HS256"], &token).status, 0);
    let named = folder.write("named", a1_key().replacen('{', r#"{"kid":"s","alg":"HS256","#, 1));
    assert_eq!(run(&["jws", "--key", &named], &token).lines(), [accepted("HS256", r#""s""#)]);
    // A key's own `alg` takes precedence.
    assert_eq!(
        run(&["jws", "--key", &named, "--alg", "HS512"], &token).lines_without_detail(),
        [rejected("algorithm-not-allowed")]
    );
}

#[test]
fn a_private_jwk_verifies_by_its_public_part() {
    let folder = Folder::new();
    for (algorithm, kid) in
        [("ES256", "a"), ("ES384", "b"), ("EdDSA", "c"), ("Ed25519", "d"), ("HS256", "e"), ("HS512", "f")]
    {
        let key = folder.key(algorithm, kid);
        let verified = run(&["jws", "--key", &key], token(&key, &[]));
        let answer = &verified.answers()[0];
        assert_eq!((verified.status, answer["alg"].as_str(), answer["kid"].as_str()), (0, Some(algorithm), Some(kid)));
    }
}

#[test]
fn without_a_usable_key_every_line_is_rejected() {
    let folder = Folder::new();
    let small = folder.write("small", r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"Unheard-of"}]}"#);
    let input = format!("{}\n\n\"\n{}\n", a2_token(), "a".repeat(2 * 1024 * 1024));
    for format in ["lines", "json"] {
        let verified = run(&["jws", "--key", &small, "--input", format], &input);
        assert_eq!((verified.status, verified.lines_without_detail()), (1, vec![rejected("no-usable-key"); 4]));
    }
    let empty = folder.write("empty", r#"{"keys":[]}"#);
    assert_eq!(run(&["jws", "--key", &empty], "").status, 0);
    let both = run(&["jws", "--key", &small, "--key", &folder.write("a3", A3_KEY)], a3_token());
    assert_eq!(both.status, 0);
}

#[test]
fn what_is_no_key_file_is_exit_status_2() {
    let folder = Folder::new();
    let text = folder.write("text", "hello");
    for content in
        ["hello", "", "{", "{}", "[]", "{\"keys\":1}", "-----BEGIN", "{\"kty\":\"EC\",\"\\u006bty\":\"oct\"}"]
    {
        let file = folder.write("file", content);
        let refused = run(&["jws", "--key", &file], a3_token());
        refused.refused_with(&file);
    }
    let good = folder.write("a3", A3_KEY);
    run(&["jws", "--key", &good, "--key", &text], a3_token()).refused_with(&text);
    run(&["jws", "--key", &folder.path("absent")], "").refused_with("No such file");
    run(&["jws", "--key", &folder.write("large", " ".repeat(2 * 1024 * 1024))], "").refused_with("at most 1048576");
}

#[test]
fn the_payload_may_be_anything_and_claims_are_not_read() {
    let folder = Folder::new();
    let key = folder.key("EdDSA", "k");
    // Long expired.
    let expired = token(&key, &["--now", "1000"]);
    assert_eq!(run(&["jws", "--key", &key], expired).status, 0);
}
