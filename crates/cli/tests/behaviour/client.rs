//! `tollgate client`: OAuth clients and their secrets.

use crate::support::{Folder, Run, run};
use serde_json::{Value, json};

struct Store {
    _folder: Folder,
    path: String,
}

impl Store {
    fn new() -> Self {
        let folder = Folder::new();
        let path = folder.path("store");
        Store { _folder: folder, path }
    }

    fn client(&self, arguments: &[&str]) -> Run {
        let (command, further) = arguments.split_first().unwrap();
        run(&[&["client", command, "--store", &self.path], further].concat(), "")
    }

    fn secret(&self, arguments: &[&str]) -> String {
        let made = self.client(arguments);
        assert_eq!((made.status, made.lines().len()), (0, 1), "{made:?}");
        assert!(!made.stderr.contains(&made.stdout[10..40]), "{made:?}");
        made.stdout.trim_end().to_owned()
    }

    /// The error of `verify` for a client's credentials, if any.
    fn verify(&self, client_id: &str, secret: &str) -> Option<String> {
        let header = base64_simd::STANDARD.encode_to_string(format!("{client_id}:{secret}"));
        run(&["verify", "--store", &self.path], format!("Basic {header}")).errors().remove(0)
    }
}

fn errors(run: &Run) -> Vec<&str> {
    run.stdout.split("\"error\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn a_client_is_registered_with_its_secret() {
    let store = Store::new();
    let secret = store.secret(&["new", "--id", "billing", "--scope", "a b", "--name", "Billing"]);
    assert_eq!(store.verify("billing", &secret), None);
    assert_eq!(store.verify("other", &secret).unwrap(), "unknown-client");
    let listed = store.client(&["list", "--json"]).answers().remove(0);
    let secrets = &listed["secrets"][0];
    assert_eq!(
        listed,
        json!({
            "id": "billing", "name": "Billing", "scopes": ["a", "b"], "user_scopes": [], "redirect_uris": [],
            "type": "machine", "grants": ["client_credentials"], "token_endpoint_auth_method": "client_secret",
            "operators_own": false, "post_logout_redirect_uris": [], "backchannel_logout_uri": null,
            "require_pushed_authorization_requests": false, "dpop_bound_access_tokens": false, "tls_client_certificate_bound_access_tokens": false, "jwks": null, "created_at": listed["created_at"], "secrets": [{"id": secrets["id"], "state": "active", "expires_at": null}]
        })
    );
    store.client(&["new", "--id", "billing"]).refused_with("already such a client");
    store.client(&["new", "--scope", "a\"b"]).refused_with("--scope");
}

#[test]
fn a_public_client_has_no_secret() {
    let store = Store::new();
    let made = store.client(&["new", "--id", "app", "--public", "--redirect-uri", "https://app.example/cb", "--json"]);
    let made = &made.answers()[0];
    assert_eq!((&made["secrets"], &made["redirect_uris"]), (&json!([]), &json!(["https://app.example/cb"])));
    assert_eq!(made.get("key"), None::<&Value>);
    assert_eq!(errors(&store.client(&["rotate", "app", "--json"])), ["unknown-client"]);
}

#[test]
fn a_client_with_certificates_has_no_secret() {
    let store = Store::new();
    let new = |arguments: &[&str]| store.client(&[&["new", "--json", "--scope", "a"], arguments].concat());
    let issued = ["--id", "robot", "--auth-method", "tls_client_auth"];
    let subject = ["--tls-client-auth-subject-dn", "CN=robot,O=Example"];
    let made = new(&[&issued[..], &subject, &["--certificate-bound-tokens"]].concat()).answers().remove(0);
    assert_eq!((&made["tls_client_auth_subject_dn"], &made["secrets"]), (&json!("CN=robot,O=Example"), &json!([])));
    assert_eq!(made["tls_client_certificate_bound_access_tokens"], true);
    new(&issued).refused_with("tls_client_auth_subject_dn");
    new(&[&["--id", "other"][..], &subject].concat()).refused_with("tls_client_auth_subject_dn");
    new(&[&issued[..], &["--tls-client-auth-subject-dn", "robot"]].concat()).refused_with("tls_client_auth_subject_dn");
    let two = ["--tls-client-auth-san-dns", "robot.example", "--tls-client-auth-san-ip", "192.0.2.7"];
    new(&[&issued[..], &two].concat()).refused_with("cannot be used with");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("probe.pem");
    let certificate = rcgen::generate_simple_self_signed(["probe.example".to_owned()]).unwrap();
    std::fs::write(&file, certificate.cert.pem()).unwrap();
    let registered = ["--id", "probe", "--auth-method", "self_signed_tls_client_auth"];
    let made = new(&[&registered[..], &["--certificate", file.to_str().unwrap()]].concat()).answers().remove(0);
    let x5c = made["jwks"]["keys"][0]["x5c"][0].as_str().unwrap();
    assert_eq!(x5c, base64_simd::STANDARD.encode_to_string(certificate.cert.der()));
    assert_eq!(made["token_endpoint_auth_method"], "self_signed_tls_client_auth");
    std::fs::write(&file, certificate.signing_key.serialize_pem()).unwrap();
    let private =
        ["--id", "other", "--auth-method", "self_signed_tls_client_auth", "--certificate", file.to_str().unwrap()];
    new(&private).refused_with("jwks");
}

#[test]
fn a_client_with_keys_has_no_secret() {
    let store = Store::new();
    let jwks = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, jwks.to_string()).unwrap();
    let new =
        |arguments: &[&str]| store.client(&[&["new", "--json", "--id", "robot", "--scope", "a"], arguments].concat());
    let by_key = ["--auth-method", "private_key_jwt"];
    new(&by_key).refused_with("jwks");
    new(&["--jwks", file.to_str().unwrap()]).refused_with("jwks");
    let keys = [&by_key[..], &["--jwks", file.to_str().unwrap()]].concat();
    new(&[&keys[..], &["--expires-in", "1h"]].concat()).refused_with("--expires-in");
    let made = &new(&keys).answers()[0];
    assert_eq!((&made["token_endpoint_auth_method"], &made["jwks"]), (&json!("private_key_jwt"), &jwks));
    assert_eq!((&made["secrets"], made.get("key")), (&json!([]), None));
}

