//! The one world of all plans: thirteen issuers, all algorithms, every kind of credential.

use std::sync::LazyLock;

use crate::api_key::assemble;
use crate::jws::ALGORITHMS;
use crate::key::Key;
use crate::signer::Signer;
use crate::world::{Credential, ExpectedValue, Issuer, Kind, Rule, State, Typ, Validator, World};

/// The time of the plans, in seconds since the Unix epoch.
pub const NOW: i64 = 1_763_800_000;

pub(crate) const AUDIENCE: &str = "https://api.example.com";

/// A signer, and its name in tokens.
pub(crate) struct Named {
    pub(crate) signer: Signer,
    number: usize,
    pub(crate) kid: Option<String>,
}

/// The world as a verifier sees it.
#[must_use]
pub fn world() -> &'static World {
    &SETTING.world
}

/// The keys that tokens of the issuer `index` and of `alg` are signed with.
pub(crate) fn signers(index: usize, alg: &str) -> Vec<&'static Named> {
    SETTING.signers[index].iter().filter(|named| named.signer.alg == alg).collect()
}

struct Setting {
    world: World,
    signers: Vec<Vec<Named>>,
}

static SETTING: LazyLock<Setting> = LazyLock::new(|| {
    let (mut issuers, mut signers) = (Vec::new(), Vec::new());
    for (issuer, keys) in issuers_and_keys() {
        let public = keys.iter().flat_map(|(named, with_alg)| published(named, *with_alg));
        let jwks = format!(r#"{{"keys":[{}]}}"#, public.collect::<Vec<_>>().join(","));
        let secret = |named: &Named| {
            named.signer.hmac_secret().map(|secret| (named.kid.clone(), named.signer.alg, secret.to_vec()))
        };
        let secrets: Vec<_> = keys.iter().filter_map(|(named, _)| secret(named)).collect();
        let mut usable = Key::read_set(&jwks, &["sig"]);
        usable.extend(secrets.iter().map(|(kid, alg, secret)| Key::secret(kid.clone(), alg, secret)));
        issuers.push(Issuer { jwks, secrets, keys: usable, ..issuer });
        signers.push(keys.into_iter().map(|(named, _)| named).collect());
    }
    let world = World { issuers, prefix: "tg", env: "live", credentials: credentials(), max_header_bytes: 8192 };
    Setting { world, signers }
});

/// The published JWKs of a public key: the key, a duplicate, an encryption key under its name and, for a key without a name,
/// also the same key under two names.
fn published(named: &Named, with_alg: bool) -> Vec<String> {
    let jwk = |signer: &Signer, kid: Option<&str>| signer.jwk(kid, with_alg);
    let kid = named.kid.as_deref();
    let Some(own) = jwk(&named.signer, kid) else {
        return Vec::new();
    };
    let again = own.replacen('{', r#"{"use":null,"key_ops":null,"x5t":null,"#, 1);
    let other = jwk(&Signer::new(named.signer.alg, ENCRYPTION), kid);
    let mut jwks = vec![own, again];
    jwks.extend(other.map(|other| other.replacen('{', r#"{"use":"enc","#, 1)));
    if kid.is_none() {
        let aliases = ["alias-2", "alias-1"].map(|alias| format!("{alias}-{}-{}", named.signer.alg, named.number));
        jwks.extend(aliases.iter().filter_map(|alias| jwk(&named.signer, Some(alias))));
    }
    jwks
}

/// The number of the encryption keys.
const ENCRYPTION: usize = 20;

/// The issuers without their keys, and the keys of each, with whether the JWK has an `alg`.
fn issuers_and_keys() -> Vec<(Issuer, Vec<(Named, bool)>)> {
    let plain = |name| Issuer::new(name, vec![AUDIENCE]);
    let validator = |code, on_each_hit, rule| Validator { code, on_each_hit, rule };
    let named = |alg, number, kid: Option<String>, with_alg| {
        (Named { signer: Signer::new(alg, number), number, kid }, with_alg)
    };
    // Two issuers with similar names use the same `kid`s for different keys.
    let two_of_each = |first: usize, second: usize| {
        let pair = move |alg| {
            [(0, first), (1, second)].map(|(n, number)| named(alg, number, Some(format!("{alg}-{n}")), true))
        };
        ALGORITHMS.into_iter().flat_map(pair).collect::<Vec<_>>()
    };
    let without_kid = || ALGORITHMS.into_iter().map(|alg| named(alg, 4, None, true)).collect::<Vec<_>>();
    let mut crowded = without_kid();
    // Too many keys to try, a repeated pair of `kid` and algorithm, one `kid` for all algorithms, and keys without `alg`.
    crowded.extend((5..9).map(|n| named("HS256", n, None, true)));
    crowded.extend((5..9).map(|n| named("Ed25519", n, None, true)));
    crowded.extend([5, 6].map(|n| named("ES256", n, Some("twin".into()), true)));
    crowded.extend(["RS384", "ES384", "EdDSA", "HS512"].map(|alg| named(alg, 9, Some("shared".into()), true)));
    crowded.extend(["RS256", "ES256", "EdDSA"].map(|alg| named(alg, 11, Some(format!("{alg}-untold")), false)));
    vec![
        (plain("https://auth.example.com/"), two_of_each(0, 1)),
        (Issuer { typ: Typ::AccessToken, leeway: 0, ..plain("https://auth.example.com") }, two_of_each(3, 2)),
        (
            Issuer {
                typ: Typ::Both,
                leeway: 300,
                audiences: vec!["https://files.example.com", AUDIENCE],
                ..plain("https://both.example.com")
            },
            without_kid(),
        ),
        (
            Issuer {
                algorithms: Some(vec!["HS384", "RS256", "PS256", "ES256", "EdDSA", "ML-DSA-44"]),
                required: vec!["tenant", "iat"],
                ..plain("https://narrow.example.com")
            },
            two_of_each(0, 1),
        ),
        (
            Issuer {
                audiences: Vec::new(),
                any_audience: true,
                missing_exp: true,
                typ: Typ::Both,
                ..plain("https://lax.example.com")
            },
            crowded,
        ),
        (plain("urn:example:without-keys"), Vec::new()),
        (
            Issuer {
                typ: Typ::OneOf(vec!["", "application/JOSE", "secevent+jwt"]),
                audience_claims: vec!["/resource/servers", "aud"],
                client_claims: vec!["/ext/client", "cid", "client_id"],
                subject_claims: vec!["https://example.com/user", "sub", "client_id"],
                scope_claims: vec![("scope", ""), ("permissions", ""), ("/realm_access/roles", "role:")],
                all_scopes: true,
                expected: vec![
                    ("token_use", vec![ExpectedValue::String("access"), ExpectedValue::Bool(true)]),
                    ("/ext/level", vec![ExpectedValue::Integer(2)]),
                ],
                required: vec!["/ext/client"],
                max_list_entries: 129,
                max_members: 255,
                ..plain("https://mapped.example.com")
            },
            two_of_each(3, 2),
        ),
        // One name three times, distinguished by `typ` and by the audience.
        (
            Issuer {
                typ: Typ::AccessToken,
                optional: vec!["sub", "jti"],
                scope_claims: vec![("roles", ""), ("scp", "")],
                ..plain("https://thrice.example.com")
            },
            two_of_each(0, 1),
        ),
        (plain("https://thrice.example.com"), two_of_each(2, 3)),
        (
            Issuer { audiences: vec!["app-1"], required: vec!["tenant"], ..plain("https://thrice.example.com") },
            two_of_each(1, 0),
        ),
        // Templates: for any tenant, for some, and a full name that the first would match.
        (
            Issuer {
                tenant_claim: Some("tid"),
                validators: vec![
                    validator("validator-subject", false, Rule::NotOfSubject("a b")),
                    validator("validator-scope", true, Rule::OfScope("read:sites")),
                    validator("validator-text", false, Rule::WithText("jti")),
                ],
                ..plain("https://login.example.com/{tenant}/v2.0")
            },
            two_of_each(1, 2),
        ),
        (
            Issuer {
                tenant_claim: Some("/tenant"),
                tenants: Some(vec!["tenant-1".into(), "tenant-3".into()]),
                typ: Typ::Both,
                ..plain("https://login.example.com/{tenant}")
            },
            two_of_each(2, 3),
        ),
        (
            Issuer {
                validators: vec![validator("validator-client", true, Rule::NotOfClient("client-2"))],
                ..plain("https://login.example.com/own/v2.0")
            },
            two_of_each(0, 1),
        ),
    ]
}

fn credentials() -> Vec<Credential> {
    let body = |digit: char| assemble("tg", "live", &String::from(digit).repeat(43));
    let key = |secret: String, native, kind, id, subject| Credential {
        secret,
        native,
        kind,
        id,
        subject,
        client: None,
        scopes: vec!["read:sites", "write:sites"],
        not_before: None,
        expires_at: None,
        state: State::Active,
    };
    let native = |digit, kind, id, subject| key(body(digit), true, kind, id, subject);
    let foreign = |secret: &str, kind, id, subject| key(secret.into(), false, kind, id, subject);
    vec![
        native('1', Kind::ApiKey, "key-1", "user-1"),
        Credential {
            not_before: Some(NOW),
            expires_at: Some(NOW + 600),
            ..native('2', Kind::ApiKey, "key-2", "user-2")
        },
        Credential {
            state: State::Disabled,
            expires_at: Some(NOW - 1),
            ..native('3', Kind::ApiKey, "key-3", "user-1")
        },
        Credential { state: State::Revoked, ..native('4', Kind::ApiKey, "key-4", "user-1") },
        Credential { not_before: Some(NOW + 1), ..native('5', Kind::ApiKey, "key-5", "user-1") },
        Credential { client: Some("app-1"), ..native('6', Kind::AccessToken, "token-1", "user-1") },
        native('7', Kind::ClientSecret, "secret-1", "client-1"),
        Credential { scopes: Vec::new(), ..foreign("acct:8d2f0c71b6a94e0f:7", Kind::ApiKey, "key-6", "user-3") },
        foreign("2YotnFZFEjr1zCsicMWpAA", Kind::AccessToken, "token-2", "user-2"),
        foreign("p\u{e4}ssw\u{f6}rd: 16 bytes or more", Kind::ClientSecret, "secret-2", "client-2"),
        // It has both forms; a credential that begins like a JWS is never looked up here.
        foreign("eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl", Kind::ApiKey, "key-7", "user-3"),
    ]
}
