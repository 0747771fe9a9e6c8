//! The tests for every store.

mod accounts {
    use std::sync::Arc;

    use async_trait::async_trait;
    use tollgate_storage::AccountStore;
    use tollgate_storage::conformance::AccountWorld;

    use super::Database;
    use crate::support::open;

    #[async_trait]
    impl AccountWorld for Database {
        async fn open(&self) -> Arc<dyn AccountStore> {
            Arc::new(open(&self.server.config(&self.name)).await)
        }
    }

    tollgate_storage::account_store_conformance!(match Database::new() {
        Some(database) => database,
        None => return,
    });
}

mod keys {
    use std::sync::Arc;

    use async_trait::async_trait;
    use tollgate_storage::KeyStore;
    use tollgate_storage::conformance::World;

    use super::Database;
    use crate::support::open;

    const TABLES: [&str; 5] = ["keys", "clients", "revocations", "changes", "head"];

    #[async_trait]
    impl World for Database {
        async fn open(&self) -> Arc<dyn KeyStore> {
            Arc::new(open(&self.server.config(&self.name)).await)
        }

        async fn save(&self) {
            let copied = TABLES.map(|table| format!("CREATE TABLE copy_{table} AS SELECT * FROM tollgate.{table};"));
            self.sql(&copied.concat());
        }

        async fn restore(&self) {
            let restored = TABLES.map(|table| {
                format!(
                    "DELETE FROM tollgate.{table};
                     INSERT INTO tollgate.{table} OVERRIDING SYSTEM VALUE SELECT * FROM copy_{table};"
                )
            });
            self.sql(&format!("BEGIN; {} COMMIT;", restored.concat()));
        }

        async fn corrupt(&self, key_id: &str) {
            self.sql(&format!("UPDATE tollgate.keys SET allowed_addresses = 'nowhere' WHERE id = '{key_id}'"));
        }

        async fn corrupt_client(&self, id: &str) {
            self.sql(&format!("UPDATE tollgate.clients SET name = E'\\n' WHERE id = '{id}'"));
        }
    }

    tollgate_storage::key_store_conformance!(match Database::new() {
        Some(database) => database,
        None => return,
    });
}

use crate::cluster::{Server, shared};

/// A separate database on the shared server.
struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    fn new() -> Option<Self> {
        let server = shared()?;
        Some(Database { server, name: server.new_database() })
    }

    fn sql(&self, text: &str) {
        self.server.sql(&self.name, text).expect("SQL");
    }
}
