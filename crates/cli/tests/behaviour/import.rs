//! `tollgate api-key import` and `export`: accepted and refused input, and the messages.

use crate::support::{Folder, Run, run};
use serde_json::json;
use std::path::Path;

const UUID: &str = "9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d52";

struct Import {
    folder: Folder,
    store: String,
    pepper: String,
}

impl Import {
    fn new() -> Self {
        let folder = Folder::new();
        let (store, pepper) = (folder.path("store"), folder.write("pepper", [7; 32]));
        Import { folder, store, pepper }
    }

    fn run(&self, name: &str, content: impl AsRef<[u8]>, further: &[&str]) -> Run {
        let file = self.folder.write(name, content);
        run(&[&["api-key", "import", &file, "--store", &self.store], further].concat(), "")
    }

    /// Imports keys in clear.
    fn raw(&self, name: &str, content: impl AsRef<[u8]>, further: &[&str]) -> Run {
        self.run(name, content, &[&["--raw", "--pepper-file", &self.pepper], further].concat())
    }

    fn count(&self) -> usize {
        run(&["api-key", "list", "--all", "--json", "--store", &self.store], "").lines().len()
    }

    fn export(&self) -> String {
        run(&["api-key", "export", "--store", &self.store], "").stdout
    }
}

fn digest(n: u32) -> String {
    let mut bytes = [0xA5; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    tollgate::Digest::from_bytes(bytes).to_hex()
}

fn line(n: u32) -> String {
    format!("{{\"digest\":\"{}\",\"id\":\"k{n}\",\"kind\":\"api-key\",\"subject\":\"u\"}}\n", digest(n))
}

#[test]
fn digests_are_taken_from_json_and_from_csv() {
    let import = Import::new();
    let json = import.run("keys.jsonl", line(1) + &line(2), &["--json"]);
    assert_eq!(json.answers(), [json!({"ok": true, "added": 2, "skipped": 0, "minted": 0, "refused": 0})]);
    let csv = import.run("keys.CSV", format!("\u{feff}digest,id,kind,subject\r\n{},k3,api-key,u\r\n", digest(3)), &[]);
    assert_eq!((csv.status, csv.stdout.as_str()), (0, ""), "{csv:?}");
    assert!(csv.stderr.contains("1 keys imported"), "{csv:?}");
    let from_stdin = run(&["api-key", "import", "-", "--store", &import.store], line(4));
    assert_eq!((from_stdin.status, import.count()), (0, 4));

    let other = Import::new();
    for (name, format) in [("all.jsonl", "json"), ("all.csv", "csv")] {
        let exported = run(&["api-key", "export", "--format", format, "--store", &import.store], "");
        assert_eq!(exported.stderr, "");
        let imported = other.run(name, exported.stdout, &["--skip-existing"]);
        assert_eq!(imported.status, 0, "{imported:?}");
    }
    assert_eq!(other.export(), import.export());
}

#[test]
fn the_file_of_new_is_taken_over() {
    let import = Import::new();
    let file = import.folder.path("keys.jsonl");
    let key = run(&["api-key", "new", "--file", &file, "--subject", "u"], "").stdout;
    assert_eq!(run(&["api-key", "import", &file, "--store", &import.store], "").status, 0);
    assert_eq!(run(&["verify", "--store", &import.store], key).status, 0);
}

#[test]
fn of_a_bad_batch_nothing_is_imported_unless_told_to_keep_going() {
    let import = Import::new();
    let file = line(1) + "{\"digest\":\"x\"}\n" + &line(2) + "hello\n" + &line(1);
    let refused = import.run("keys.jsonl", &file, &[]);
    refused.refused_with("line 2: digest is missing or malformed; nothing was imported");
    refused.refused_with("--keep-going");
    assert_eq!(import.count(), 0);

    let kept_going = import.run("keys.jsonl", &file, &["--keep-going"]);
    assert_eq!((kept_going.status, kept_going.stdout.as_str()), (1, ""));
    let said: Vec<&str> = kept_going.stderr.lines().collect();
    assert!(said[0].contains("line 2: ") && said[1].contains("line 4: ") && said[2].contains("line 5: "), "{said:?}");
    assert_eq!(import.count(), 2);
    let as_json = import.run("keys.jsonl", &file, &["--keep-going", "--skip-existing", "--json"]);
    assert_eq!(
        as_json.answers(),
        [
            json!({"ok": false, "line": 2, "error": "invalid-field", "detail": "digest is missing or malformed"}),
            json!({"ok": false, "line": 4, "error": "not-json", "detail": "not the record of a key: not JSON, at column 1"}),
            json!({"ok": true, "added": 0, "skipped": 3, "minted": 0, "refused": 2})
        ]
    );
}

#[test]
fn keys_in_clear_are_digested_under_the_pepper_and_kept_nowhere() {
    let import = Import::new();
    let record = |member: &str, value: &str| {
        format!("{{\"{member}\":\"{value}\",\"id\":\"{member}\",\"kind\":\"api-key\",\"subject\":\"u\"}}\n")
    };
    let (other, base64) = ("12|Qm3kV8zT1xLr0YpW7sNcE5uHbJ2dFgA9", "MTJ8UW0za1Y4elQxeExyMFlwVzdzTmNFNXVIYkoyZEZnQTk=");
    let imported = import.raw("legacy.jsonl", record("key", UUID) + &record("key_base64", base64), &[]);
    assert_eq!(imported.status, 0, "{imported:?}");
    let hmac = |key: &[u8]| {
        use tollgate::apikeys::{ForeignKey, Pepper};
        let format = tollgate::KeyFormat::new("tg", "live").unwrap();
        let table = tollgate::ApiKeyTable::<()>::builder(format.clone()).pepper(Pepper::new(&[7; 32]).unwrap()).build();
        table.foreign_digest(&ForeignKey::new(&format, key).unwrap()).digest().to_hex()
    };
    let exported = import.export();
    assert!(exported.contains(&hmac(UUID.as_bytes())) && exported.contains(&hmac(other.as_bytes())), "{exported}");
    assert!(!exported.contains(UUID) && !exported.contains(base64));
    for file in std::fs::read_dir(&import.store).unwrap() {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!content.windows(36).any(|window| window == UUID.as_bytes()));
    }
    // The same record from a row.
    import
        .raw("legacy.csv", format!("key,id,kind,subject\n{other},again,api-key,u\n"), &[])
        .refused_with("line 2: there is already a key");

    let with = |store: &str, key: &str| {
        run(&["api-key", "check", "--store", store, "--pepper-file", &import.pepper], key).answers().remove(0)
    };
    assert_eq!(with(&import.store, UUID)["id"], "key");
    assert_eq!(with(&import.store, "9b2f64f1-6f0e-4c0e-9d0a-6a1f0c9b7d53")["error"], "wrong-prefix");
    let without = run(&["api-key", "check", "--store", &import.store], UUID);
    assert_eq!(without.errors(), [Some("wrong-prefix".to_owned())]);
}

