//! `[[issuer]]` in the file of `--config`: every key, and the error for a wrong value.

use std::fs;
use std::path::PathBuf;

use tollgate::Algorithm;
use tollgate_tests::Draft;

use crate::support::{AUDIENCE, Folder, ISSUER, Run, run, token};

/// A folder with a key and an issuer's configuration for it.
struct World {
    folder: Folder,
    key: String,
}

impl World {
    fn new() -> Self {
        let folder = Folder::new();
        let key = folder.key("ES256", "k1");
        World { folder, key }
    }

    /// Verifies `token` with an issuer with additional lines.
    fn verify(&self, lines: &str, token: &str) -> Run {
        let text = format!("[[issuer]]\nname = {ISSUER:?}\njwks = {:?}\n{lines}\n", self.key);
        self.verify_with(&text, token)
    }

    fn verify_with(&self, configuration: &str, token: &str) -> Run {
        run(&["verify", "--config", &self.folder.write("tollgate.toml", configuration)], token)
    }

    /// A token with these claims, each `NAME=JSON`.
    fn token(&self, further: &[&str], claims: &[&str]) -> String {
        let claims: Vec<&str> = claims.iter().flat_map(|claim| ["--claim", *claim]).collect();
        token(&self.key, &[further, &claims].concat())
    }
}

fn audience() -> String {
    format!("audiences = [{AUDIENCE:?}]\n")
}

#[test]
fn claims_are_read_where_the_configuration_says() {
    let world = World::new();
    let claims = [
        "cid=\"app-1\"",
        "https://example.com/user=\"user-7\"",
        "permissions=[\"read\",\"two words\"]",
        "realm_access={\"roles\":[\"admin\"]}",
        "resource={\"servers\":[\"api-1\"]}",
    ];
    let token = world.token(&["--scope", "role:admin write"], &claims);
    let lines = "audiences = [\"api-1\"]\n[issuer.claims]\naudience = [\"/resource/servers\"]\nclient = [\"cid\"]\n\
        subject = [\"https://example.com/user\", \"sub\"]\nscopes_from = \"all\"\n\
        scopes = [\"scope\", \"permissions\", { at = \"/realm_access/roles\", prefix = \"role:\" }]";
    let principal = &world.verify(lines, &token).answers()[0]["principal"];
    assert_eq!(principal["audience"], serde_json::json!(["api-1"]));
    assert_eq!((principal["client_id"].as_str(), principal["subject"].as_str()), (Some("app-1"), Some("user-7")));
    assert_eq!(principal["scopes"], serde_json::json!(["write", "read", "role:admin"]));
    let first = lines.replace("scopes_from = \"all\"", "scopes_from = \"first\"");
    let principal = &world.verify(&first, &token).answers()[0]["principal"];
    assert_eq!(principal["scopes"], serde_json::json!(["write"]));
}

#[test]
fn an_issuer_may_have_a_name_for_each_tenant() {
    let world = World::new();
    let verify = |lines: &str, iss: &str, tid: &str| {
        let name = "https://as.example/{tenant}/v2.0";
        let text = format!("[[issuer]]\nname = {name:?}\njwks = {:?}\n{}{lines}\n", world.key, audience());
        let claims = format!("tid={tid:?}");
        let of = ["--issuer", iss, "--audience", AUDIENCE, "--claim", &claims];
        let made = run(&[&["token", "new", "--key", &world.key], &of[..]].concat(), "");
        let run = world.verify_with(&text, &made.stdout);
        let answer = run.answers().remove(0);
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["principal"]["issuer"].as_str().unwrap().to_owned()),
        }
    };
    let (contoso, refused) = ("https://as.example/contoso/v2.0", |error: &str| Err(error.to_owned()));
    assert_eq!(verify("tenant_claim = \"tid\"", contoso, "contoso"), Ok(contoso.to_owned()));
    assert_eq!(verify("tenant_claim = \"tid\"", contoso, "fabrikam"), refused("wrong-claim"));
    assert_eq!(verify("tenant_claim = \"org\"", contoso, "contoso"), refused("missing-claim"));
    assert_eq!(verify("tenant_claim = \"tid\"", "https://as.example/a/b/v2.0", "a/b"), refused("unknown-issuer"));
    let listed = "tenant_claim = \"tid\"\ntenants = [\"contoso\", \"x\"]";
    assert_eq!(verify(listed, contoso, "contoso"), Ok(contoso.to_owned()));
    assert_eq!(verify(listed, "https://as.example/fabrikam/v2.0", "fabrikam"), refused("unknown-issuer"));
}

