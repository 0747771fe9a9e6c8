//! docs/providers.md: each configuration runs as written there, except for the source of its keys, on the token shown there.

mod network;

use serde_json::{Value, json};
use tollgate::Algorithm;
use tollgate_issuer::SigningKey;

use crate::support::{Folder, run};

const DOCUMENT: &str = include_str!("../../../../docs/providers.md");

/// A minute after the tokens of the document were issued.
const NOW: &str = "1800000060";

/// A section of the document: a token, a configuration, the principal, and the rejections.
struct Provider {
    title: &'static str,
    token: Value,
    configuration: &'static str,
    principal: Value,
    /// A description and an error code each.
    refused: Vec<(&'static str, &'static str)>,
    /// By `kid`: the additional or different members of the JWK.
    keys: Vec<(&'static str, Value)>,
    trials: Vec<Trial>,
}

/// A token to try.
struct Trial {
    name: &'static str,
    token: Value,
    expected: Expected,
}

enum Expected {
    Principal(Value),
    Error(&'static str),
}

impl Provider {
    fn of(title: &'static str) -> Self {
        let section = sections().find(|section| section.lines().next() == Some(title)).expect(title);
        let mut json = blocks(section, "json").map(|block| serde_json::from_str(block).expect(title));
        let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix("` |")?.split_once(" | `"));
        let provider = Provider {
            title,
            token: json.next().expect(title),
            principal: json.next().expect(title),
            configuration: blocks(section, "toml").next().expect(title),
            refused: rows.collect(),
            keys: vec![("key-1", json!({}))],
            trials: Vec::new(),
        };
        provider.accepts("the token shown", json!({}), json!({}))
    }

    /// The provider publishes this JWK, without its key material, under `kid`.
    fn key(mut self, kid: &'static str, members: Value) -> Self {
        self.keys.retain(|(other, _)| *other != kid);
        self.keys.push((kid, members));
        self
    }

    /// The shown token with this patch (RFC 7396) gives the shown principal with that patch.
    fn accepts(self, name: &'static str, token: Value, principal: Value) -> Self {
        let expected = Expected::Principal(merged(&self.principal, principal));
        self.tries(name, token, expected)
    }

    /// The shown token with this patch (RFC 7396) is rejected as in the row of that name.
    fn refuses(self, row: &'static str, token: Value) -> Self {
        let error = self.refused.iter().find(|(name, _)| *name == row).unwrap_or_else(|| panic!("no row «{row}»")).1;
        self.tries(row, token, Expected::Error(error))
    }

    fn tries(mut self, name: &'static str, token: Value, expected: Expected) -> Self {
        self.trials.push(Trial { name, token: merged(&self.token, token), expected });
        self
    }

    /// Runs the configuration on all these tokens.
    fn run(self) {
        let trials = &self.trials;
        for (row, _) in &self.refused {
            assert_eq!(trials.iter().filter(|trial| trial.name == *row).count(), 1, "{}: «{row}»", self.title);
        }
        let algorithm = self.token["header"]["alg"].as_str().and_then(Algorithm::from_name).unwrap();
        let keys: Vec<SigningKey> =
            self.keys.iter().map(|(kid, _)| SigningKey::generate(algorithm).unwrap().with_kid(*kid).unwrap()).collect();
        let jwks: Vec<Value> = keys.iter().zip(&self.keys).map(|(key, (_, members))| jwk(key, members)).collect();
        let headers: Vec<String> = trials.iter().map(|trial| signed(&trial.token, &keys)).collect();

        let folder = Folder::new();
        folder.write("keys.json", json!({"keys": jwks}).to_string());
        let configuration = folder.write("tollgate.toml", with_local_keys(self.configuration));
        let done = run(&["verify", "--config", &configuration, "--now", NOW], headers.join("\n"));
        assert_eq!(done.lines().len(), trials.len(), "{}: {done:?}", self.title);
        for (trial, answer) in trials.iter().zip(done.answers()) {
            match &trial.expected {
                Expected::Error(error) => {
                    assert_eq!(answer["error"], *error, "{}: {}: {answer}", self.title, trial.name);
                }
                Expected::Principal(principal) => {
                    for (member, value) in principal.as_object().unwrap() {
                        let got = &answer["principal"][member];
                        assert_eq!(got, value, "{}: {}: {member}: {answer}", self.title, trial.name);
                    }
                }
            }
        }
    }
}

/// The sections with a configuration, each from its title on.
fn sections() -> impl Iterator<Item = &'static str> {
    DOCUMENT.split("\n## ").filter(|section| section.contains("```toml\n"))
}

