//! The file of accounts.

use tollgate_sqlite::SqliteAccountStore;

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tollgate-service.sqlite3"), "no database ".repeat(100)).unwrap();
    assert_eq!(SqliteAccountStore::open(folder.path()).unwrap_err().code(), "store-failed");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files() {
    use crate::support::{audit, wait};
    use std::os::unix::fs::PermissionsExt;
    use tollgate_storage::AccountStore;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let store = SqliteAccountStore::open(&folder).unwrap();
    wait(store.replace_signing_keys(0, "secret", &audit())).unwrap();
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
        files += 1;
    }
    assert!(files >= 2, "the database and its log");
}