#[test]
fn a_template_that_cannot_work_is_refused_with_its_line() {
    let world = World::new();
    let section = |name: &str, lines: &str| {
        format!("[[issuer]]\nname = {name:?}\njwks = {:?}\n{}{lines}\n", world.key, audience())
    };
    for (name, lines, message) in [
        (
            "https://as.example/{t}",
            "",
            ":1: the issuer \"https://as.example/{t}\" has a variable in its name and needs",
        ),
        (
            "https://{t}.example/",
            "tenant_claim = \"tid\"",
            ":1: the issuer \"https://{t}.example/\" has a name with a brace",
        ),
        ("https://as.example/", "tenant_claim = \"tid\"", "and no {variable} in its name"),
        ("https://as.example/", "tenants = [\"a\"]", "and no {variable} in its name"),
        ("https://as.example/{t}", "tenant_claim = \"tid\"\ntenants = []", "has an empty list of tenants"),
        ("https://as.example/{t}", "tenant_claim = \"tid\"\ntenants = [\"a/b\"]", "lists the tenant \"a/b\""),
        ("https://as.example/{t}", "tenant_claim = 1", ":5: "),
        ("https://as.example/{t}", "tenants = \"a\"", ":5: "),
    ] {
        world.verify_with(&section(name, lines), "").refused_with(message);
    }
    let claim = "tenant_claim = \"tid\"\n";
    let both = section("https://as.example/{t}/", claim) + &section("https://as.example/a{t}/", claim);
    world.verify_with(&both, "").refused_with("overlaps \"https://as.example/{t}/\": there is a name that both match");
}

#[test]
fn claims_are_expected_to_have_values() {
    let world = World::new();
    let lines = format!(
        "{}[issuer.expect]\ntoken_use = \"access\"\nemail_verified = true\nlevel = [1, 2.5, \"x\"]\n\
         \"/resource/tier\" = [\"gold\", \"silver\"]",
        audience()
    );
    let errors = |claims: &[&str]| world.verify(&lines, &world.token(&[], claims)).errors();
    let good = ["token_use=\"access\"", "email_verified=true", "level=2.5", "resource={\"tier\":\"gold\"}"];
    assert_eq!(errors(&good), [None]);
    for (index, wrong) in ["token_use=\"id\"", "email_verified=\"true\"", "level=\"1\"", "resource={\"tier\":\"lead\"}"]
        .iter()
        .enumerate()
    {
        let mut claims = good;
        claims[index] = wrong;
        assert_eq!(errors(&claims), [Some("wrong-claim".to_owned())], "{wrong}");
        claims[index] = "other=1";
        assert_eq!(errors(&claims), [Some("missing-claim".to_owned())], "{wrong}");
    }
}

#[test]
fn typ_may_be_a_list_and_claims_of_rfc_9068_optional() {
    let world = World::new();
    let errors = |lines: &str, typ: &str, further: &[&str]| {
        let token = world.token(&[&["--typ", typ], further].concat(), &[]);
        world.verify(&(audience() + lines), &token).errors()
    };
    let list = "typ = [\"JOSE\", \"application/secevent+jwt\"]";
    assert_eq!(errors(list, "secevent+jwt", &[]), [None]);
    assert_eq!(errors(list, "JWT", &[]), [Some("type-not-allowed".to_owned())]);
    let machine = ["--client-id", "c", "--subject", "s"];
    assert_eq!(errors("typ = \"at+jwt\"", "at+jwt", &machine), [None]);
    // `tollgate token new` makes no access token without `sub`.
    let key = tollgate_tests::signing_key(Algorithm::ES256, 0);
    let draft = Draft::new(&key).header("typ", "at+jwt").without_claim("sub").claim("exp", i64::MAX);
    let token = draft.claim("iss", ISSUER).claim("aud", AUDIENCE).sign(&key);
    let jwk = world.folder.write("k2.json", key.public_jwk().unwrap());
    let errors = |lines: &str| {
        let text = format!("[[issuer]]\nname = {ISSUER:?}\njwks = {jwk:?}\n{}typ = \"at+jwt\"\n{lines}", audience());
        world.verify_with(&text, &token).errors()
    };
    assert_eq!(errors(""), [Some("missing-claim".to_owned())]);
    assert_eq!(errors("optional_claims = [\"jti\"]"), [Some("missing-claim".to_owned())]);
    assert_eq!(errors("optional_claims = [\"sub\"]"), [None]);
}

