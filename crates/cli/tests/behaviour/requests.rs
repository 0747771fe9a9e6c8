//! `tollgate verify --input request`: restrictions of a request's credentials by address and kind.

use crate::support::{AUDIENCE, Folder, ISSUER, Run, run, token};
use serde_json::{Value, json};
use tollgate::Algorithm;
use tollgate_tests::{Draft, NOW, ProofDraft, signing_key};

const INSIDE: &str = "192.0.2.7";
const OUTSIDE: &str = "203.0.113.5";
const PROXY: &str = "10.0.0.1";

/// A store with an unrestricted key and one for 192.0.2.0/24, and the key of an issuer.
struct World {
    folder: Folder,
    free: String,
    bound: String,
    jwt: String,
}

impl World {
    fn new() -> Self {
        let folder = Folder::new();
        let store = folder.path("store");
        let new = |further: &[&str]| {
            let made = run(&[&["api-key", "new", "--store", &store], further].concat(), "");
            assert_eq!(made.status, 0, "{made:?}");
            made.stdout.trim_end().to_owned()
        };
        let free = new(&["--subject", "free", "--id", "free"]);
        let bound = new(&["--subject", "bound", "--id", "bound", "--allow-address", "192.0.2.0/24"]);
        let key = folder.key("ES256", "k1");
        let jwt = token(&key, &["--subject", "s", "--jti", "t"]);
        World { folder, free, bound, jwt }
    }

    /// Verifies with the store, the issuer and additional lines of configuration.
    fn verify(&self, further: &str, arguments: &[&str], input: &str) -> Run {
        let config = self.folder.write(
            "tollgate.toml",
            format!(
                "store.file = \"store\"\n[[issuer]]\nname = {ISSUER:?}\naudiences = [{AUDIENCE:?}]\njwks = \"k1.jwk\"\n{further}"
            ),
        );
        run(&[&["verify", "--config", &config], arguments].concat(), input)
    }

    fn requests(&self, further: &str, requests: &[Value]) -> Vec<Option<String>> {
        let input: String = requests.iter().map(|request| format!("{request}\n")).collect();
        self.verify(further, &["--input", "request"], &input).errors()
    }
}

fn expected<const N: usize>(errors: [Option<&str>; N]) -> Vec<Option<String>> {
    errors.map(|error| error.map(str::to_owned)).to_vec()
}

#[test]
fn a_request_is_verified_as_its_header_is() {
    let world = World::new();
    let World { free, jwt, .. } = &world;
    let requests = [
        json!({"authorization": format!("Bearer {jwt}")}),
        json!({"authorization": free}),
        json!({"headers": {"x-api-key": free}}),
        json!({"headers": {"X-Api-Key": free, "host": "api.example", "cookie": "a=b"}}),
        json!({"headers": {"Authorization": format!("Bearer {jwt}")}}),
        json!({
            "authorization": jwt, "method": "POST", "uri": "https://api.example/x?y", "dpop": ["eyJ", "eyK"],
            "certificate": "AAAA", "address": OUTSIDE, "headers": {}
        }),
        json!({}),
        json!({"headers": {"x-api-key": ""}}),
        json!({"headers": {"x-api-key": jwt}}),
    ];
    let errors = world.requests("", &requests);
    let no_key = Some("malformed-api-key");
    let missing = Some("missing-credential");
    assert_eq!(errors, expected([None, None, None, None, None, None, missing, missing, no_key]));
    let blank = world.verify("", &["--input", "request"], "\n  \n");
    assert_eq!(blank.errors(), expected([missing, missing]));
    let at = world.verify("", &["--input", "request", "--now", "4000000000"], &requests[0].to_string());
    assert_eq!(at.errors(), expected([Some("expired")]));
}

#[test]
fn a47_a_request_with_two_credentials_is_rejected() {
    let world = World::new();
    let (bearer, free) = (format!("Bearer {}", world.jwt), &world.free);
    let requests = [
        json!({"authorization": bearer, "headers": {"x-api-key": free}}),
        json!({"authorization": "", "headers": {"x-api-key": free}}),
        json!({"authorization": bearer, "headers": {"x-api-key": ""}}),
        json!({"authorization": bearer, "headers": {"authorization": bearer}}),
        json!({"headers": {"authorization": bearer, "x-api-key": free}}),
    ];
    assert_eq!(world.requests("", &requests), vec![Some("multiple-credentials".to_owned()); requests.len()]);
}

