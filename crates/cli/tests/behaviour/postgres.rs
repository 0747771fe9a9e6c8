//! `--store postgres://...`.

use crate::cluster::shared;
use crate::support::{Folder, Run, run};

/// With that store and a file of imported keys.
fn on(store: &str, arguments: &[&str], input: &str) -> Run {
    run(&[arguments, &["--store", store]].concat(), input)
}

#[test]
fn every_command_that_takes_a_store_takes_a_database() {
    let Some(server) = shared() else { return };
    let store = server.url(&server.new_database());
    let made = on(&store, &["api-key", "new", "--subject", "user_7", "--id", "k1", "--scope", "read"], "");
    let secret = made.stdout.trim();
    assert_eq!(made.status, 0, "{made:?}");
    assert_eq!(on(&store, &["verify"], secret).errors(), [None]);
    let folder = Folder::new();
    let line = r#"{"digest":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","id":"k2","kind":"api-key","subject":"u"}"#;
    let file = folder.write("keys.jsonl", line);
    assert_eq!(on(&store, &["api-key", "import", &file], "").status, 0);
    let listed = on(&store, &["api-key", "list", "--json"], "");
    assert_eq!(listed.answers().iter().map(|key| key["id"].clone()).collect::<Vec<_>>(), ["k1", "k2"]);
    assert_eq!(on(&store, &["api-key", "revoke", "k1"], "").status, 0);
    assert_eq!(on(&store, &["verify"], secret).errors(), [Some("revoked".to_owned())]);
    let configuration = folder.write("tollgate.toml", format!("[store]\nfile = {store:?}\n"));
    assert_eq!(run(&["verify", "--config", &configuration], secret).errors(), [Some("revoked".to_owned())]);
}

#[test]
fn a_database_that_cannot_be_used_is_named_without_its_password() {
    for store in ["postgres://me:hunter2@127.0.0.1:1/keys", "postgres://me:hunter2@127.0.0.1/keys?sslmode=prefer"] {
        let refused = on(store, &["api-key", "list"], "");
        refused.refused_with("postgres://");
        assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    }
}
