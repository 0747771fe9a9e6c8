//! `tollgate keys`: the content of a key file.

use crate::support::{Folder, data, run};

const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

#[test]
fn one_line_a_key_in_the_order_of_the_file() {
    let folder = Folder::new();
    let small = r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#;
    let file = folder.write("jwks", format!(r#"{{"keys":[{small},{ED25519},{{"kty":"Unheard-of","kid":"\u202e"}}]}}"#));
    let keys = run(&["keys", &file], "");
    assert_eq!((keys.status, keys.stderr.as_str()), (0, ""));
    assert_eq!(
        keys.lines_without_detail(),
        [
            r#"{"kid":null,"kty":"RSA","usable":false,"reason":"rsa-modulus-too-small"}"#,
            r#"{"kid":"k1","kty":"OKP","algs":["EdDSA","Ed25519"],"usable":true}"#,
            r#"{"kid":"\u202e","kty":"Unheard-of","usable":false,"reason":"unsupported-key-type"}"#,
        ]
    );
}

#[test]
fn a_file_without_a_usable_key_is_exit_status_1() {
    let folder = Folder::new();
    let refused = run(&["keys", &folder.write("oct", r#"{"kty":"oct","k":"AQAB"}"#)], "");
    assert_eq!(refused.status, 1);
    assert_eq!(
        refused.lines(),
        [
            r#"{"kid":null,"kty":"oct","usable":false,"reason":"missing-algorithm","detail":"the member `alg` is missing: a key of this type needs it"}"#
        ]
    );
    let empty = run(&["keys", &folder.write("empty", r#"{"keys":[]}"#)], "");
    assert_eq!((empty.status, empty.stdout.as_str()), (1, ""));
}

#[test]
fn what_is_no_key_file_is_exit_status_2() {
    let folder = Folder::new();
    run(&["keys", &folder.write("text", "hello")], "").refused_with("give a JWK, a JWKS, PEM or DER");
    run(&["keys", &folder.path("absent")], "").refused_with(&folder.path("absent"));
    run(&["keys", &folder.path("")], "").refused_with("directory");
}

#[test]
fn pem_der_and_certificates_are_read() {
    for file in ["rsa.spki.pem", "rsa.spki.der", "rsa.pkcs1.pem", "rsa.pkcs1.der", "rsa.cert.pem", "rsa.cert.der"] {
        let keys = run(&["keys", &data(file)], "");
        assert_eq!(
            (keys.status, keys.lines()),
            (0, vec![r#"{"kid":null,"kty":"RSA","algs":["RS256"],"usable":true}"#]),
            "{file}"
        );
    }
    let keys = run(&["keys", &data("ec.cert.pem")], "");
    assert_eq!((keys.status, keys.lines()), (0, vec![r#"{"kid":null,"kty":"EC","algs":["ES256"],"usable":true}"#]));
}

#[cfg(unix)]
#[test]
fn a_key_file_may_be_a_pipe() {
    let keys = run(&["keys", "/dev/stdin"], ED25519);
    assert_eq!((keys.status, keys.lines().len()), (0, 1));
}
