//! `tollgate explain`: one credential, step by step.

use std::fs;

use serde_json::{Value, json};

use crate::support::{AUDIENCE, Folder, ISSUER, Run, run, token};

/// The answers of `verify` and of `explain` for the same credential.
fn both(options: &[&str], credential: &str) -> (Value, Value, Run) {
    let verified = run(&[&["verify", "--input", "json"], options].concat(), json!(credential).to_string());
    let explained = run(&[&["explain", "--json"], options].concat(), credential);
    assert_eq!((explained.stderr.as_str(), explained.lines().len()), ("", 1), "{explained:?}");
    assert_eq!(explained.status, verified.status, "{explained:?}");
    (verified.answers().remove(0), explained.answers().remove(0), explained)
}

fn steps(explained: &Value) -> Vec<(&str, &str)> {
    let steps = explained["steps"].as_array().unwrap();
    steps.iter().map(|step| (step["step"].as_str().unwrap(), step["outcome"].as_str().unwrap())).collect()
}

fn detail<'a>(explained: &'a Value, name: &str) -> &'a str {
    let steps = explained["steps"].as_array().unwrap();
    steps.iter().find(|step| step["step"] == name).unwrap_or_else(|| panic!("{name}: {explained}"))["detail"]
        .as_str()
        .unwrap()
}

/// The issuer of the tests, whose keys are those of `key`.
fn options(key: &str) -> Vec<&str> {
    vec!["--issuer", ISSUER, "--audience", AUDIENCE, "--jwks", key, "--now", "2000"]
}

fn at_1000(key: &str, further: &[&str]) -> String {
    token(key, &[&["--now", "1000", "--subject", "s"], further].concat())
}