#[test]
fn keys_of_other_uses_are_taken_where_they_are_listed() {
    let world = World::new();
    let token = world.token(&[], &[]);
    let private = fs::read_to_string(&world.key).unwrap();
    let verify = |key_use: Option<&str>, lines: &str| {
        let mut jwk: serde_json::Value = serde_json::from_str(&private).unwrap();
        jwk["use"] = key_use.into();
        let jwks = world.folder.write("used.json", serde_json::json!({ "keys": [jwk] }).to_string());
        world.verify_with(&format!("[[issuer]]\nname = {ISSUER:?}\njwks = {jwks:?}\n{}{lines}\n", audience()), &token)
    };
    let list = "key_use = [\"sig\", \"jwt-svid\"]";
    assert_eq!(verify(Some("sig"), "").errors(), [None]);
    assert_eq!(verify(Some("sig"), list).errors(), [None]);
    assert_eq!(verify(Some("jwt-svid"), list).errors(), [None]);
    verify(Some("jwt-svid"), "").refused_with("`use` is \"jwt-svid\", and has to be \"sig\"");
    verify(Some("x509-svid"), list).refused_with("`use` is \"x509-svid\", and has to be \"sig\" or \"jwt-svid\"");
    // A key without `use` is accepted as before.
    assert_eq!(verify(None, list).errors(), [None]);
    assert_eq!(verify(None, "key_use = [\"jwt-svid\"]").errors(), [None]);
}

#[test]
fn a_trust_domain_stands_in_place_of_a_name() {
    let world = World::new();
    let mut jwk: serde_json::Value = serde_json::from_str(&fs::read_to_string(&world.key).unwrap()).unwrap();
    jwk["use"] = "jwt-svid".into();
    let bundle = world.folder.write("bundle.json", serde_json::json!({ "keys": [jwk] }).to_string());
    let section = |lines: &str| format!("[[issuer]]\njwks = {bundle:?}\n{}{lines}\n", audience());
    let domain = section("spiffe_trust_domain = \"example.org\"");
    let token = |sub: &str| {
        let of = ["--issuer", "https://oidc.example.org", "--audience", AUDIENCE, "--subject", sub];
        let made = run(&[&["token", "new", "--key", &world.key], &of[..]].concat(), "");
        assert_eq!(made.status, 0, "{made:?}");
        made.stdout.trim_end().to_owned()
    };
    let tokens =
        ["spiffe://example.org/ns/shop", "spiffe://example.org.evil/ns/shop", "spiffe://example.org/../x"].map(token);
    let answered = world.verify_with(&domain, &tokens.join("\n"));
    let principal = &answered.answers()[0]["principal"];
    assert_eq!(principal["issuer"], "spiffe://example.org");
    assert_eq!(principal["subject"], "spiffe://example.org/ns/shop");
    let errors = [None, Some("unknown-issuer"), Some("invalid-claim")];
    assert_eq!(answered.errors(), errors.map(|error| error.map(str::to_owned)));
    for (lines, message) in [
        ("spiffe_trust_domain = \"Example.org\"", ":4: \"Example.org\" is no trust domain"),
        ("spiffe_trust_domain = \"spiffe://example.org\"", ":4: \"spiffe://example.org\" is no trust domain"),
        ("spiffe_trust_domain = \"{x}.org\"", ":4: \"{x}.org\" is no trust domain"),
        ("spiffe_trust_domain = 1", ":4: "),
        (
            "spiffe_trust_domain = \"example.org\"\nname = \"https://a.example\"",
            "has both a name and a spiffe_trust_domain",
        ),
        (
            "spiffe_trust_domain = \"example.org\"\ntyp = \"at+jwt\"",
            ":1: the issuer \"spiffe://example.org\" is a trust domain, for which JWT-SVID fixes typ",
        ),
        ("spiffe_trust_domain = \"example.org\"\ntenants = [\"a\"]", "has tenant_claim or tenants"),
    ] {
        world.verify_with(&section(lines), "").refused_with(message);
    }
    let twice = world.verify_with(&(domain.clone() + &domain), "");
    twice.refused_with(":5: the issuer \"spiffe://example.org\" is configured twice");
    // A trust domain ignores keys without `use` or with another one.
    let own = format!("[[issuer]]\njwks = {:?}\n{}spiffe_trust_domain = \"example.org\"\n", world.key, audience());
    world.verify_with(&own, "").refused_with("and has to be \"jwt-svid\"");
    assert_eq!(world.verify_with(&(own + "key_use = [\"sig\"]\n"), &tokens[0]).errors(), [None]);
}

