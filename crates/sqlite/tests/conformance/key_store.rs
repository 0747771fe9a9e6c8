use async_trait::async_trait;
use rusqlite::Connection;
use std::sync::Arc;
use tollgate_sqlite::SqliteKeyStore;
use tollgate_storage::KeyStore;
use tollgate_storage::conformance::World;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn connect(&self) -> Connection {
        let connection = Connection::open(SqliteKeyStore::file_in(self.0.path())).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection.execute("ATTACH ?1 AS copy", [self.0.path().join("copy").to_str()]).unwrap();
        connection
    }
}

const TABLES: [&str; 7] =
    ["scope_sets", "keys", "clients", "client_redirect_uris", "revocations", "log", "sqlite_sequence"];

#[async_trait]
impl World for Folder {
    async fn open(&self) -> Arc<dyn KeyStore> {
        Arc::new(SqliteKeyStore::open(self.0.path()).unwrap())
    }

    async fn save(&self) {
        let copied = TABLES.map(|name| format!("CREATE TABLE copy.copy_{name} AS SELECT * FROM main.{name};"));
        self.connect().execute_batch(&copied.concat()).unwrap();
    }

    async fn restore(&self) {
        let restored =
            TABLES.map(|name| format!("DELETE FROM {name}; INSERT INTO {name} SELECT * FROM copy.copy_{name};"));
        let sql = format!("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE; {} COMMIT;", restored.concat());
        self.connect().execute_batch(&sql).unwrap();
    }

    async fn corrupt(&self, key_id: &str) {
        let sql = "UPDATE keys SET allowed_addresses = 'nowhere' WHERE id = ?1";
        assert_eq!(self.connect().execute(sql, [key_id]).unwrap(), 1);
    }

    async fn corrupt_client(&self, id: &str) {
        assert_eq!(self.connect().execute("UPDATE clients SET kind = 'x' WHERE id = ?1", [id]).unwrap(), 1);
    }
}

tollgate_storage::key_store_conformance!(Folder::new());
