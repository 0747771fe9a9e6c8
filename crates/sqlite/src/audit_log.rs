use crate::account_store::SqliteAccountStore;
use crate::audit_rows;
use crate::key_store::SqliteKeyStore;
use crate::reader::Reader;
use crate::writer::Writer;
use async_trait::async_trait;
use tollgate_storage::{AuditFilter, AuditLog, AuditRecord, StorageError};

macro_rules! audit_log {
    ($($store:ty)*) => {
        $(
            #[async_trait]
            impl AuditLog for $store {
                async fn record(&self, records: &[AuditRecord]) -> Result<(), StorageError> {
                    record(self.writer(), records).await
                }

                async fn audit(
                    &self,
                    filter: &AuditFilter,
                    after: Option<&str>,
                    max: usize,
                ) -> Result<Vec<AuditRecord>, StorageError> {
                    audit(self.reader(), filter, after, max).await
                }

                async fn forget_audit(&self, at: i64) -> Result<u64, StorageError> {
                    self.writer().write(move |connection| audit_rows::forget(connection, at)).await
                }
            }
        )*
    };
}

audit_log!(SqliteKeyStore SqliteAccountStore);

async fn record(writer: &Writer, records: &[AuditRecord]) -> Result<(), StorageError> {
    let records = records.to_vec();
    writer.write(move |connection| records.iter().try_for_each(|record| audit_rows::insert(connection, record))).await
}

async fn audit(
    reader: &Reader,
    filter: &AuditFilter,
    after: Option<&str>,
    max: usize,
) -> Result<Vec<AuditRecord>, StorageError> {
    let (filter, after) = (filter.clone(), after.map(str::to_owned));
    reader.read(move |connection| audit_rows::page(connection, &filter, after.as_deref(), max)).await
}