#[test]
fn keys_in_clear_are_taken_only_when_asked_for_and_never_named() {
    let import = Import::new();
    let weak = "0123456789012345";
    let record = |key: &str| format!("{{\"key\":\"{key}\",\"kind\":\"api-key\",\"subject\":\"u\"}}\n");
    let refused = |run: Run, secret: &str, reason: &str| {
        run.refused_with(reason);
        assert!(!run.stderr.contains(secret), "{run:?}");
        assert_eq!(import.count(), 0);
    };
    // The first import creates the store.
    run(&["api-key", "import", "-", "--store", &import.store], "");
    refused(import.run("legacy.jsonl", record(UUID), &[]), UUID, "line 1: there is a key in clear");
    refused(
        import.run("legacy.csv", format!("key,kind,subject\n{UUID},api-key,u\n"), &[]),
        UUID,
        "line 2: there is a key in clear",
    );
    refused(import.raw("legacy.jsonl", record(weak), &[]), weak, "line 1: a foreign key of at most 53 bits");
    refused(import.raw("legacy.jsonl", record("short"), &[]), "short", "16 to 512 bytes");
    refused(import.raw("legacy.jsonl", record(&"x9".repeat(257)), &[]), "x9x9", "16 to 512 bytes");
    let native = "tg_live_2003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau";
    refused(import.raw("legacy.jsonl", record(native), &[]), native, "may not start as");
    // Secrets in the wrong place: instead of a number, a name, the header, the object.
    refused(import.raw("a.jsonl", format!("{{\"created_at\":\"{UUID}\"}}\n"), &[]), UUID, "column");
    refused(import.raw("a.jsonl", format!("{{\"{UUID}\":1}}\n"), &[]), UUID, "column");
    refused(import.raw("a.jsonl", format!("\"{UUID}\"\n"), &[]), UUID, "not JSON");
    refused(
        import.raw("a.jsonl", format!("{{\"key\":\"{UUID}\",\"digest\":\"{}\"}}\n", digest(1)), &[]),
        UUID,
        "digest",
    );
    refused(import.raw("a.csv", format!("{UUID},api-key,u\n"), &[]), UUID, "column 1 of the header");
    let short = import.folder.write("short", "too short");
    let file = import.folder.write("legacy.jsonl", record(UUID));
    run(&["api-key", "import", &file, "--raw", "--pepper-file", &short, "--store", &import.store], "")
        .refused_with("32 bytes");

    assert_eq!(import.raw("legacy.jsonl", record(weak), &["--danger-allow-low-entropy"]).status, 0);
    assert_eq!(import.run("legacy.jsonl", record(UUID), &["--raw", "--danger-without-pepper"]).status, 0);
    let table = tollgate::ApiKeyTable::<()>::new(tollgate::KeyFormat::new("tg", "live").unwrap());
    assert!(import.export().contains(&table.digest_of(UUID.as_bytes()).unwrap().digest().to_hex()));
}