#[test]
fn the_verdict_is_that_of_verify_and_the_last_step_is_the_one_that_fails() {
    let folder = Folder::new();
    let (key, other) = (folder.key("ES256", "k1"), folder.key("ES256", "k2"));
    let good = at_1000(&key, &[]);
    let of = |issuer: &str, audience: &str| {
        let made =
            run(&["token", "new", "--key", &key, "--issuer", issuer, "--audience", audience, "--now", "1000"], "");
        made.stdout.trim_end().to_owned()
    };
    let (start, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{start}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
    let cases = [
        (format!("Bearer {good}"), None),
        (good.clone(), None),
        (String::new(), Some("credential")),
        ("Bearer".to_owned(), Some("credential")),
        (format!("Token {good}"), Some("credential")),
        ("Basic dTpw".to_owned(), Some("accepted")),
        ("an-api-key".to_owned(), Some("accepted")),
        ("Bearer opaque".to_owned(), Some("accepted")),
        (format!("DPoP {good}"), Some("binding")),
        (format!("Bearer {good},Bearer {good}"), Some("credential")),
        (format!("Bearer {good}.x"), Some("parts")),
        (format!("Bearer ey{good}"), Some("header")),
        (format!("Bearer {}", good.replacen('.', ".e", 1)), Some("payload")),
        (format!("Bearer {}", &good[..good.len() - 4]), Some("signature")),
        (format!("Bearer {forged}"), Some("signature")),
        (of("https://as.example/", AUDIENCE), Some("issuer")),
        (of("https://other.example", AUDIENCE), Some("issuer")),
        (of(ISSUER, "https://other.example"), Some("aud")),
        (at_1000(&key, &["--typ", "logout+jwt"]), Some("typ")),
        (at_1000(&key, &["--lifetime", "1"]), Some("exp")),
        (token(&key, &["--now", "9000"]), None),
        (at_1000(&other, &[]), Some("key")),
    ];
    for (credential, failing) in cases {
        let (verified, mut explained, _) = both(&options(&key), &credential);
        let told = steps(&explained);
        let failed: Vec<&str> =
            told.iter().filter(|(_, outcome)| *outcome == "failed").map(|(name, _)| *name).collect();
        assert_eq!(failed, failing.into_iter().collect::<Vec<_>>(), "{credential}: {explained}");
        assert!(failing.is_none() || told.last().unwrap().1 == "failed", "{explained}");
        // All members of verify's answer, with the same values, and two more.
        let members = explained.as_object_mut().unwrap();
        members.remove("steps");
        assert_eq!(members.remove("advice").is_some(), failing.is_some(), "{verified}");
        assert_eq!(explained, verified, "{credential}");
    }
}

#[test]
fn each_step_says_what_is_compared_with_what() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let (_, explained, _) = both(&options(&key), &at_1000(&key, &["--scope", "r w", "--jti", "t1"]));
    assert_eq!(detail(&explained, "header"), r#"alg "ES256", typ "JWT", kid "k1""#);
    assert_eq!(detail(&explained, "issuer"), r#"iss is "https://as.example", which is configured"#);
    assert_eq!(detail(&explained, "aud"), r#"is "https://api.example"; expected: "https://api.example""#);
    assert_eq!(detail(&explained, "exp"), "expires at 4600 (1970-01-01T01:16:40Z), in 43 min 20 s; 60 s of leeway");
    assert_eq!(
        detail(&explained, "key"),
        r#"the key "k1" for ES256: kid "k1" names it; the issuer's keys: "k1" (ES256)"#
    );
    assert_eq!(detail(&explained, "revocations"), "looked up by iss, subject, jti, and by when it was issued");

    let slash = run(&["token", "new", "--key", &key, "--issuer", "https://as.example/", "--audience", "a"], "").stdout;
    let (_, explained, _) = both(&options(&key), slash.trim_end());
    assert_eq!(
        detail(&explained, "issuer"),
        r#"the issuer "https://as.example/" is not configured; "https://as.example" is configured, and names are compared byte for byte"#
    );
}

#[test]
fn what_is_pasted_may_be_a_header_line_with_quotes_and_a_carriage_return() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let good = at_1000(&key, &[]);
    let (start, end) = good.split_at(40);
    let pasted = [
        (format!("Authorization: Bearer {good}\r\n"), "carriage return"),
        (format!("authorization:Bearer {good}"), ""),
        (format!("Bearer {good}\r\n"), "carriage return"),
        (format!("  \"Bearer {good}\"  \n"), "quotes"),
        (format!("“{good}”"), "quotes"),
        (format!("-H 'Authorization: Bearer {good}' \\\n"), "quotes"),
        (format!("  \"Authorization\": \"Bearer {good}\",\n"), "quotes"),
        (format!("Host: api.example\r\nAuthorization: Bearer {good}\r\nAccept: */*\r\n"), "other header fields"),
        (format!("Bearer {start}\n{end}\n"), "line breaks"),
    ];
    for (pasted, left_out) in pasted {
        let explained = run(&[&["explain", "--json"], &*options(&key)].concat(), &pasted);
        assert_eq!(explained.status, 0, "{pasted}: {explained:?}");
        let noted: Vec<Value> = explained.answers()[0]["steps"].as_array().unwrap().clone();
        let noted = noted.iter().filter(|step| step["step"] == "input").map(|step| step["detail"].to_string());
        let noted: Vec<String> = noted.collect();
        assert_eq!(noted.is_empty(), left_out.is_empty(), "{pasted}: {noted:?}");
        assert!(noted.is_empty() || noted.concat().contains(left_out), "{pasted}: {noted:?}");
    }
    let both = format!("Authorization: Bearer {good}\nX-API-Key: k\n");
    assert_eq!(
        run(&[&["explain", "--json"], &*options(&key)].concat(), both).errors()[0].as_deref(),
        Some("multiple-credentials")
    );
    run(&[&["explain"], &*options(&key)].concat(), format!("Bearer {good}\nBearer {good}\n"))
        .refused_with("more than one credential");
}

#[test]
fn a_shared_secret_comes_from_a_file() {
    let folder = Folder::new();
    let secret = "0123456789abcdef0123456789abcdef";
    let file = folder.write("secret.txt", format!("{secret}\n"));
    let jwk = folder.write(
        "key.jwk",
        json!({ "kty": "oct", "alg": "HS256", "k": base64_simd::URL_SAFE_NO_PAD.encode_to_string(secret) }).to_string(),
    );
    let signed = at_1000(&jwk, &[]);
    let options =
        ["--issuer", ISSUER, "--audience", AUDIENCE, "--now", "2000", "--alg", "HS256", "--secret-file", &file];
    let (_, explained, ran) = both(&options, &signed);
    assert_eq!(explained["ok"], true, "{explained}");
    assert!(!ran.stdout.contains(secret));
    let wrong = folder.write("wrong.txt", "another secret that is long enough");
    let options = [&options[..9], &[&*wrong]].concat();
    assert_eq!(both(&options, &signed).1["error"], "bad-signature");
    let hex = folder.write("hex.txt", secret.bytes().map(|byte| format!("{byte:02x}")).collect::<String>());
    let options = [&options[..9], &[&*hex, "--secret-encoding", "hex"]].concat();
    assert_eq!(both(&options, &signed).1["ok"], true);
}

#[test]
fn neither_signatures_nor_secrets_are_shown() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let keys = folder.path("keys.jsonl");
    let made = |further: &[&str]| {
        let made = run(&[&["api-key", "new", "--file", &*keys], further].concat(), "");
        made.stdout.trim_end().to_owned()
    };
    let api_key = made(&["--subject", "user-7", "--scope", "r"]);
    let client = made(&["--kind", "client-secret", "--client-id", "c1"]);
    let basic = |id: &str| format!("Basic {}", base64_simd::STANDARD.encode_to_string(format!("{id}:{client}")));
    let jwt = at_1000(&key, &[]);
    let signature = jwt.rsplit('.').next().unwrap();
    let all = [&*options(&key), &["--api-keys", &keys]].concat();
    let other = api_key.replace(&api_key[12..18], "000000");
    for credential in [
        api_key.clone(),
        format!("Bearer {api_key}"),
        other.clone(),
        basic("c1"),
        basic("c2"),
        format!("Bearer {jwt}"),
        format!("Bearer {jwt}x"),
        format!("X {jwt} {api_key}"),
    ] {
        for arguments in [&["explain"][..], &["explain", "--json"]] {
            let explained = run(&[arguments, &*all].concat(), &credential);
            assert!(explained.status < 2, "{explained:?}");
            let told = explained.stdout + &explained.stderr;
            for secret in [signature, &api_key, &client, &other, &api_key[10..], &client[10..], &basic("c1")[6..]] {
                assert!(!told.contains(secret), "{told}");
            }
        }
    }
    let (_, explained, _) = both(&all, &api_key);
    assert_eq!(explained["ok"], true);
    assert!(detail(&explained, "table").contains(r#"subject "user-7", scopes "r""#), "{explained}");
    let (_, explained, _) = both(&all, &basic("c2"));
    assert!(detail(&explained, "table").contains(r#"not that of the client "c2""#), "{explained}");
}

#[test]
fn the_text_for_people_ends_with_verdict_challenge_and_usual_cause() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let explained = run(&[&["explain"], &*options(&key)].concat(), at_1000(&key, &["--lifetime", "1"]));
    assert_eq!(explained.status, 1);
    let lines = explained.lines();
    assert!(lines[0].starts_with("ok    credential       without a scheme, a JWT by its form; "), "{explained:?}");
    assert_eq!(
        lines[lines.len() - 5..],
        [
            "FAIL  exp              expires at 1001 (1970-01-01T00:16:41Z), 16 min 39 s ago; 60 s of leeway",
            "",
            "rejected: 401 expired: expired at 1001; it is 2000",
            "challenge: Bearer error=\"invalid_token\"",
            "usual cause: the client holds tokens too long; a clock that is wrong",
        ]
    );
    let accepted = run(&[&["explain"], &*options(&key)].concat(), at_1000(&key, &[]));
    assert_eq!(accepted.status, 0);
    assert!(
        accepted.lines().last().unwrap().starts_with("accepted: jwt, issuer \"https://as.example\", subject \"s\"")
    );
}

#[test]
fn a_request_has_what_bindings_and_addresses_need() {
    let folder = Folder::new();
    let store = folder.path("store");
    let made = run(&["api-key", "new", "--store", &store, "--subject", "s", "--allow-address", "192.0.2.0/24"], "");
    let key = made.stdout.trim_end();
    let explain = |further: &[&str], input: &str| {
        run(&[&["explain", "--json", "--store", &*store], further].concat(), input).answers().remove(0)
    };
    let unknown = explain(&[], key);
    assert_eq!((&unknown["error"], steps(&unknown).last()), (&json!("address-required"), Some(&("address", "failed"))));
    assert_eq!(explain(&["--address", "192.0.2.7"], key)["ok"], true);
    let line = json!({ "authorization": key, "address": "198.51.100.1" }).to_string();
    let elsewhere = explain(&["--input", "request"], &line);
    assert_eq!(detail(&elsewhere, "address"), "the client's address is 198.51.100.1; allowed: 192.0.2.0/24");
    assert_eq!(explain(&["--input", "request"], "nonsense")["error"], "malformed-input");
}

#[test]
fn the_page_about_a_401_shows_a_run() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/a-401-explained.md")).unwrap();
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let made = run(
        &[
            "token",
            "new",
            "--key",
            &key,
            "--issuer",
            "https://as.example",
            "--audience",
            "https://api.example",
            "--subject",
            "user-7",
            "--now",
            "1767222000",
        ],
        "",
    );
    let options = [
        "explain",
        "--issuer",
        "https://as.example/",
        "--audience",
        "https://api.example",
        "--jwks",
        &key,
        "--now",
        "1767225600",
    ];
    let explained = run(&options, format!("Authorization: Bearer {}\r\n", made.stdout.trim_end()));
    let shown = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(explained.stdout, shown);
}