#[test]
fn limits_are_raised_for_an_issuer() {
    let world = World::new();
    let audiences: Vec<String> = (0..200).map(|n| format!("\"a{n}\"")).collect();
    let aud = format!("resource={{\"audiences\":[{}]}}", audiences.join(","));
    let members: Vec<String> = (0..300).map(|n| format!("\"c{n}\":0")).collect();
    let wide = format!("access={{{}}}", members.join(","));
    let errors = |limits: &str, claim: &str| {
        let lines = format!("audiences = [\"a199\"]\n{limits}\nclaims.audience = [\"/resource/audiences\", \"aud\"]");
        let lines = lines.replace("a199", if claim == aud { "a199" } else { AUDIENCE });
        let token = run(
            &["token", "new", "--key", &world.key, "--issuer", ISSUER, "--audience", AUDIENCE, "--claim", claim],
            "",
        );
        assert_eq!(token.status, 0, "{token:?}");
        world.verify(&lines, &token.stdout).errors()
    };
    assert_eq!(errors("", &aud), [Some("too-many-entries".to_owned())]);
    assert_eq!(errors("max_list_entries = 1024", &aud), [None]);
    // `tollgate token new` makes none with so many members.
    assert_eq!(run(&["token", "new", "--key", &world.key, "--issuer", ISSUER, "--claim", &wide], "").status, 2);
}

#[test]
fn two_sections_of_one_name_are_told_apart() {
    let world = World::new();
    let section = |further: &str| format!("[[issuer]]\nname = {ISSUER:?}\njwks = {:?}\n{further}\n", world.key);
    let text = section("audiences = [\"api\"]\ntyp = \"at+jwt\"")
        + &section("audiences = [\"app\"]\nrequire_claims = [\"nonce\"]");
    let new = |further: &[&str]| {
        let made = run(&[&["token", "new", "--key", &world.key, "--issuer", ISSUER], further].concat(), "");
        assert_eq!(made.status, 0, "{made:?}");
        made.stdout
    };
    let tokens = [
        new(&["--audience", "api", "--typ", "at+jwt", "--subject", "s", "--client-id", "c"]),
        new(&["--audience", "app", "--claim", "nonce=\"n\""]),
        new(&["--audience", "api", "--claim", "nonce=\"n\""]),
        new(&["--audience", "app", "--typ", "at+jwt", "--subject", "s", "--client-id", "c"]),
        new(&["--audience", "app"]),
    ];
    let errors = world.verify_with(&text, &tokens.concat()).errors();
    let expected = [None, None, Some("wrong-audience"), Some("wrong-audience"), Some("missing-claim")];
    assert_eq!(errors, expected.map(|error| error.map(str::to_owned)));
}

