use async_trait::async_trait;
use std::sync::Arc;
use tollgate_sqlite::SqliteAccountStore;
use tollgate_storage::AccountStore;
use tollgate_storage::conformance::AccountWorld;

struct Folder(tempfile::TempDir);

#[async_trait]
impl AccountWorld for Folder {
    async fn open(&self) -> Arc<dyn AccountStore> {
        Arc::new(SqliteAccountStore::open(self.0.path()).unwrap())
    }
}

tollgate_storage::account_store_conformance!(Folder(tempfile::tempdir().unwrap()));