#[test]
fn a_line_that_is_no_request_is_rejected_and_what_is_in_it_is_not_repeated() {
    let world = World::new();
    let lines = [
        ("\"secret\"", "the line is not a JSON object"),
        ("[\"secret\"]", "the line is not a JSON object"),
        ("secret", "the line is not a JSON object"),
        ("{\"authorization\":\"secret", "the line is not a JSON object"),
        ("{} secret", "the line is not a JSON object"),
        (r#"{"authorization":"\ud800"}"#, "the member \"authorization\" is not a string"),
        (r#"{"authorization":["secret"]}"#, "the member \"authorization\" is not a string"),
        (r#"{"authorization":null}"#, "the member \"authorization\" is not a string"),
        (r#"{"authorization":1}"#, "the member \"authorization\" is not a string"),
        (r#"{"method":true}"#, "the member \"method\" is not a string"),
        (r#"{"uri":{}}"#, "the member \"uri\" is not a string"),
        (r#"{"certificate":"secret="}"#, "the member \"certificate\" is not the base64url of a certificate's DER"),
        (r#"{"certificate":[]}"#, "the member \"certificate\" is not a string"),
        (r#"{"dpop":"secret"}"#, "the member \"dpop\" is not an array of strings"),
        (r#"{"dpop":["a",1]}"#, "the member \"dpop\" is not an array of strings"),
        (r#"{"address":"secret"}"#, "the member \"address\" is not an IP address"),
        (r#"{"address":"192.0.2.7:80"}"#, "the member \"address\" is not an IP address"),
        (r#"{"address":7}"#, "the member \"address\" is not a string"),
        (r#"{"headers":"x-api-key: secret"}"#, "the member \"headers\" is not an object of strings"),
        (r#"{"headers":{"x-api-key":["secret"]}}"#, "the member \"headers\" is not an object of strings"),
        (r#"{"headers":{"a":"1","a":"1"}}"#, "the header \"a\" is there twice"),
        (r#"{"headers":{"X-API-Key":"1","b":"","x-api-key":"1"}}"#, "the header \"X-API-Key\" is there twice"),
        (r#"{"authorization":"a","authorization":"a"}"#, "the member \"authorization\" is there twice"),
        (r#"{"dpop":[],"dpop":[]}"#, "the member \"dpop\" is there twice"),
        (r#"{"adress":"192.0.2.7"}"#, "the member \"adress\" is unknown"),
        (r#"{"Authorization":"secret"}"#, "the member \"Authorization\" is unknown"),
        (r#"{"api_key":"secret"}"#, "the member \"api_key\" is unknown"),
    ];
    let input: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let answers = world.verify("", &["--input", "request"], &input).answers();
    for ((line, detail), answer) in lines.iter().zip(&answers) {
        assert_eq!((&answer["error"], &answer["detail"]), (&json!("malformed-input"), &json!(detail)), "{line}");
        assert!(!answer.to_string().contains("secret"), "{answer}");
    }
    let long = format!("{{\"{}\\u0007\":1}}", "é".repeat(1000));
    let detail = &world.verify("", &["--input", "request"], &long).answers()[0]["detail"];
    assert_eq!(detail.as_str().map(|detail| detail.chars().count()), Some(256), "{detail}");
    assert!(detail.as_str().unwrap().ends_with("é…"), "{detail}");
}

#[test]
fn a56_verify_and_check_accept_a_key_from_its_addresses_alone() {
    let world = World::new();
    let (bound, store) = (&world.bound, world.folder.path("store"));
    let lines = world.verify("", &[], &format!("{bound}\nBearer {bound}\n{}\n", world.free));
    assert_eq!(lines.errors(), expected([Some("address-required"), Some("address-required"), None]));
    assert_eq!(lines.answers()[0]["status"], 403);
    let requests = [
        json!({"authorization": bound, "address": INSIDE}),
        json!({"headers": {"x-api-key": bound}, "address": "::ffff:192.0.2.7"}),
        json!({"authorization": bound, "address": OUTSIDE}),
        json!({"headers": {"x-api-key": bound}, "address": "::1"}),
        json!({"authorization": bound}),
    ];
    let not_allowed = Some("address-not-allowed");
    let errors = expected([None, None, not_allowed, not_allowed, Some("address-required")]);
    assert_eq!(world.requests("", &requests), errors);

    let check = |further: &[&str]| {
        let checked = run(&[&["api-key", "check", "--store", &store], further].concat(), bound);
        (checked.errors().remove(0), checked.answers().remove(0)["id"].clone())
    };
    assert_eq!(check(&[]), (Some("address-required".to_owned()), json!("bound")));
    assert_eq!(check(&["--address", OUTSIDE]), (Some("address-not-allowed".to_owned()), json!("bound")));
    assert_eq!(check(&["--address", INSIDE]), (None, json!("bound")));
    run(&["api-key", "check", "--store", &store, "--address", "192.0.2.0/24"], bound).refused_with("--address");
    run(&["api-key", "check", "--address", INSIDE], bound).refused_with("--store");
}

#[test]
fn a75_the_configured_field_of_a_trusted_proxy_names_the_client() {
    let world = World::new();
    let request =
        |address: &str, headers: Value| json!({"authorization": world.bound, "address": address, "headers": headers});
    let x_forwarded_for = [
        request(PROXY, json!({"X-Forwarded-For": "203.0.113.5, 192.0.2.7, 10.1.2.3"})),
        request(INSIDE, json!({"x-forwarded-for": OUTSIDE})),
        request(PROXY, json!({"x-forwarded-for": "192.0.2.7, 203.0.113.5"})),
        request(OUTSIDE, json!({"x-forwarded-for": INSIDE})),
        request(PROXY, json!({"x-forwarded-for": "192.0.2.7, unknown"})),
        request(PROXY, json!({"forwarded": "for=192.0.2.7"})),
        request(PROXY, json!({})),
        json!({"authorization": world.bound, "headers": {"x-forwarded-for": INSIDE}}),
    ];
    let config = |field: &str| format!("[request]\ntrusted_proxies = [\"10.0.0.0/8\"]\nclient_address = {field:?}\n");
    let (not_allowed, required) = (Some("address-not-allowed"), Some("address-required"));
    assert_eq!(
        world.requests(&config("x-forwarded-for"), &x_forwarded_for),
        expected([None, None, not_allowed, not_allowed, required, required, required, required])
    );
    let forwarded = [
        request(PROXY, json!({"Forwarded": "for=203.0.113.5, for=192.0.2.7;proto=https, for=\"10.1.2.3:80\""})),
        request(PROXY, json!({"forwarded": "for=192.0.2.7, for=203.0.113.5"})),
        request(PROXY, json!({"x-forwarded-for": INSIDE})),
        request(OUTSIDE, json!({"forwarded": "for=192.0.2.7"})),
    ];
    let errors = expected([None, not_allowed, required, not_allowed]);
    assert_eq!(world.requests(&config("forwarded"), &forwarded), errors);
    // No proxy is trusted: the peer is the client.
    assert_eq!(world.requests("", &x_forwarded_for[..2]), expected([not_allowed, None]));
}

#[test]
fn a52_a_bound_token_needs_its_certificate_from_the_connection_or_from_a_trusted_proxy() {
    let world = World::new();
    // RFC 8705, appendix A, figures 5 and 6.
    let der = "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMG\
        ByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRg\
        IhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=";
    let cnf = r#"cnf={"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}"#;
    let token = token(&world.folder.path("k1.jwk"), &["--subject", "s", "--claim", cnf]);
    let certificate = der.replace('+', "-").replace('/', "_").replace('=', "");
    let field = format!(":{der}:");
    let requests = [
        json!({"authorization": format!("Bearer {token}"), "certificate": certificate}),
        json!({"authorization": token, "certificate": certificate, "address": OUTSIDE}),
        json!({"authorization": token}),
        json!({"authorization": token, "certificate": "AAAA"}),
        json!({"authorization": token, "address": PROXY, "headers": {"Client-Cert": field}}),
        // The connection's certificate is then the proxy's own.
        json!({"authorization": token, "address": PROXY, "certificate": certificate}),
        json!({"authorization": token, "address": OUTSIDE, "headers": {"client-cert": field}}),
        json!({"authorization": token, "headers": {"client-cert": field}}),
        json!({"authorization": token, "address": PROXY, "headers": {"x-ssl-client-cert": field}}),
        json!({"authorization": token, "address": PROXY, "headers": {"client-cert": der}}),
    ];
    let (required, wrong) = (Some("certificate-required"), Some("wrong-certificate"));
    let malformed = Some("malformed-certificate");
    assert_eq!(
        world.requests(
            "[request]\ntrusted_proxies = [\"10.0.0.0/8\"]\nclient_certificate = \"client-cert\"\n",
            &requests
        ),
        expected([None, None, required, wrong, None, required, required, required, required, malformed])
    );
    assert_eq!(world.requests("", &requests[4..6]), expected([required, None]));
}

#[test]
fn a51_a_bound_token_needs_a_proof_for_the_request_and_uses_it_up() {
    // RFC 9449, figures 2 and 5: a proof for a token request, which has no ath.
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let world = World::new();
    let (key, client) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::ES256, 1));
    world.folder.write("k1.jwk", key.public_jwk().unwrap());
    let sign = |draft: Draft| draft.claim("iss", ISSUER).claim("aud", AUDIENCE).sign(&key);
    let token = sign(Draft::new(&key).bound_to(&client));
    let of_rfc = sign(Draft::new(&key).claim("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })));
    let draft = ProofDraft::new(&client, "POST", "https://api.example/x", &token);
    let request = |uri: &str, proofs: &[&str]| json!({"authorization": format!("DPoP {token}"), "method": "POST", "uri": uri, "dpop": proofs});
    let uri = "https://api.example/x?y";
    let (good, second) = (draft.sign(&client), draft.clone().claim("jti", "2").claim("iat", NOW - 60).sign(&client));
    let old = draft.clone().claim("jti", "3").claim("iat", NOW - 61).sign(&client);
    let requests = [
        request("https://api.example/y", &[&good]),
        request(uri, &[&good, &good]),
        request(uri, &[]),
        request(uri, &[&good]),
        request("https://API.example:443/%78#z", &[&good]),
        json!({"authorization": format!("dpop {token}"), "method": "POST", "uri": uri, "headers": {"DPoP": second}}),
        request(uri, &[&old]),
        json!({"authorization": format!("Bearer {token}"), "method": "POST", "uri": uri, "dpop": [good]}),
        json!({"authorization": token}),
        json!({"authorization": format!("DPoP {token}"), "dpop": [draft.clone().claim("jti", "4").sign(&client)]}),
        json!({"authorization": format!("DPoP {of_rfc}"), "method": "POST", "uri": "https://server.example.com/token", "dpop": [proof]}),
    ];
    let input: String = requests.iter().map(|request| format!("{request}\n")).collect();
    let run = |further: &str| {
        let now = NOW.to_string();
        world.verify(further, &["--input", "request", "--now", &now], &input)
    };
    let verified = run("");
    assert_eq!(
        verified.errors(),
        expected([
            Some("wrong-proof-uri"),
            Some("multiple-proofs"),
            Some("proof-required"),
            None,
            Some("proof-replayed"),
            None,
            Some("proof-too-old"),
            Some("dpop-scheme-required"),
            Some("proof-required"),
            Some("method-required"),
            Some("malformed-proof"),
        ])
    );
    let challenge = "DPoP error=\"invalid_dpop_proof\", algs=\"RS256 PS256 ES256 EdDSA\"";
    assert_eq!(verified.answers()[4]["challenge"], json!(challenge));
    assert_eq!(run("[dpop]\nalgorithms = [\"EdDSA\"]").errors()[3].as_deref(), Some("proof-algorithm-not-allowed"));
    assert_eq!(run("[dpop]\nmax_age = 59").errors()[5].as_deref(), Some("proof-too-old"));
    assert_eq!(run("[dpop]\nmax_age = 61\nreplay_bytes = 65536").errors()[6], None);
    assert_eq!(run("[dpop]\nnonce = \"required\"").errors()[3].as_deref(), Some("proof-nonce-required"));
    for (wrong, message) in [
        ("algorithms = []", "no algorithm"),
        ("algorithms = [\"HS256\"]", "HS256"),
        ("algorithms = [\"ES1\"]", "unknown algorithm `ES1`"),
        ("max_age = 0", "max_age"),
        ("nonce = \"on\"", "unknown variant `on`"),
        ("replay_bytes = 1", "replay_bytes"),
        ("window = 1", "window"),
    ] {
        run(&format!("[dpop]\n{wrong}")).refused_with(message);
    }
}

#[test]
fn a57_only_configured_kinds_of_credentials_are_accepted() {
    let world = World::new();
    let World { free, jwt, .. } = &world;
    let not_accepted = Some("credential-not-accepted");
    let requests = [
        json!({"authorization": format!("Bearer {jwt}")}),
        json!({"authorization": jwt}),
        json!({"authorization": format!("Bearer {free}")}),
        json!({"authorization": free}),
        json!({"headers": {"x-api-key": free}}),
        json!({"authorization": "Basic YTpi"}),
    ];
    let errors = |accept: &str| world.requests(&format!("[accept]\n{accept}\n"), &requests);
    let client = Some("unknown-client");
    let none = None;
    assert_eq!(errors(""), expected([none, none, none, none, none, client]));
    assert_eq!(errors("bare = false"), expected([none, not_accepted, none, not_accepted, none, client]));
    assert_eq!(
        errors("kinds = [\"jwt\"]"),
        expected([none, none, not_accepted, not_accepted, not_accepted, not_accepted])
    );
    assert_eq!(
        errors("kinds = [\"api-key\", \"client\"]\nbare = false"),
        expected([not_accepted, not_accepted, none, not_accepted, none, client])
    );
    // A Bearer token that has the form of an API key is looked up only among access tokens.
    assert_eq!(
        errors("kinds = [\"access-token\"]"),
        expected([not_accepted, not_accepted, Some("unknown-api-key"), not_accepted, not_accepted, not_accepted])
    );
    let lines =
        world.verify("[accept]\nkinds = [\"jwt\"]\nbare = false\n", &[], &format!("{free}\n{jwt}\nBearer {jwt}\n"));
    assert_eq!(lines.errors(), expected([not_accepted, not_accepted, none]));
}