#[test]
fn a_client_is_of_the_type_that_was_asked_for() {
    let store = Store::new();
    let new = |arguments: &[&str]| store.client(&[&["new", "--json"], arguments].concat());
    let native = new(&["--id", "app", "--type", "native", "--scope", "a", "--redirect-uri", "com.example.app:/cb"]);
    let native = &native.answers()[0];
    let expected = (&json!("native"), &json!(["a"]), &json!([]), &json!("none"));
    let members = ["type", "user_scopes", "scopes", "token_endpoint_auth_method"].map(|member| &native[member]);
    assert_eq!((members[0], members[1], members[2], members[3]), expected);
    let web = ["--id", "shop", "--scope", "own", "--user-scope", "a b", "--redirect-uri", "https://shop.example/"];
    assert_eq!(new(&web).status, 0);
    let shop = store.client(&["list", "--json"]).answers().remove(1);
    assert_eq!((&shop["scopes"], &shop["user_scopes"]), (&json!(["own"]), &json!(["a", "b"])));
    new(&["--id", "odd", "--redirect-uri", "com.example.app:/cb"]).refused_with("redirect_uri");
    new(&["--id", "odd", "--type", "machine", "--redirect-uri", "https://odd.example/"])
        .refused_with("is empty, too long or malformed");
    new(&["--id", "odd", "--user-scope", "admin:keys", "--redirect-uri", "https://odd.example/"])
        .refused_with("user_scope");
}

/// OpenID Connect RP-Initiated Logout 1.0 section 3.1, Back-Channel Logout 1.0 section 2.2.
#[test]
fn a69_uris_of_logout_are_as_strict_as_redirect_uris() {
    let store = Store::new();
    let new = |arguments: &[&str]| {
        let shop = ["new", "--json", "--id", "shop", "--redirect-uri", "https://shop.example/cb"];
        store.client(&[&shop, arguments].concat())
    };
    let (after, back) = ("--post-logout-redirect-uri", "--backchannel-logout-uri");
    for wrong in
        ["javascript:alert(1)", "http://shop.example/bye", "https://shop.example/#bye", "https://shop.example/;"]
    {
        new(&[after, wrong]).refused_with("post_logout_redirect_uri");
        new(&[back, wrong]).refused_with("backchannel_logout_uri");
    }
    new(&[after, "com.example.app:/bye"]).refused_with("post_logout_redirect_uri");
    let native = ["new", "--id", "app", "--type", "native", "--redirect-uri", "com.example.app:/cb"];
    store.client(&[&native[..], &[back, "com.example.app:/bye"]].concat()).refused_with("backchannel_logout_uri");
    let device = ["new", "--id", "tv", "--type", "native", "--grant", "urn:ietf:params:oauth:grant-type:device_code"];
    assert_eq!(store.client(&[&device[..], &[back, "https://tv.example/logout"]].concat()).status, 0);
    store.client(&[&device[..], &[after, "https://tv.example/bye"]].concat()).refused_with("post_logout_redirect_uri");
    let machine = ["new", "--id", "job", back, "https://job.example/logout"];
    store.client(&machine).refused_with("backchannel_logout_uri");
    let bye = ["https://shop.example/bye", "https://shop.example/bye2"];
    let made = new(&[after, bye[0], after, bye[1], back, "https://shop.example/logout"]).answers().remove(0);
    assert_eq!(made["post_logout_redirect_uris"], json!(bye));
    assert_eq!(made["backchannel_logout_uri"], "https://shop.example/logout");
}