/// The fenced blocks of that language in `section`.
fn blocks(section: &'static str, language: &str) -> impl Iterator<Item = &'static str> {
    let fence = format!("```{language}\n");
    let starts: Vec<usize> = section.match_indices(&fence).map(|(start, _)| start + fence.len()).collect();
    starts.into_iter().map(|start| section[start..].split("```").next().unwrap())
}

/// `configuration` with the local key file in place of each `[issuer.remote]`.
fn with_local_keys(configuration: &str) -> String {
    let mut text = String::new();
    let mut is_remote = false;
    for line in configuration.lines() {
        if line.starts_with('[') {
            is_remote = line == "[issuer.remote]";
        }
        match line {
            "[issuer.remote]" => text += "jwks = \"keys.json\"\n",
            _ if is_remote => {}
            _ => text = text + line + "\n",
        }
    }
    text
}

/// `document` after the patch (RFC 7396): null removes, an object is merged, any other value replaces.
fn merged(document: &Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    let mut members = document.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        match merged(members.get(&name).unwrap_or(&Value::Null), value) {
            Value::Null => members.remove(&name),
            merged => members.insert(name, merged),
        };
    }
    Value::Object(members)
}

/// The public JWK of `key`, with those members.
fn jwk(key: &SigningKey, members: &Value) -> Value {
    merged(&serde_json::from_str(&key.public_jwk().unwrap()).unwrap(), members.clone())
}

/// The token as an Authorization header, signed by the key that its `kid` names.
fn signed(token: &Value, keys: &[SigningKey]) -> String {
    let encoded = |part: &Value| base64_simd::URL_SAFE_NO_PAD.encode_to_string(part.to_string());
    let key = keys.iter().find(|key| token["header"]["kid"] == key.kid()).expect("a key of that kid");
    let message = format!("{}.{}", encoded(&token["header"]), encoded(&token["payload"]));
    let signature = base64_simd::URL_SAFE_NO_PAD.encode_to_string(key.sign(message.as_bytes()).unwrap());
    format!("Bearer {message}.{signature}")
}

#[test]
fn every_section_is_tried() {
    for section in sections() {
        let title = section.lines().next().unwrap();
        let tests = [include_str!("providers.rs"), include_str!("providers/network.rs")].concat();
        assert!(tests.contains(&format!("Provider::of(\"{title}\")")), "{title}");
    }
}

#[test]
fn no_configuration_needs_a_dangerous_option() {
    for configuration in sections().flat_map(|section| blocks(section, "toml")) {
        assert!(!configuration.contains("danger"), "{configuration}");
    }
}

#[test]
fn every_configuration_is_read_as_it_stands() {
    let folder = Folder::new();
    for configuration in sections().flat_map(|section| blocks(section, "toml")) {
        // These errors are found after the whole file was read, and before anything is fetched.
        let text = format!("api_keys = \"keys.jsonl\"\nstore.file = \"store\"\n{configuration}");
        let done = run(&["verify", "--config", &folder.write("tollgate.toml", text)], "");
        done.refused_with("either api_keys or store");
    }
}

#[test]
fn entra_one_tenant() {
    Provider::of("Microsoft Entra ID, v2.0, one tenant")
        .accepts(
            "a daemon's",
            json!({"payload": {"scp": null, "roles": ["Orders.Read.All"], "idtyp": "app"}}),
            json!({"scopes": ["role:Orders.Read.All"]}),
        )
        .accepts(
            "a user's without roles",
            json!({"payload": {"roles": null}}),
            json!({"scopes": ["Orders.Read", "Orders.Write"]}),
        )
        .refuses(
            "a token of another tenant",
            json!({"payload": {
                "iss": "https://login.microsoftonline.com/0a1b2c3d-7777-4888-8999-aaaabbbbcccc/v2.0",
                "tid": "0a1b2c3d-7777-4888-8999-aaaabbbbcccc"
            }}),
        )
        .refuses("a token for Microsoft Graph", json!({"payload": {"aud": "00000003-0000-0000-c000-000000000000"}}))
        .refuses(
            "an ID token of the same application",
            json!({"payload": {"azp": null, "azpacr": null, "scp": null, "nonce": "n"}}),
        )
        .refuses(
            "a v1.0 token",
            json!({"payload": {"iss": "https://sts.windows.net/0a1b2c3d-1111-4222-8333-444455556666/", "ver": "1.0"}}),
        )
        .run();
}