#[test]
fn what_is_wrong_with_an_issuer_is_said_with_its_line() {
    let world = World::new();
    for (lines, line, message) in [
        ("audience = [\"a\"]", 4, "unknown field `audience`, expected one of `name`, `spiffe_trust_domain`"),
        ("jwk = \"x\"", 4, "`jwks`, `remote`, `secret`"),
        ("audiences = \"a\"", 4, "expected a sequence"),
        ("\n\naudiences = [1]", 6, "expected a string"),
        ("algorithms = [\"ES256\", \"none\"]", 4, "unknown algorithm \"none\", expected one of HS256"),
        ("typ = \"secevent+jwt\"", 4, "expected \"JWT\", \"at+jwt\", \"either\", or a list of media types"),
        ("typ = []", 4, "a list of typ must not be empty"),
        ("typ = [\"a b\"]", 4, "\"a b\" is no media type"),
        ("typ = 1", 4, "expected \"JWT\""),
        ("key_use = \"sig\"", 4, "expected a sequence"),
        ("key_use = [\"sig\", 1]", 4, "expected a string"),
        ("key_use = []", 4, "a list of the use of keys must not be empty"),
        ("key_use = [\"\"]", 4, "the use of a key must not be empty"),
        ("leeway = -1", 4, "invalid value: integer `-1`, expected u32"),
        ("optional_claims = [\n\"sub\",\n\"exp\"]", 6, "\"exp\" cannot be made optional"),
        ("require_claims = [\"\"]", 4, "the name of a claim must not be empty"),
        ("require_claims = [\"/a~b\"]", 4, "is no JSON Pointer"),
        ("[issuer.claims]\nscope = [\"a\"]", 5, "unknown field `scope`, expected one of `audience`"),
        ("[issuer.claims]\nscopes = \"a\"", 5, "expected a sequence"),
        ("[issuer.claims]\nscopes = [{ at = \"a\" }]", 5, "missing field `prefix`"),
        ("[issuer.claims]\nscopes = [{ at = \"a\", prefix = \"\" }]", 5, "is no prefix of scopes"),
        ("[issuer.claims]\nscopes = [{ at = \"a\", prefix = \"b\", to = 1 }]", 5, "unknown field `to`"),
        ("[issuer.claims]\nscopes = [1]", 5, "expected a claim's name, a JSON Pointer, or { at, prefix }"),
        ("[issuer.claims]\nscopes_from = \"both\"", 5, "unknown variant `both`, expected `first` or `all`"),
        ("[issuer.claims]\nsubject = [\"/a/~2\"]", 5, "is no JSON Pointer"),
        ("[issuer.expect]\na = \"x\"\nb = {}", 6, "expected a string, a number, a boolean, or a list of these"),
        ("[issuer.expect]\na = [[]]", 5, "expected a string, a number or a boolean"),
        ("[issuer.expect]\n\"/~\" = 1", 5, "is no JSON Pointer"),
        ("expect = 1", 4, "expected a table of claims"),
        // Contradictions are reported at the line of the section.
        ("", 1, "needs an audience"),
        ("audiences = [\"\"]", 1, "has an audience that is empty"),
        ("audiences = [\"a\"]\nalgorithms = []", 1, "has an empty list of algorithms"),
        ("audiences = [\"a\"]\nleeway = 301", 1, "has a leeway of 301 s"),
        ("audiences = [\"a\"]\nmax_members = 0", 1, "has max_members = 0"),
        ("audiences = [\"a\"]\nclaims.audience = []", 1, "has an empty list of claims for the audience"),
        ("audiences = [\"a\"]\nclaims.client = [\"a\", \"/a\"]", 1, "names the claim a twice among those of client"),
        ("audiences = [\"a\"]\nexpect.a = []", 1, "expects a to be one of no values"),
        ("audiences = [\"a\"]\nrequire_claims = [\"sub\"]\noptional_claims = [\"sub\"]", 1, "sub among require_claims"),
        ("audiences = [\"a\"]\nremote.jwks_uri = \"https://a/\"", 1, "has both jwks and remote"),
    ] {
        let text = format!("[[issuer]]\nname = {ISSUER:?}\njwks = {:?}\n{lines}\n", world.key);
        let path = world.folder.write("tollgate.toml", &text);
        let refused = run(&["verify", "--config", &path], "");
        refused.refused_with(message);
        assert!(refused.stderr.starts_with(&format!("tollgate: {path}:{line}: ")), "{lines}: {}", refused.stderr);
    }
    let without_keys = format!("\n[[issuer]]\nname = {ISSUER:?}\naudiences = [\"a\"]\n");
    let refused = world.verify_with(&without_keys, "");
    refused.refused_with(":2: the issuer \"https://as.example\" needs keys: give jwks, remote or secret");
    world
        .verify_with("[[issuer]]\njwks = \"x\"\naudiences = [\"a\"]\n", "")
        .refused_with(":1: the issuer needs a name");
    let section = format!("[[issuer]]\nname = {ISSUER:?}\njwks = {:?}\naudiences = [\"a\"]\n", world.key);
    world.verify_with(&format!("{section}\n{section}"), "").refused_with(":6: the issuer \"https://as.example\" is");
}

