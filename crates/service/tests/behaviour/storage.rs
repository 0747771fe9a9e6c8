//! Which stores the service opens.

use crate::support::{TestResult, config};
use std::path::Path;
use tollgate_service::{Config, Server, ServerError, StoreUrl};
use tollgate_storage::StorageError;

async fn refused(folder: &Path) -> ServerError {
    let refused = Server::bind(Config { store: Some(folder.into()), ..config() }).await;
    refused.err().expect("the store is refused")
}

#[tokio::test]
async fn a_folder_from_before_the_first_release_is_refused_and_left_alone() -> TestResult {
    let folder = tempfile::tempdir()?;
    let old = folder.path().join("tollgate.sqlite3");
    std::fs::write(&old, "keys and clients")?;
    let refused = refused(folder.path()).await;
    assert_eq!(refused.code(), "old-data-folder");
    assert!(refused.to_string().contains("tollgate.sqlite3"), "{refused}");
    assert_eq!(std::fs::read_to_string(&old)?, "keys and clients");
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 1, "nothing was made beside it");
    Ok(())
}

#[tokio::test]
async fn a_file_of_a_newer_release_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = tollgate_sqlite::SqliteAccountStore::open(folder.path())?.file().to_owned();
    rusqlite::Connection::open(&file)?.pragma_update(None, "user_version", 1_000)?;
    let refused = refused(folder.path()).await;
    assert!(matches!(refused, ServerError::Store(StorageError::NewerSchema { found: 1_000, .. })), "{refused}");
    Ok(())
}

#[test]
fn a_store_is_a_folder_or_a_url() {
    let sqlite = |path: &str| StoreUrl::Sqlite(path.into());
    for (name, expected) in [
        ("/var/lib/tollgate", sqlite("/var/lib/tollgate")),
        ("sqlite:/var/lib/tollgate", sqlite("/var/lib/tollgate")),
        ("sqlite:data", sqlite("data")),
        ("./a:b", sqlite("./a:b")),
    ] {
        assert_eq!(StoreUrl::parse(Path::new(name)).unwrap(), expected, "{name}");
    }
    let url = "postgres://tollgate:secret@db1.example,db2.example/keys?password_file=/etc/password";
    let database = StoreUrl::parse(Path::new(url)).unwrap();
    assert!(matches!(&database, StoreUrl::Postgres(_)) && database.exists());
    assert_eq!(database.to_string(), "postgres://tollgate@db1.example:5432,db2.example:5432/keys");
    let refused = StoreUrl::parse(Path::new("postgres://me:secret@db/keys?sslmode=allow")).unwrap_err().to_string();
    assert!(refused.contains("sslmode") && !refused.contains("secret"), "{refused}");
    let refused = StoreUrl::parse(Path::new("mysql://root:secret@db/tollgate")).unwrap_err().to_string();
    assert!(refused.contains("mysql") && !refused.contains("secret"), "{refused}");
}