#[test]
fn a_client_is_switched_off_and_on() {
    let store = Store::new();
    let secret = store.secret(&["new", "--id", "c"]);
    let off = store.client(&["disable", "c", "nobody", "--json"]);
    assert_eq!((off.status, errors(&off)), (1, vec!["unknown-client"]));
    assert_eq!(off.answers()[0], json!({"ok": true, "id": "c", "state": "disabled", "secrets": 1}));
    assert_eq!(store.verify("c", &secret).unwrap(), "disabled");
    let revoked = run(&["revoke", "list", "--store", &store.path], "");
    assert_eq!(revoked.stdout, "", "no issuer was named");
    store.client(&["disable", "c", "--issuer", "https://as.example"]);
    let revoked = run(&["revoke", "list", "--store", &store.path, "--json"], "").answers().remove(0);
    assert_eq!(
        (&revoked["kind"], &revoked["issuer"], &revoked["name"]),
        (&"client".into(), &"https://as.example".into(), &"c".into())
    );
    assert_eq!(errors(&store.client(&["rotate", "c", "--json"])), ["no-active-secret"]);
    assert_eq!(store.client(&["enable", "c"]).stdout, "c active (1 secrets)\n");
    assert_eq!(store.verify("c", &secret), None);
}

#[test]
fn a_secret_is_rotated_with_an_overlap() {
    let store = Store::new();
    let first = store.secret(&["new", "--id", "c"]);
    let second = store.secret(&["rotate", "c", "--overlap", "1h"]);
    assert_eq!((store.verify("c", &first), store.verify("c", &second)), (None, None));
    // The secret in use, not the one that ends.
    let third = store.secret(&["rotate", "c", "--overlap", "0"]);
    assert_eq!(store.verify("c", &second).unwrap(), "expired");
    assert_eq!(store.verify("c", &first).unwrap(), "expired", "every other secret ends, as over HTTP");
    assert_eq!(store.verify("c", &third), None);
    let one_more = ["api-key", "new", "--kind", "client-secret", "--client-id", "c", "--store", &store.path];
    assert_eq!(run(&one_more, "").status, 0);
    let fourth = store.secret(&["rotate", "c", "--overlap", "0"]);
    assert_eq!((store.verify("c", &third).unwrap(), store.verify("c", &fourth)), ("expired".to_owned(), None));
}

#[test]
fn a_client_that_is_removed_has_its_secrets_revoked() {
    let store = Store::new();
    let secret = store.secret(&["new", "--id", "c"]);
    let removed = store.client(&["remove", "c", "nobody", "--json"]);
    assert_eq!((removed.status, errors(&removed)), (1, vec!["unknown-client"]));
    assert_eq!(removed.answers()[0], json!({"ok": true, "id": "c", "secrets": 1}));
    assert_eq!(store.verify("c", &secret).unwrap(), "revoked");
    assert_eq!(store.client(&["list"]).stdout, "");
}

#[test]
fn a_device_is_registered_without_a_redirect_uri() {
    let store = Store::new();
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let made = store.client(&["new", "--id", "tv", "--type", "native", "--grant", grant, "--scope", "read:sites"]);
    assert_eq!((made.status, made.lines()), (0, vec!["tv"]), "{made:?}");
    let listed = store.client(&["list", "--json"]).answers().remove(0);
    assert_eq!((&listed["grants"], &listed["user_scopes"]), (&json!([grant]), &json!(["read:sites"])));
    assert_eq!(listed["scopes"], json!([]), "it may do nothing itself");
    store.client(&["new", "--type", "browser", "--grant", grant]).refused_with("grants");
}
