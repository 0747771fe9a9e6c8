//! `tollgate api-key` on a store: the effect, output and records of each sub-command.

use std::fs;

use crate::support::{Folder, Run, run, run_command};
use serde_json::{Value, json};

/// A store, and the commands on it.
struct Store {
    folder: Folder,
    path: String,
}

impl Store {
    fn new() -> Self {
        let folder = Folder::new();
        let path = folder.path("store");
        Store { folder, path }
    }

    fn run(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Run {
        let (command, further) = arguments.split_first().unwrap();
        run(&[&["api-key", command, "--store", &self.path], further].concat(), input)
    }

    /// Makes a key. Returns the key and its description.
    fn make(&self, further: &[&str]) -> (String, Value) {
        let made = self.run(&[&["new", "--json"], further].concat(), "");
        assert_eq!(made.status, 0, "{made:?}");
        let mut facts = made.answers().remove(0);
        let key = facts["key"].take().as_str().unwrap().to_owned();
        (key, facts)
    }

    /// The error of `verify` for a key, if any.
    fn verify(&self, key: &str) -> Option<String> {
        run(&["verify", "--store", &self.path], key).errors().remove(0)
    }

    fn ids(&self, further: &[&str]) -> Vec<String> {
        let listed = self.run(&[&["list", "--json"], further].concat(), "");
        assert_eq!(listed.status, 0, "{listed:?}");
        listed.answers().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn id(facts: &Value) -> &str {
    facts["id"].as_str().unwrap()
}

#[test]
fn new_prints_the_key_alone_and_the_store_has_its_digest_alone() {
    let store = Store::new();
    let made = store.run(&["new", "--subject", "user-7", "--scope", "a b", "--name", "for the build"], "");
    assert_eq!((made.status, made.stdout.lines().count()), (0, 1), "{made:?}");
    let key = made.stdout.trim_end();
    assert!(key.starts_with("tg_live_2") && key.len() == 58, "{made:?}");
    assert!(!made.stderr.contains(&key[9..]) && made.stderr.contains("made a new store"), "{made:?}");
    assert_eq!(store.verify(key), None);
    // No file of the store contains it either.
    for file in fs::read_dir(&store.path).unwrap() {
        let content = fs::read(file.unwrap().path()).unwrap();
        assert!(!content.windows(20).any(|window| window == &key.as_bytes()[10..30]));
    }
}

#[test]
fn the_members_of_json_are_these() {
    let store = Store::new();
    let arguments = [
        "--kind",
        "access-token",
        "--subject",
        "user-7",
        "--client-id",
        "c1",
        "--scope",
        "a",
        "--scope",
        "b c",
        "--id",
        "k1",
        "--name",
        "n",
        "--allow-address",
        "192.0.2.0/24",
        "--expires-in",
        "1h",
        "--not-before",
        "2026-01-31T00:00:00Z",
    ];
    let (_, facts) = store.make(&arguments);
    let created_at = facts["created_at"].as_i64().unwrap();
    let expected = json!({
        "key": null, "id": "k1", "kind": "access-token", "state": "active", "subject": "user-7", "client_id": "c1",
        "scopes": ["a", "b", "c"], "created_at": created_at, "not_before": 1_769_817_600, "expires_at": created_at + 3600,
        "name": "n", "metadata": null, "allowed_addresses": ["192.0.2.0/24"], "prefix": "tg", "env": "live",
        "rotated_to": null, "overlap_ends_at": null
    });
    assert_eq!(facts, expected);
    let mut expected = expected;
    expected.as_object_mut().unwrap().remove("key");
    assert_eq!(store.run(&["list", "--json"], "").answers(), [expected.clone()]);
    assert_eq!(store.run(&["show", "k1", "--json"], "").answers(), [expected]);
}

#[test]
fn many_keys_are_made_in_one_run() {
    let store = Store::new();
    let made = store.run(&["new", "--subject", "u", "--count", "2500"], "");
    let mut keys: Vec<&str> = made.lines();
    assert_eq!((made.status, keys.len()), (0, 2500));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 2500);
    assert_eq!(store.ids(&["--all"]).len(), 2500);
    assert!(store.run(&["check"], &made.stdout).errors().iter().all(Option::is_none));
    store.run(&["new", "--subject", "u", "--count", "0"], "").refused_with("--count");
    store.run(&["new", "--subject", "u", "--count", "2", "--id", "x"], "").refused_with("--id");
}

#[test]
fn list_goes_by_page_and_filter() {
    let store = Store::new();
    for n in 0..5 {
        store.make(&["--subject", "a", "--id", &format!("k{n}")]);
    }
    store.make(&["--subject", "b", "--id", "k5", "--expires-in", "1h"]);
    store.make(&["--kind", "client-secret", "--client-id", "c", "--id", "k6", "--expires-in", "40d"]);
    store.run(&["disable", "k1"], "");

    let page = store.run(&["list", "--json", "--limit", "3"], "");
    assert_eq!(page.lines().len(), 3);
    assert!(page.stderr.contains("--after k2"), "{page:?}");
    let rest = store.run(&["list", "--json", "--after", "k2"], "");
    assert_eq!((rest.lines().len(), rest.stderr.as_str()), (4, ""));
    assert_eq!(store.ids(&["--subject", "b"]), ["k5"]);
    assert_eq!(store.ids(&["--state", "disabled"]), ["k1"]);
    assert_eq!(store.ids(&["--kind", "client-secret"]), ["k6"]);
    assert_eq!(store.ids(&["--expires-before", "30d"]), ["k5"]);
    assert_eq!(store.ids(&["--expires-before", "2999-12-31"]), ["k5", "k6"]);
    assert_eq!(store.ids(&["--expires-before", "now"]), [""; 0]);
    let rows = store.run(&["list"], "");
    assert_eq!(rows.lines().len(), 1 + 7);
    assert!(rows.lines()[2].starts_with("k1 ") && rows.lines()[2].contains("disabled"), "{rows:?}");
}

#[test]
fn what_names_say_cannot_command_a_terminal() {
    let store = Store::new();
    store.make(&["--subject", "a\u{1b}[2J\nx", "--id", "k", "--name", "\u{202e}n"]);
    for shown in [store.run(&["list"], ""), store.run(&["show", "k"], ""), store.run(&["list", "--json"], "")] {
        assert!(!shown.stdout.contains('\u{1b}'), "{shown:?}");
    }
    assert_eq!(store.run(&["list"], "").lines().len(), 2);
}

#[test]
fn show_says_what_is_known() {
    let store = Store::new();
    let (key, facts) = store.make(&["--subject", "user-7", "--expires-in", "1h"]);
    let shown = store.run(&["show", id(&facts)], "");
    assert!(shown.stdout.contains("subject      user-7\n") && shown.stdout.contains("tg_live_\n"), "{shown:?}");
    assert!(!shown.stdout.contains(&key[9..]));
    let unknown = store.run(&["show", "nobody", "--json"], "");
    assert_eq!(
        (unknown.status, unknown.stdout.as_str()),
        (
            1,
            "{\"ok\":false,\"id\":\"nobody\",\"error\":\"unknown-api-key\",\"detail\":\"nobody is no key of this store\"}\n"
        )
    );
    let unknown = store.run(&["show", "nobody"], "");
    assert_eq!((unknown.status, unknown.stdout.as_str(), unknown.stderr.lines().count()), (1, "", 1));
}

#[test]
fn what_is_disabled_may_be_enabled_and_what_is_revoked_stays_so() {
    let store = Store::new();
    let (key, facts) = store.make(&["--subject", "u"]);
    let on = |command: &str| store.run(&[command, "--json", id(&facts)], "");
    assert_eq!(on("disable").answers()[0], json!({"ok": true, "id": id(&facts), "state": "disabled", "changed": true}));
    assert_eq!(on("disable").answers()[0]["changed"], false);
    assert_eq!(store.verify(&key).unwrap(), "disabled");
    assert_eq!(on("enable").status, 0);
    assert_eq!(store.verify(&key), None);
    assert_eq!(on("revoke").answers()[0]["state"], "revoked");
    assert_eq!(store.verify(&key).unwrap(), "revoked");
    assert_eq!((on("revoke").status, on("revoke").answers()[0]["changed"].clone()), (0, json!(false)));
    for command in ["enable", "disable"] {
        let refused = on(command);
        assert_eq!((refused.status, refused.errors()), (1, vec![Some("key-revoked".to_owned())]));
    }
}

#[test]
fn ids_come_several_at_a_time_or_on_standard_input() {
    let store = Store::new();
    for n in 0..4 {
        store.make(&["--subject", "u", "--id", &format!("k{n}")]);
    }
    let some = store.run(&["revoke", "k0", "nobody", "k1"], "");
    assert_eq!((some.status, some.stdout.as_str()), (1, "k0 revoked\nk1 revoked\n"));
    assert!(some.stderr.contains("nobody"), "{some:?}");
    // More than one batch.
    let input = format!("k2\n\n{}k3\r\n", "nobody\n".repeat(2100));
    let many = store.run(&["revoke", "--json", "-"], input);
    assert_eq!((many.status, many.lines().len()), (1, 2102));
    assert_eq!(store.ids(&["--state", "revoked"]).len(), 4);
}

#[test]
fn rotate_prints_a_new_key_and_keeps_the_old_one_good_for_a_while() {
    let store = Store::new();
    let (old_key, old) =
        store.make(&["--subject", "u", "--scope", "a", "--name", "n", "--expires-in", "90d", "--prefix", "acme"]);
    let rotated = store.run(&["rotate", id(&old), "--overlap", "1h", "--json"], "");
    assert_eq!(rotated.status, 0, "{rotated:?}");
    let new = &rotated.answers()[0];
    let key = new["key"].as_str().unwrap();
    assert!(key.starts_with("acme_live_2") && !rotated.stderr.contains(&key[10..]), "{rotated:?}");
    assert_eq!(
        (&new["replaces"], &new["subject"], &new["scopes"], &new["name"]),
        (&old["id"], &json!("u"), &json!(["a"]), &json!("n"))
    );
    let lifetime = |key: &Value| key["expires_at"].as_i64().unwrap() - key["created_at"].as_i64().unwrap();
    assert_eq!(lifetime(new), 90 * 24 * 60 * 60);
    assert_eq!((store.verify(&old_key), store.verify(key)), (None, None));
    let shown = &store.run(&["show", id(&old), "--json"], "").answers()[0];
    assert_eq!((&shown["rotated_to"], &shown["overlap_ends_at"]), (&new["id"], &new["old_ends_at"]));

    let again = store.run(&["rotate", id(&old), "--json"], "");
    assert_eq!((again.status, again.errors()), (1, vec![Some("rotated".to_owned())]));
    let at_once = store.run(&["rotate", id(new), "--overlap", "0"], "");
    assert_eq!(at_once.lines().len(), 1);
    assert_eq!(store.verify(key).unwrap(), "expired");
    assert_eq!(store.verify(at_once.stdout.trim_end()), None);
    assert_eq!(store.run(&["rotate", "nobody"], "").status, 1);
    let (_, third) = store.make(&["--subject", "u"]);
    store.run(&["disable", id(&third)], "");
    assert_eq!(store.run(&["rotate", id(&third), "--json"], "").errors(), [Some("disabled".to_owned())]);
    store.run(&["revoke", id(&third)], "");
    assert_eq!(store.run(&["rotate", id(&third), "--json"], "").errors(), [Some("key-revoked".to_owned())]);
}

#[test]
fn check_judges_the_form_without_a_store() {
    // The vectors of docs/api-keys.md.
    let good = "tg_live_2003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau";
    let input = [
        (good, None),
        ("acme2_sandbox_2000000000000000000000000000000000000000000z0yxJC6", None),
        ("tg_live_2003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wa", Some("wrong-length")),
        ("tg_live_1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau", Some("unknown-version")),
        ("tg_live_2003aUlTJ_7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau", Some("not-base62")),
        ("tg_live_2z03aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau", Some("body-out-of-range")),
        ("tg_live_2003aUlTJC8tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau", Some("wrong-checksum")),
        ("9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52", Some("wrong-prefix")),
        ("", Some("wrong-prefix")),
    ];
    let lines: String = input.iter().map(|(key, _)| format!("{key}\n")).collect();
    let checked = run(&["api-key", "check"], &lines);
    assert_eq!(checked.status, 1);
    assert_eq!(checked.errors(), input.iter().map(|(_, error)| error.map(str::to_owned)).collect::<Vec<_>>());
    assert_eq!(
        checked.lines()[0],
        r#"{"ok":true,"prefix":"tg","env":"live","version":"2","id":null,"kind":null,"subject":null,"expires_at":null}"#
    );
    let own = run(&["api-key", "check", "--prefix", "acme2", "--env", "sandbox"], &lines);
    assert_eq!(own.errors()[..2], [Some("wrong-prefix".to_owned()), None]);
    // Only the common prefix of all keys is shown.
    for checked in [checked, own, run(&["api-key", "check", "--input", "json"], format!("{good}\n\"{good}\"\n"))] {
        assert!(!checked.stdout.contains("03aUlTJ") && !checked.stderr.contains("03aUlTJ"), "{checked:?}");
    }
}

#[test]
fn check_with_a_store_says_whether_the_key_is_valid() {
    let store = Store::new();
    let (good, facts) = store.make(&["--subject", "u"]);
    let (disabled, off) = store.make(&["--subject", "u"]);
    let (revoked, gone) = store.make(&["--subject", "u"]);
    let (later, _) = store.make(&["--subject", "u", "--not-before", "30d"]);
    let (rotated, old) = store.make(&["--subject", "u"]);
    store.run(&["disable", id(&off)], "");
    store.run(&["revoke", id(&gone)], "");
    store.run(&["rotate", id(&old), "--overlap", "0"], "");
    let other = Store::new().make(&["--subject", "u"]).0;
    let input = format!("{good}\n{disabled}\n{revoked}\n{later}\n{rotated}\n{other}\n{good}x\n");
    let checked = store.run(&["check"], input);
    let expected = [
        None,
        Some("disabled"),
        Some("revoked"),
        Some("not-yet-valid"),
        Some("expired"),
        Some("unknown-api-key"),
        Some("wrong-length"),
    ];
    assert_eq!(checked.errors(), expected.map(|error| error.map(str::to_owned)));
    let answers = checked.answers();
    assert_eq!(
        (&answers[0]["id"], &answers[0]["subject"], &answers[0]["kind"]),
        (&facts["id"], &json!("u"), &json!("api-key"))
    );
    assert_eq!((&answers[1]["id"], &answers[5]["id"]), (&off["id"], &Value::Null));
}

#[test]
fn the_environment_names_the_store() {
    let store = Store::new();
    let (_, facts) = store.make(&["--subject", "u"]);
    let mut command = crate::support::command(&["api-key", "list", "--json"]);
    command.env("TOLLGATE_STORE", &store.path);
    assert_eq!(run_command(command, b"").answers()[0]["id"], facts["id"]);
    // `--file` takes precedence.
    let file = store.folder.path("keys.jsonl");
    let mut command = crate::support::command(&["api-key", "new", "--subject", "u", "--file", &file]);
    command.env("TOLLGATE_STORE", &store.path);
    assert_eq!(run_command(command, b"").status, 0);
    assert_eq!(fs::read_to_string(file).unwrap().lines().count(), 1);
    assert_eq!(store.ids(&[]).len(), 1);
}

#[test]
fn a_store_is_a_folder_or_a_file() {
    let folder = Folder::new();
    let (as_folder, as_file) = (folder.path("data"), folder.path("keys.db"));
    for path in [&as_folder, &as_file] {
        assert_eq!(run(&["api-key", "new", "--subject", "u", "--store", path], "").status, 0);
        assert_eq!(run(&["api-key", "list", "--json", "--store", path], "").lines().len(), 1);
    }
    assert!(fs::metadata(&as_folder).unwrap().is_dir() && fs::metadata(&as_file).unwrap().is_file());
    let text = folder.write("text", "hello, this is no database");
    run(&["api-key", "list", "--store", &text], "").refused_with(&text);
}

#[cfg(unix)]
#[test]
fn a_new_store_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let store = Store::new();
    store.make(&["--subject", "u"]);
    for file in fs::read_dir(&store.path).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    }
}
