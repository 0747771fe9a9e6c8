//! `tollgate key new`, `token new` and `api-key new`: their output and their records.

use std::fs;

use crate::support::{AUDIENCE, Folder, ISSUER, run, token};
use serde_json::{Value, json};

fn made(arguments: &[&str]) -> String {
    let made = run(arguments, "");
    assert_eq!((made.status, made.stderr.as_str()), (0, ""), "{arguments:?}");
    assert_eq!(made.stdout.lines().count(), 1, "{made:?}");
    made.stdout.trim_end().to_owned()
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[test]
fn key_new_prints_one_private_jwk() {
    for (algorithm, kty) in [("ES256", "EC"), ("ES384", "EC"), ("EdDSA", "OKP"), ("Ed25519", "OKP"), ("HS256", "oct")] {
        let key = parse(&made(&["key", "new", "--alg", algorithm, "--kid", "my key"]));
        assert_eq!((&key["alg"], &key["kty"], &key["kid"]), (&json!(algorithm), &json!(kty), &json!("my key")));
        assert!(key["d"].is_string() || key["k"].is_string());
    }
    let [one, other] = [(); 2].map(|()| parse(&made(&["key", "new", "--alg", "ES256"])));
    assert_ne!(one["d"], other["d"]);
    assert_eq!(one["kid"].as_str().unwrap().len(), 43, "the thumbprint");
}

#[test]
fn key_new_makes_rsa_keys() {
    let folder = Folder::new();
    for algorithm in ["RS256", "PS512"] {
        let key = folder.key(algorithm, algorithm);
        let verified = run(&["jws", "--key", &key], token(&key, &[]));
        assert_eq!((verified.status, &verified.answers()[0]["alg"]), (0, &json!(algorithm)));
    }
}

#[test]
fn key_new_says_what_it_cannot_make() {
    run(&["key", "new", "--alg", "ML-DSA-44"], "").refused_with("ML-DSA-44");
    run(&["key", "new", "--alg", "ES256", "--kid", ""], "").refused_with("kid");
    run(&["key", "new"], "").refused_with("--alg");
}

#[test]
fn token_new_says_what_was_asked_for() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let token = token(
        &key,
        &[
            "--audience",
            "second",
            "--subject",
            "user-7",
            "--client-id",
            "c1",
            "--scope",
            "a b",
            "--scope",
            "c",
            "--jti",
            "t1",
            "--typ",
            "at+jwt",
            "--lifetime",
            "10m",
            "--now",
            "1000",
            "--not-before",
            "900",
            "--claim",
            "tenant=\"acme\"",
            "--claim",
            "roles=[\"x\",1]",
        ],
    );
    let shown = &run(&["inspect"], token).answers()[0];
    assert_eq!(shown["header"], json!({"typ": "at+jwt", "alg": "ES256", "kid": "k1"}));
    assert_eq!(
        shown["payload"],
        json!({
            "iss": ISSUER, "sub": "user-7", "aud": [AUDIENCE, "second"], "client_id": "c1", "scope": "a b c", "jti": "t1",
            "iat": 1000, "exp": 1600, "nbf": 900, "tenant": "acme", "roles": ["x", 1]
        })
    );
}

#[test]
fn token_new_without_further_arguments_lives_an_hour_from_now() {
    let folder = Folder::new();
    let token = token(&folder.key("EdDSA", "k"), &[]);
    let shown = &run(&["inspect"], token).answers()[0];
    let (issued, expires) = (shown["payload"]["iat"].as_i64().unwrap(), shown["payload"]["exp"].as_i64().unwrap());
    assert_eq!(expires - issued, 3600);
    assert!(issued > 1_700_000_000);
    assert_eq!(shown["payload"]["jti"].as_str().unwrap().len(), 22);
    assert_eq!(shown["header"]["typ"], "JWT");
}

#[test]
fn a_token_may_live_longer_than_a_rotation() {
    let folder = Folder::new();
    let token = token(&folder.key("EdDSA", "k"), &["--lifetime", "400d", "--now", "0"]);
    assert_eq!(run(&["inspect"], token).answers()[0]["payload"]["exp"], 400 * 24 * 60 * 60);
}