#[test]
fn entra_many_tenants() {
    let iss = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let of = |tenant: &str, kid: &str| json!({"header": {"kid": kid}, "payload": {"iss": iss(tenant), "tid": tenant}});
    let (other, personal) = ("0a1b2c3d-7777-4888-8999-aaaabbbbcccc", "9188040d-6c67-4c5b-b112-36a304b66dad");
    Provider::of("Microsoft Entra ID, v2.0, many tenants")
        .key("key-1", json!({"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}))
        .key("key-of-persons", json!({"issuer": iss(personal)}))
        .accepts("of the other organisation", of(other, "key-1"), json!({"issuer": iss(other)}))
        .accepts("of a person", of(personal, "key-of-persons"), json!({"issuer": iss(personal)}))
        .refuses("a token of a tenant that is not listed", of("0a1b2c3d-9999-4aaa-8bbb-ccccddddeeee", "key-1"))
        .refuses("a token whose `tid` is another tenant than that of `iss`", json!({"payload": {"tid": other}}))
        .refuses(
            "an organisation's token under a key of personal accounts",
            json!({"header": {"kid": "key-of-persons"}}),
        )
        .refuses("a token for Microsoft Graph", json!({"payload": {"aud": "00000003-0000-0000-c000-000000000000"}}))
        .refuses(
            "an ID token of the same application",
            json!({"payload": {"azp": null, "azpacr": null, "scp": null, "nonce": "n"}}),
        )
        .refuses(
            "a v1.0 token",
            json!({"payload": {"iss": "https://sts.windows.net/0a1b2c3d-1111-4222-8333-444455556666/", "ver": "1.0"}}),
        )
        .run();
}

#[test]
fn entra_v1() {
    Provider::of("Microsoft Entra ID, v1.0")
        .accepts(
            "asked for by client id",
            json!({"payload": {"aud": "6731de76-14a6-49ae-97bc-6eba6914391e"}}),
            json!({"audience": ["6731de76-14a6-49ae-97bc-6eba6914391e"]}),
        )
        .accepts(
            "a daemon's",
            json!({"payload": {"scp": null, "roles": ["Orders.Read.All"]}}),
            json!({"scopes": ["role:Orders.Read.All"]}),
        )
        .refuses(
            "a token of another tenant",
            json!({"payload": {"iss": "https://sts.windows.net/0a1b2c3d-7777-4888-8999-aaaabbbbcccc/"}}),
        )
        .refuses(
            "a v2.0 token",
            json!({"payload": {"iss": "https://login.microsoftonline.com/0a1b2c3d-1111-4222-8333-444455556666/v2.0"}}),
        )
        .refuses("a token for Azure's management API", json!({"payload": {"aud": "https://management.azure.com/"}}))
        .refuses(
            "an ID token of the same application",
            json!({"payload": {"appid": null, "appidacr": null, "scp": null}}),
        )
        .run();
}

#[test]
fn cognito_access_tokens() {
    Provider::of("Amazon Cognito, access tokens")
        .accepts(
            "a machine's",
            json!({"payload": {
                "sub": "57cbishk4j24pabc1234567890", "cognito:groups": null, "scope": "orders/read", "username": null,
                "auth_time": 1_800_000_000, "origin_jti": null
            }}),
            json!({"subject": "57cbishk4j24pabc1234567890", "scopes": ["orders/read"]}),
        )
        .refuses("a token of another app client", json!({"payload": {"client_id": "otherclient4pabc1234567890"}}))
        .refuses(
            "a token of another user pool",
            json!({"payload": {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example02"}}),
        )
        .refuses(
            "an ID token of the same app client",
            json!({"payload": {"client_id": null, "aud": "57cbishk4j24pabc1234567890", "token_use": "id", "scope": null}}),
        )
        .refuses("a token with another `token_use`", json!({"payload": {"token_use": "id"}}))
        .run();
}

#[test]
fn cognito_id_tokens() {
    Provider::of("Amazon Cognito, ID tokens")
        .accepts("a user in no group", json!({"payload": {"cognito:groups": null}}), json!({"scopes": []}))
        .refuses("an ID token of another app client", json!({"payload": {"aud": "otherclient4pabc1234567890"}}))
        .refuses(
            "an access token of the same app client",
            json!({"payload": {"aud": null, "client_id": "57cbishk4j24pabc1234567890", "token_use": "access", "scope": "openid"}}),
        )
        .refuses("a user whose e-mail address is not verified", json!({"payload": {"email_verified": false}}))
        .run();
}

#[test]
fn okta_custom_server() {
    Provider::of("Okta, custom authorization server")
        .accepts(
            "a machine's",
            json!({"payload": {"uid": null, "sub": "0oaexampleclient01", "scp": ["orders.sync"], "auth_time": null}}),
            json!({"subject": "0oaexampleclient01", "scopes": ["orders.sync"]}),
        )
        .refuses(
            "an ID token of the same server",
            json!({"payload": {"aud": "0oaexampleclient01", "cid": null, "scp": null, "sub": "00uexampleuser001"}}),
        )
        .refuses(
            "a token of another server of the organisation",
            json!({"payload": {"iss": "https://example.okta.com/oauth2/ausexampleserver1"}}),
        )
        .refuses(
            "an access token of the organisation's own server",
            json!({"payload": {"iss": "https://example.okta.com", "aud": "https://example.okta.com"}}),
        )
        .run();
}

#[test]
fn okta_organisation_server() {
    Provider::of("Okta, organisation's authorization server")
        .refuses("an ID token of another application", json!({"payload": {"aud": "0oaexampleclient02"}}))
        .refuses(
            "an access token of this server",
            json!({
                "header": {"typ": "application/okta-internal-at+jwt"},
                "payload": {"aud": "https://example.okta.com", "cid": "0oaexampleclient01", "scp": ["openid"]}
            }),
        )
        .refuses("a token of a custom server", json!({"payload": {"iss": "https://example.okta.com/oauth2/default"}}))
        .run();
}

#[test]
fn auth0() {
    let rfc9068 = |jti: Value| json!({"header": {"typ": "at+jwt"}, "payload": {"azp": null, "client_id": "exampleclient", "jti": jti}});
    Provider::of("Auth0")
        .accepts("of the RFC 9068 profile", rfc9068(json!("73WakrfVbNJBaAmhQtEeDv")), json!({}))
        .accepts(
            "a machine's, for this API alone",
            json!({"payload": {
                "sub": "exampleclient@clients", "aud": "https://api.example.com", "scope": "write:orders", "permissions": null,
                "https://example.com/roles": null, "gty": "client-credentials"
            }}),
            json!({"subject": "exampleclient@clients", "audience": ["https://api.example.com"], "scopes": ["write:orders"]}),
        )
        .refuses(
            "an ID token of the same application",
            json!({"payload": {"aud": "exampleclient", "azp": null, "scope": null, "permissions": null, "nonce": "n"}}),
        )
        .refuses(
            "a token for the tenant's user information alone",
            json!({"payload": {"aud": ["https://example.eu.auth0.com/userinfo"]}}),
        )
        .refuses("a token of an API that Auth0 signs with HS256", json!({"header": {"alg": "HS256"}}))
        .refuses("a token whose `iss` has no slash at its end", json!({"payload": {"iss": "https://example.eu.auth0.com"}}))
        .refuses("an RFC 9068 token without `jti`", rfc9068(Value::Null))
        .run();
}

#[test]
fn keycloak() {
    Provider::of("Keycloak")
        .key("encryption", json!({"use": "enc", "alg": "RSA-OAEP"}))
        .accepts("with the header of RFC 9068", json!({"header": {"typ": "at+jwt"}}), json!({}))
        .accepts(
            "with a scope named as a role",
            json!({"payload": {"scope": "openid realm:admin orders:manager", "realm_access": null}}),
            json!({"scopes": ["openid", "orders:clerk"]}),
        )
        .accepts(
            "a service account's",
            json!({"payload": {
                "aud": "orders-api", "azp": "batch", "sub": "c0ffee00-7777-4888-8999-aaaabbbbcccc", "realm_access": null,
                "resource_access": {"account": null}, "client_id": "batch", "scope": "profile", "sid": null
            }}),
            json!({
                "client_id": "batch", "subject": "c0ffee00-7777-4888-8999-aaaabbbbcccc", "audience": ["orders-api"],
                "scopes": ["profile", "orders:clerk"]
            }),
        )
        .refuses("a token of a realm without an audience mapper", json!({"payload": {"aud": "account"}}))
        .refuses("a token without `aud`", json!({"payload": {"aud": null}}))
        .refuses("an ID token that has this API in `aud`", json!({"payload": {"aud": ["web-shop", "orders-api"], "typ": "ID"}}))
        .refuses("a token of another realm", json!({"payload": {"iss": "https://keycloak.example.com/realms/master"}}))
        .run();
}

#[test]
fn duende() {
    let machine = json!({"payload": {
        "sub": null, "auth_time": null, "idp": null, "amr": null, "sid": null,
        "client_id": "batch", "scope": ["orders.sync"], "aud": "orders"
    }});
    Provider::of("Duende IdentityServer")
        .accepts(
            "a machine's",
            machine,
            json!({"subject": Value::Null, "client_id": "batch", "audience": ["orders"], "scopes": ["orders.sync"]}),
        )
        .accepts("with scopes as one string", json!({"payload": {"scope": "openid orders.read"}}), json!({}))
        .refuses("an ID token", json!({"header": {"typ": "JWT"}, "payload": {"aud": "web-shop", "scope": null}}))
        .refuses("a token for another API", json!({"payload": {"aud": "invoices"}}))
        .refuses("a token without `client_id`", json!({"payload": {"client_id": null}}))
        .refuses("a token of a server with API scopes alone", json!({"payload": {"aud": null}}))
        .run();
}

#[test]
fn google() {
    Provider::of("Google, ID tokens")
        .accepts(
            "with the other spelling",
            json!({"payload": {"iss": "accounts.google.com"}}),
            json!({"issuer": "accounts.google.com"}),
        )
        .refuses("a token for another application", json!({"payload": {"aud": "999-other.apps.googleusercontent.com"}}))
        .refuses("a private account", json!({"payload": {"hd": null}}))
        .refuses("an account of another organisation", json!({"payload": {"hd": "example.net"}}))
        .refuses("an e-mail address that is not verified", json!({"payload": {"email_verified": false}}))
        .run();
}

#[test]
fn google_iap() {
    Provider::of("Google, Identity-Aware Proxy")
        .refuses(
            "an assertion for another backend of the project",
            json!({"payload": {"aud": "/projects/123456789012/global/backendServices/1"}}),
        )
        .refuses("a Google ID token", json!({"payload": {"iss": "https://accounts.google.com"}}))
        .run();
}

#[test]
fn apple() {
    Provider::of("Sign in with Apple")
        .accepts("with a boolean", json!({"payload": {"email_verified": true, "is_private_email": true}}), json!({}))
        .accepts(
            "on the web",
            json!({"payload": {"aud": "com.example.shop.web"}}),
            json!({"audience": ["com.example.shop.web"]}),
        )
        .refuses("a token for another app", json!({"payload": {"aud": "com.example.other"}}))
        .refuses("an address that is not verified", json!({"payload": {"email_verified": "false"}}))
        .refuses("a token without an address", json!({"payload": {"email": null, "email_verified": null}}))
        .run();
}

#[test]
fn github_actions() {
    Provider::of("GitHub Actions")
        .accepts(
            "with ids in its subject",
            json!({"payload": {"sub": "repo:octo-org@65/octo-repo@74:ref:refs/heads/main"}}),
            json!({"subject": "repo:octo-org@65/octo-repo@74:ref:refs/heads/main"}),
        )
        .refuses(
            "a workflow of another repository",
            json!({"payload": {"repository": "octo-org/other", "repository_id": "75", "sub": "repo:octo-org/other:ref:refs/heads/main"}}),
        )
        .refuses(
            "a workflow of a repository that took the name",
            json!({"payload": {"repository_id": "900", "repository_owner_id": "901"}}),
        )
        .refuses(
            "a pull request",
            json!({"payload": {"ref": "refs/pull/1/merge", "event_name": "pull_request", "sub": "repo:octo-org/octo-repo:pull_request"}}),
        )
        .refuses("a token with the default audience", json!({"payload": {"aud": "https://github.com/octo-org"}}))
        .run();
}

#[test]
fn hydra() {
    Provider::of("Ory Hydra")
        .accepts(
            "with scopes as one string",
            json!({"payload": {"scp": null, "scope": "offline orders.read"}}),
            json!({}),
        )
        .refuses("a token for no audience", json!({"payload": {"aud": []}}))
        .refuses(
            "an ID token of the same client",
            json!({"payload": {"aud": ["88888888-9999-4000-8111-222233334444"], "client_id": null, "scp": null}}),
        )
        .run();
}

#[test]
fn adfs() {
    Provider::of("AD FS")
        .refuses(
            "an ID token",
            json!({"payload": {"iss": "https://adfs.example.com/adfs", "aud": "aaaabbbb-1111-4222-8333-ccccddddeeee"}}),
        )
        .refuses("a token for the user information endpoint", json!({"payload": {"aud": "urn:microsoft:userinfo"}}))
        .run();
}