#[test]
fn keys_that_no_header_can_hold_are_refused() {
    let import = Import::new();
    run(&["api-key", "import", "-", "--store", &import.store], "");
    let line = |kind: &str, key: &str| {
        let subject = if kind == "client-secret" { "c" } else { "u" };
        json!({"key": key, "kind": kind, "client_id": "c", "subject": subject}).to_string()
    };
    let taken = "k_9b2f64f1|6f0e4c0e:9d0a6a1f/c9b7d52aQ==";
    let (words, control) = ("k_9b2f64f1 6f0e4c0e, 9d0a6a1f0c9b7d52aQ", "k_9b2f64f1\u{1}6f0e4c0e9d0a6a1f0c9b7d52aQ");
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0";
    for kind in ["api-key", "access-token", "client-secret"] {
        let is_client = kind == "client-secret";
        for (key, is_good) in [(taken, true), (words, is_client), (jwt, is_client), (control, false)] {
            let imported = import.raw("legacy.jsonl", line(kind, key), &["--skip-existing"]);
            let place = if is_client { "no Basic credentials" } else { "no Authorization header" };
            match is_good {
                true => assert_eq!(imported.status, 0, "{kind} {key}: {imported:?}"),
                false => imported.refused_with(&format!("line 1: {place} can hold this")),
            }
            assert!(!imported.stderr.contains(key), "{imported:?}");
        }
    }
    let bytes = json!({"key_base64": "yMnKy8zNzs_Q0dLT1NXW19jZ2tvc3d7f4OHi4-Tl5uc", "kind": "client-secret"});
    import.raw("legacy.jsonl", bytes.to_string(), &[]).refused_with("it has to be UTF-8 without control characters");
    let client = json!({"key": UUID, "kind": "client-secret", "client_id": "a\u{7}b"});
    import.raw("legacy.jsonl", client.to_string(), &[]).refused_with("line 1: client_id is missing or malformed");
}

/// A file from a public bug report, if their folder, which is not part of this repository, is present beside it.
fn report(number: &str, name: &str) -> Option<String> {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reports")).join(number).join(name);
    let content = std::fs::read_to_string(&file).ok();
    if content.is_none() {
        println!("{} is not there: not tested", file.display());
    }
    content
}