#[test]
fn token_new_says_what_is_wrong() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k");
    let new = |further: &[&str]| run(&[&["token", "new", "--issuer", ISSUER], further].concat(), "");
    new(&[]).refused_with("--key");
    new(&["--key", &folder.path("absent")]).refused_with("No such file");
    new(&["--key", &folder.write("text", "hello")]).refused_with("--alg");
    new(&[
        "--key",
        &folder.write("public", r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#),
    ])
    .refused_with("lacks d");
    new(&["--key", &key, "--alg", "EdDSA"]).refused_with("EdDSA");
    new(&["--key", &key, "--claim", "tenant=acme"]).refused_with("a string needs its quotation marks");
    new(&["--key", &key, "--claim", "tenant"]).refused_with("NAME=JSON");
    new(&["--key", &key, "--claim", "sub=\"x\""]).refused_with("sub");
    new(&["--key", &key, "--claim", "a=1", "--claim", "a=2"]).refused_with("twice");
    new(&["--key", &key, "--scope", "a\"b"]).refused_with("scope");
    new(&["--key", &key, "--lifetime", "0"]).refused_with("lifetime");
    new(&["--key", &key, "--typ", "at+jwt"]).refused_with("needs");
    new(&["--key", &key, "--issuer", ""]).refused_with("");
}

#[test]
fn api_key_new_prints_the_secret_alone_and_keeps_its_digest_alone() {
    let folder = Folder::new();
    let file = folder.path("keys.jsonl");
    let secret = made(&[
        "api-key",
        "new",
        "--file",
        &file,
        "--subject",
        "user-7",
        "--scope",
        "a b",
        "--scope",
        "c",
        "--id",
        "key-1",
    ]);
    assert!(secret.starts_with("tg_live_2"), "{secret}");
    let kept = fs::read_to_string(&file).unwrap();
    assert!(!kept.contains(&secret[8..]), "{kept}");
    let digest = tollgate::jwt::base64url::encode(
        tollgate::apikeys::NativeKey::parse(secret.as_bytes()).unwrap().digest().as_bytes(),
    );
    let expected = json!({
        "digest": digest, "id": "key-1", "kind": "api-key", "subject": "user-7", "client_id": null, "scopes": ["a", "b", "c"],
        "not_before": null, "expires_at": null, "format": {"prefix": "tg", "env": "live"}
    });
    assert_eq!(parse(&kept), expected);
    assert!(kept.starts_with(r#"{"digest":""#) && kept.ends_with("}\n"), "{kept}");
}

#[test]
fn api_key_new_adds_lines() {
    let folder = Folder::new();
    let file = folder.path("keys.jsonl");
    made(&["api-key", "new", "--file", &file, "--subject", "a"]);
    // A file that was edited by hand and lacks the last line feed.
    let edited = fs::read_to_string(&file).unwrap().trim_end().to_owned();
    fs::write(&file, edited).unwrap();
    made(&[
        "api-key",
        "new",
        "--file",
        &file,
        "--kind",
        "client-secret",
        "--client-id",
        "c",
        "--prefix",
        "acme",
        "--env",
        "test",
    ]);
    let kept = fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = kept.lines().map(parse).collect();
    assert_eq!(lines.len(), 2, "{kept}");
    assert_eq!(
        (&lines[1]["kind"], &lines[1]["subject"], &lines[1]["client_id"]),
        (&json!("client-secret"), &json!("c"), &json!("c"))
    );
    assert_eq!(lines[1]["format"], json!({"prefix": "acme", "env": "test"}));
    assert_ne!(lines[0]["id"], lines[1]["id"]);
}

#[cfg(unix)]
#[test]
fn the_file_of_api_keys_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let file = folder.path("keys.jsonl");
    made(&["api-key", "new", "--file", &file, "--subject", "a"]);
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn without_a_file_the_record_goes_to_standard_error() {
    let folder = Folder::new();
    let run_new = run(&["api-key", "new", "--subject", "user-7"], "");
    assert_eq!((run_new.status, run_new.stdout.lines().count(), run_new.stderr.lines().count()), (0, 1, 1));
    assert!(!run_new.stderr.contains(run_new.stdout.trim_end()));
    let file = folder.write("keys.jsonl", run_new.stderr);
    assert_eq!(run(&["verify", "--api-keys", &file], run_new.stdout).status, 0);
}

#[test]
fn api_key_new_says_what_is_wrong() {
    let folder = Folder::new();
    let new = |further: &[&str]| run(&[&["api-key", "new"], further].concat(), "");
    new(&[]).refused_with("--subject");
    new(&["--kind", "client-secret", "--subject", "s"]).refused_with("--client-id");
    new(&["--client-id", "c"]).refused_with("subject");
    new(&["--subject", "s", "--prefix", "a_b"]).refused_with("--prefix");
    new(&["--subject", "s", "--expires-in", "soon"]).refused_with("90s");
    new(&["--subject", "s", "--scope", "a\"b"]).refused_with("scope");
    let absent = folder.path("absent/keys.jsonl");
    new(&["--subject", "s", "--file", &absent]).refused_with(&absent);
}