/// The accepted keys, as listed in the error about an unknown one.
fn keys_of(message: &str) -> Vec<String> {
    let listed = message.split("expected ").nth(1).unwrap_or_else(|| panic!("{message}"));
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_help_has_every_key_and_all_that_it_has_is_taken() {
    let help = run(&["verify", "--help"], "").stdout;
    let block: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.contains("The file of --config"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .collect();
    // Of settings that exclude each other, one is kept.
    let excluded = ["store.", "remote.", "secret.", "spiffe_trust_domain"];
    let kept = block.iter().filter(|line| !excluded.iter().any(|key| line.trim_start().starts_with(key)));
    let text =
        kept.copied().collect::<Vec<_>>().join("\n").replace("\"sub\", \"/resource/tier\"", "\"/resource/tier\"");
    let folder = Folder::new();
    fs::rename(folder.key("ES256", "k1"), folder.path("jwks.json")).unwrap();
    folder.write("keys.jsonl", "");
    let verified = run(&["verify", "--config", &folder.write("tollgate.toml", &text)], "");
    assert_eq!((verified.status, verified.stderr.as_str()), (0, ""), "{text}");

    let unknown = |key: &str| {
        let text = format!("[[issuer]]\nname = \"a\"\n{key} = 1\n");
        keys_of(&run(&["verify", "--config", &folder.write("unknown.toml", text)], "").stderr)
    };
    let mut keys = unknown("x");
    assert!(keys.len() > 12, "{keys:?}");
    keys.retain(|key| {
        !["claims", "remote", "secret", "status_lists", "introspection", "expect"].contains(&key.as_str())
    });
    keys.extend(unknown("claims.x").into_iter().map(|key| format!("claims.{key}")));
    keys.extend(unknown("remote.x").into_iter().map(|key| format!("remote.{key}")));
    keys.extend(unknown("secret.x").into_iter().map(|key| format!("secret.{key}")));
    for key in keys {
        assert!(
            block.iter().any(|line| line.trim_start().starts_with(&format!("{key} = "))),
            "{key} is not in the help"
        );
    }
}

/// Every key of an issuer in one file, and tokens that depend on each.
#[test]
fn every_key_of_an_issuer_works_beside_all_others() {
    let folder = Folder::new();
    let [key, svid] = [0, 1].map(|index| tollgate_tests::signing_key(Algorithm::ES256, index));
    let jwks = |key: &tollgate_issuer::SigningKey| {
        let mut jwk: serde_json::Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
        jwk["use"] = "jwt-svid".into();
        serde_json::json!({ "keys": [jwk] }).to_string()
    };
    folder.write("jwks.json", jwks(&key));
    folder.write("bundle.json", jwks(&svid));
    folder.write("secret.txt", "00".repeat(32));
    let text = r#"
[[issuer]]
name = "https://login.example/{tenant}/v2.0"
tenant_claim = "tid"
tenants = ["1111", "2222"]
audiences = ["app-1"]
jwks = "jwks.json"
algorithms = ["ES256"]
key_use = ["sig", "jwt-svid"]
typ = ["JOSE", "at+jwt", "secevent+jwt"]
leeway = 5
require_claims = ["jti", "/resource/tier"]
max_list_entries = 1024
max_members = 1024
require_fresh_revocations = false
danger_accept_any_audience = false
danger_accept_missing_exp = false
[issuer.claims]
audience = ["aud", "client_id"]
client = ["azp"]
subject = ["oid", "sub"]
scopes = ["scope", "permissions", { at = "/realm_access/roles", prefix = "role:" }]
scopes_from = "all"
[issuer.expect]
token_use = "access"
email_verified = true
"/resource/tier" = ["gold", "silver"]

[[issuer]]
name = "https://machines.example"
audiences = ["app-1"]
algorithms = ["HS256"]
typ = "at+jwt"
optional_claims = ["sub"]
[issuer.secret]
file = "secret.txt"
encoding = "hex"

[[issuer]]
spiffe_trust_domain = "example.org"
audiences = ["app-1"]
jwks = "bundle.json"
"#;
    let configuration = folder.write("tollgate.toml", text);
    let many: Vec<String> = (0..200).map(|index| format!("p{index}")).collect();
    let wide: serde_json::Map<_, _> = (0..300).map(|index| (format!("m{index}"), index.into())).collect();
    let draft = |tenant: &str| {
        let claims = [
            ("iss", serde_json::json!(format!("https://login.example/{tenant}/v2.0"))),
            ("tid", tenant.into()),
            ("client_id", "app-1".into()),
            ("azp", "caller".into()),
            ("oid", "object-7".into()),
            ("scope", "read role:admin".into()),
            ("permissions", many.clone().into()),
            ("realm_access", serde_json::json!({ "roles": ["auditor"] })),
            ("token_use", "access".into()),
            ("email_verified", true.into()),
            ("resource", serde_json::json!({ "tier": "gold", "wide": wide })),
            ("exp", i64::MAX.into()),
        ];
        let draft = Draft::new(&key).header("typ", "application/secevent+jwt").without_claim("aud");
        claims.into_iter().fold(draft, |draft, (name, value)| draft.claim(name, value))
    };
    let workload = Draft::new(&svid).without_claim("iss").claim("sub", "spiffe://example.org/a").claim("aud", "app-1");
    let tokens = [
        draft("1111").sign(&key),
        draft("3333").sign(&key),
        draft("2222").claim("email_verified", false).sign(&key),
        draft("2222").header("typ", "JWT").sign(&key),
        workload.claim("exp", i64::MAX).sign(&svid),
    ];
    let answered = run(&["verify", "--config", &configuration], tokens.join("\n"));
    let errors = [None, Some("unknown-issuer"), Some("wrong-claim"), Some("type-not-allowed"), None];
    assert_eq!(answered.errors(), errors.map(|error| error.map(str::to_owned)), "{answered:?}");
    let answers = answered.answers();
    let [principal, workload] = [0, 4].map(|index| &answers[index]["principal"]);
    assert_eq!(principal["issuer"], "https://login.example/1111/v2.0");
    assert_eq!((&principal["client_id"], &principal["subject"]), (&"caller".into(), &"object-7".into()));
    assert_eq!(principal["audience"], serde_json::json!(["app-1"]));
    let scopes = principal["scopes"].as_array().unwrap();
    assert_eq!((scopes.len(), &scopes[0], &scopes[201]), (202, &"read".into(), &"role:auditor".into()));
    assert_eq!(workload["issuer"], "spiffe://example.org");
}

#[test]
fn a_key_of_the_wrong_type_is_said_with_its_line() {
    let folder = Folder::new();
    let refused = |text: &str| {
        let path = folder.write("tollgate.toml", text);
        let run = run(&["verify", "--config", &path], "");
        assert_eq!((run.status, run.stdout.as_str(), run.stderr.lines().count()), (2, "", 1), "{text}: {run:?}");
        run.stderr.strip_prefix(&format!("tollgate: {path}:")).unwrap_or_else(|| panic!("{text}: {run:?}")).to_owned()
    };
    let keys_at = |table: &str| {
        let dot = if table.is_empty() { "" } else { "." };
        let keys = keys_of(&refused(&format!("[[issuer]]\n{table}{dot}x = 1\n")));
        keys.into_iter().map(|key| format!("{table}{dot}{key}")).collect::<Vec<_>>()
    };
    let tables = ["", "claims", "remote", "secret"];
    let keys: Vec<String> = tables.into_iter().flat_map(keys_at).collect();
    assert!(keys.len() > 35, "{keys:?}");
    // No key accepts a number with a fraction, except the expected value of a claim.
    for key in keys {
        let message = refused(&format!("[[issuer]]\n\n\n{key} = 0.5\n"));
        let says_what = message.contains("expected") || message.contains("wanted");
        assert!(message.starts_with("4: ") && says_what, "{key}: {message}");
    }
    for lines in ["expect.a = 1979-05-27", "expect.a = [[]]", "expect.a = { b = 1 }", "expect.\"/~2\" = 1"] {
        let message = refused(&format!("[[issuer]]\n\n\n{lines}\n"));
        assert!(message.starts_with("4: "), "{lines}: {message}");
    }
}

/// Inputs from public bug reports, if their folder, which is not part of this repository, is present beside it.
fn report(name: &str, lines: &str) -> Option<Run> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reports")).join(name);
    let Ok(header) = fs::read(folder.join("header.txt")) else {
        println!("{} is not there: not tested", folder.display());
        return None;
    };
    let jwks = folder.join("jwks.json");
    let text = format!("[[issuer]]\nname = {ISSUER:?}\njwks = {jwks:?}\n{lines}\n");
    let config = Folder::new();
    Some(run(&["verify", "--config", &config.write("tollgate.toml", text), "--now", "1800000000"], header))
}

#[test]
fn report_01_is_accepted() {
    let Some(run) = report("01", &audience()) else { return };
    assert_eq!(run.answers()[0]["principal"]["scopes"], serde_json::json!(["read"]));
}

#[test]
fn report_02_is_accepted_where_sub_is_optional() {
    let of = |further: &str| report("02", &format!("{}typ = \"at+jwt\"\n{further}", audience()));
    let (Some(usual), Some(optional)) = (of(""), of("optional_claims = [\"sub\"]")) else { return };
    assert_eq!(usual.errors(), [Some("missing-claim".to_owned())]);
    assert_eq!(optional.answers()[0]["principal"]["client_id"], "m2m.client");
}

#[test]
fn report_04_is_accepted_for_its_own_app() {
    let of = |app: &str| {
        let lines = "claims.audience = [\"aud\", \"client_id\"]\nexpect.token_use = \"access\"";
        report("04", &format!("audiences = [\"{app}\"]\n{lines}"))
    };
    let (Some(own), Some(other)) = (of("5example5"), of("another")) else { return };
    assert_eq!(own.answers()[0]["principal"]["audience"], serde_json::json!(["5example5"]));
    assert_eq!(other.errors(), [Some("wrong-audience".to_owned())]);
}

#[test]
fn report_05_is_accepted_of_any_tenant_and_of_those_listed() {
    let of = |lines: &str| {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reports/05"));
        let Ok(header) = fs::read(folder.join("header.txt")) else {
            println!("{} is not there: not tested", folder.display());
            return None;
        };
        let (name, jwks) = ("https://login.microsoftonline.com/{tenantid}/v2.0", folder.join("jwks.json"));
        let audience = "6731de76-14a6-49ae-97bc-6eba6914391e";
        let text = format!("[[issuer]]\nname = {name:?}\naudiences = [{audience:?}]\njwks = {jwks:?}\n{lines}\n");
        let config = Folder::new();
        Some(run(&["verify", "--config", &config.write("tollgate.toml", text), "--now", "1800000000"], header))
    };
    let tenant = "11111111-2222-3333-4444-555555555555";
    let Some(any) = of("tenant_claim = \"tid\"") else { return };
    assert_eq!(any.answers()[0]["principal"]["issuer"], format!("https://login.microsoftonline.com/{tenant}/v2.0"));
    let listed = of(&format!("tenant_claim = \"tid\"\ntenants = [{tenant:?}]")).unwrap();
    assert_eq!(listed.answers()[0]["principal"]["subject"], "user-7");
    assert_eq!(of("tenant_claim = \"tid\"\ntenants = [\"a\"]").unwrap().errors(), [Some("unknown-issuer".to_owned())]);
    assert_eq!(of("tenant_claim = \"oid\"").unwrap().errors(), [Some("wrong-claim".to_owned())]);
    of("").unwrap().refused_with("needs tenant_claim");
}