#[test]
fn report_44_credentials_that_a_proxy_has_joined_are_several() {
    let (Some(headers), Some(jwks)) = (report("44", "headers.txt"), report("44", "jwks.json")) else { return };
    let folder = Folder::new();
    let jwks = folder.write("jwks.json", jwks);
    let issuer = ["verify", "--issuer", "https://as.example", "--audience", "https://api.example", "--jwks", &jwks];
    let verified = run(&[&issuer[..], &["--now", "1800000000"]].concat(), &headers);
    assert_eq!((verified.status, verified.errors().len()), (1, headers.lines().count()));
    // Values joined by anything but a comma are not a list (RFC 9110 section 5.6.1). They are rejected too, for their
    // form.
    for (error, header) in verified.errors().iter().zip(headers.lines()) {
        let is_list = header.contains(',');
        assert_eq!(error.as_deref() == Some("multiple-credentials"), is_list, "{header}: {error:?}");
        assert!(error.is_some(), "{header}");
    }
}

#[test]
fn report_54_a_key_is_imported_and_accepted_or_refused_at_import() {
    let (Some(headers), Some(keys)) = (report("54", "headers.txt"), report("54", "legacy.jsonl")) else { return };
    let import = Import::new();
    let imported = import.raw("legacy.jsonl", &keys, &["--keep-going", "--json"]);
    let refused: Vec<_> = imported.answers().iter().filter_map(|answer| answer["line"].as_u64()).collect();
    // The key with a comma, which would separate a list of credentials.
    assert_eq!(refused, [3], "{imported:?}");
    let keys: Vec<String> = keys
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["key"].as_str().unwrap().to_owned())
        .collect();
    let verified = run(&["verify", "--store", &import.store, "--pepper-file", &import.pepper], &headers);
    for (error, header) in verified.errors().into_iter().zip(headers.lines()) {
        let key = keys.iter().position(|key| header.strip_prefix("Bearer ").unwrap_or(header) == key).unwrap();
        assert_eq!(error.is_some(), refused.contains(&(key as u64 + 1)), "{header}: {error:?}");
    }
}

#[test]
fn keys_are_minted_for_lines_without_digest() {
    let import = Import::new();
    let file = "kind,subject,scopes\napi-key,user_1,a b\napi-key,user_2,\n";
    import.run("users.csv", file, &[]).refused_with("line 2: there is no digest");
    let minted = import.run("users.csv", file, &["--mint", "--json", "--prefix", "acme"]);
    assert_eq!(minted.status, 0, "{minted:?}");
    let answers = minted.answers();
    assert_eq!((&answers[0]["subject"], &answers[1]["subject"]), (&json!("user_1"), &json!("user_2")));
    assert_eq!(answers[2], json!({"ok": true, "added": 2, "skipped": 0, "minted": 2, "refused": 0}));
    let key = answers[0]["key"].as_str().unwrap();
    assert!(key.starts_with("acme_live_2"));
    assert_eq!(run(&["verify", "--store", &import.store], key).status, 0);
}

#[test]
fn verify_reads_an_export() {
    let import = Import::new();
    let new = |id: &str| {
        let made = ["api-key", "new", "--subject", "u", "--id", id, "--name", "n", "--store", &import.store];
        run(&made, "").stdout
    };
    let keys: String = ["good", "off", "gone", "old"].map(new).concat();
    for (command, id) in [("disable", "off"), ("revoke", "gone")] {
        assert_eq!(run(&["api-key", command, id, "--store", &import.store], "").status, 0);
    }
    run(&["api-key", "rotate", "old", "--overlap", "0", "--store", &import.store], "");
    let file = import.folder.write("export.jsonl", import.export());
    let verified = run(&["verify", "--api-keys", &file], keys);
    assert_eq!(
        verified.errors(),
        [None, Some("disabled"), Some("revoked"), Some("expired")].map(|e| e.map(str::to_owned))
    );
}
