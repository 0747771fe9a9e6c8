//! Old files, new files, files of others.

use crate::support::{Store, key, store};
use rusqlite::Connection;
use std::time::Duration;
use tollgate_sqlite::SqliteKeyStore;
use tollgate_storage::{Position, Since};

#[test]
fn a_new_store_has_strict_tables_and_a_version() {
    let (_folder, store) = store();
    let file = Connection::open(store.file()).unwrap();
    let version: i64 = file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 13);
    let loose: i64 = file
        .query_row(
            "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite_%'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(loose, 0);
    let mode: String = file.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_file_of_a_newer_release_is_left_alone() {
    let (folder, store) = store();
    store.add_key(&key(1)).unwrap();
    let file = Connection::open(store.file()).unwrap();
    drop(store);
    file.pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert_eq!(error.code(), "store-newer-schema");
    assert!(error.to_string().contains("99"));
    file.pragma_update(None, "user_version", 13).unwrap();
    assert!(Store::open(folder.path()).unwrap().key("key_000000000001").unwrap().is_some());
}

#[test]
fn a_new_store_is_made_once_by_many_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let folder = folder.path();
            scope.spawn(move || Store::open(folder).unwrap().add_key(&key(number)).unwrap());
        }
    });
    assert_eq!(Store::open(folder.path()).unwrap().key_count().unwrap(), 8);
}

#[test]
fn opening_a_new_store_waits_for_who_is_writing_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let other = Connection::open(SqliteKeyStore::file_in(folder.path())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| Store::open(folder.path()));
        std::thread::sleep(Duration::from_millis(100));
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(opened.join().unwrap().unwrap().key_count().unwrap(), 0);
    });
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("tollgate-keys.sqlite3"),
        "something else altogether, and long enough".repeat(99),
    )
    .unwrap();
    assert_eq!(Store::open(folder.path()).unwrap_err().code(), "store-failed");
    let file = folder.path().join("a file");
    std::fs::write(&file, "").unwrap();
    assert_eq!(Store::open(&file).unwrap_err().code(), "store-location");
}

#[test]
fn a_file_of_the_first_schema_is_brought_to_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let file = Connection::open(SqliteKeyStore::file_in(folder.path())).unwrap();
    file.execute_batch(include_str!("first_schema.sql")).unwrap();
    drop(file);
    let store = Store::open(folder.path()).unwrap();
    let position = store.position();
    assert_eq!(position.number, 8, "numbers go on");
    assert_eq!(store.key("key_1").unwrap().unwrap().record.subject(), "user_7");
    for number in [0, 6, 7] {
        let old = Position { number, tag: 0 };
        assert!(matches!(store.changes_after(old, 10).unwrap(), Since::Compacted), "{number}");
    }
    assert!(matches!(store.changes_after(position, 10).unwrap(), Since::Changes(_)));
}
