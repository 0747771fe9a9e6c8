//! `tollgate revoke`: revocations in a store, and their effect on its followers.

use crate::support::{AUDIENCE, Folder, ISSUER, Run, run, token};
use serde_json::json;

struct Store {
    folder: Folder,
    path: String,
    key: String,
}

impl Store {
    fn new() -> Self {
        let folder = Folder::new();
        let (path, key) = (folder.path("store"), folder.key("EdDSA", "k"));
        assert_eq!(run(&["client", "new", "--id", "app", "--store", &path], "").status, 0);
        Store { folder, path, key }
    }

    fn revoke(&self, arguments: &[&str], input: &str) -> Run {
        run(&[&["revoke"], arguments, &["--store", &self.path]].concat(), input)
    }

    /// The error of `verify` for a token, if any.
    fn verify(&self, token: &str) -> Option<String> {
        let arguments =
            ["verify", "--issuer", ISSUER, "--audience", AUDIENCE, "--jwks", &self.key, "--store", &self.path];
        run(&arguments, format!("Bearer {token}")).errors().remove(0)
    }
}

#[test]
fn a_token_is_revoked_by_whatever_it_names_until_that_is_taken_back() {
    let store = Store::new();
    let session = "sid=\"s1\"";
    let token = token(&store.key, &["--jti", "t1", "--subject", "u1", "--client-id", "c1", "--claim", session]);
    for (kind, name) in [("jti", "t1"), ("subject", "u1"), ("session", "s1"), ("client", "c1")] {
        let of_issuer = [kind, name, "--issuer", ISSUER];
        assert_eq!(store.verify(&token), None);
        assert_eq!(store.revoke(&[kind, "other", "--issuer", ISSUER], "").stdout, "other revoked\n");
        assert_eq!(store.revoke(&[kind, name, "--issuer", "https://other.example"], "").status, 0);
        assert_eq!(store.verify(&token), None);
        assert_eq!(store.revoke(&of_issuer, "").status, 0);
        assert_eq!(store.verify(&token).unwrap(), "revoked", "{kind}");
        assert_eq!(store.revoke(&[&of_issuer[..], &["--undo"]].concat(), "").stdout, format!("{name} restored\n"));
        let again = store.revoke(&[&of_issuer[..], &["--undo", "--json"]].concat(), "");
        assert_eq!((again.status, again.errors()), (1, vec![Some("not-revoked".to_owned())]));
    }
    assert_eq!(store.revoke(&["issuer", ISSUER], "").status, 0);
    assert_eq!(store.verify(&token).unwrap(), "revoked");
}

#[test]
fn what_was_issued_later_is_spared() {
    let store = Store::new();
    let revoked = store
        .revoke(&["subject", "u", "--issuer", ISSUER, "--issued-before", "now", "--until", "2999-01-01", "--json"], "");
    let answer = &revoked.answers()[0];
    assert_eq!(
        *answer,
        json!({
            "ok": true, "kind": "subject", "issuer": ISSUER, "name": "u", "issued_before": answer["issued_before"],
            "until": 32_472_144_000_i64
        })
    );
    let now = answer["issued_before"].as_i64().unwrap();
    let at = |issued_at: i64| token(&store.key, &["--subject", "u", "--now", &issued_at.to_string()]);
    assert_eq!(store.verify(&at(now - 1)).unwrap(), "revoked");
    assert_eq!(store.verify(&at(now)), None);
}

#[test]
fn names_come_on_standard_input_and_are_listed() {
    let store = Store::new();
    let names: String = (0..1500).map(|n| format!("t{n:04}\n")).collect();
    let revoked = store.revoke(&["jti", "-", "--issuer", ISSUER], &names);
    assert_eq!((revoked.status, revoked.lines().len()), (0, 1500));
    store.revoke(&["issuer", "https://old.example"], "");
    let listed = store.revoke(&["list", "--json"], "").answers();
    assert_eq!(listed.len(), 1501);
    assert_eq!(
        listed[0],
        json!({"kind": "issuer", "issuer": "https://old.example", "name": "", "issued_before": null, "until": null})
    );
    assert_eq!((&listed[1500]["kind"], &listed[1500]["name"]), (&json!("token"), &json!("t1499")));
    assert_eq!(store.revoke(&["list"], "").lines().len(), 1501);
}

#[test]
fn what_cannot_be_revoked_is_said() {
    let store = Store::new();
    store.revoke(&["jti", "t"], "").refused_with("--issuer");
    store.revoke(&["jti", "t", "--issuer", ""], "").refused_with("issuer is empty");
    store.revoke(&["jti", "t", "--issuer", ISSUER, "--until", "soon"], "").refused_with("2026-12-31");
    store.revoke(&["jti", "t", "--issuer", ISSUER, "--undo", "--until", "now"], "").refused_with("cannot be used with");
    let absent = store.folder.path("absent");
    run(&["revoke", "list", "--store", &absent], "").refused_with("there is no store");
}

#[test]
fn opaque_access_tokens_fall_with_their_holder_when_that_is_asked_for() {
    let store = Store::new();
    let token = |further: &[&str]| {
        let new = ["api-key", "new", "--store", &store.path, "--kind", "access-token"];
        run(&[&new, further].concat(), "").stdout.trim_end().to_owned()
    };
    let of_subject = token(&["--subject", "u"]);
    let of_client = token(&["--subject", "v", "--client-id", "c"]);
    let revoke = |kind: &str, name: &str, further: &[&str]| {
        assert_eq!(store.revoke(&[&[kind, name, "--issuer", ISSUER], further].concat(), "").status, 0);
    };
    revoke("subject", "u", &[]);
    revoke("client", "c", &["--issued-before", "2000-01-01", "--access-tokens"]);
    assert_eq!((store.verify(&of_subject), store.verify(&of_client)), (None, None));
    revoke("subject", "u", &["--access-tokens"]);
    assert!(store.verify(&of_subject).is_some());
    assert_eq!(store.verify(&of_client), None);
    revoke("client", "c", &["--access-tokens"]);
    assert!(store.verify(&of_client).is_some());
}
