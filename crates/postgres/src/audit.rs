//! The audit log.

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate_storage::{Actor, AuditFilter, AuditLog, AuditRecord, Door, StorageError};

use crate::error::of_server;
use crate::store::PostgresStore;

/// Adds the records in the current transaction of `client`, except those that an attempt whose answer was lost has added.
pub(crate) async fn insert(client: &ClientWrapper, records: &[AuditRecord]) -> Result<(), StorageError> {
    let texts = |of: fn(&AuditRecord) -> &str| records.iter().map(of).collect::<Vec<_>>();
    let optional = |of: fn(&AuditRecord) -> Option<&str>| records.iter().map(of).collect::<Vec<_>>();
    let values: [&(dyn ToSql + Sync); 10] = [
        &texts(|record| &record.id),
        &records.iter().map(|record| record.at).collect::<Vec<_>>(),
        &texts(|record| record.by.door.as_str()),
        &optional(|record| record.by.subject.as_deref()),
        &optional(|record| record.by.credential.as_deref()),
        &optional(|record| record.by.address.as_deref()),
        &texts(|record| &record.action),
        &texts(|record| &record.target),
        &optional(|record| record.concerns.as_deref()),
        &texts(|record| &record.outcome),
    ];
    let statement = client.prepare_cached(INSERT).await.map_err(of_server)?;
    client.execute(&statement, &values).await.map_err(of_server)?;
    Ok(())
}

const INSERT: &str = "
    INSERT INTO tollgate.audit (id, at, door, actor, credential, address, action, target, concerns, outcome)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                         $9::text[], $10::text[])
    ON CONFLICT DO NOTHING";

#[async_trait]
impl AuditLog for PostgresStore {
    async fn record(&self, records: &[AuditRecord]) -> Result<(), StorageError> {
        self.inner().audit.write(records).await
    }

    async fn audit(
        &self,
        filter: &AuditFilter,
        after: Option<&str>,
        max: usize,
    ) -> Result<Vec<AuditRecord>, StorageError> {
        let (after, before, max) = (filter.after(after), filter.before(), i64::try_from(max).unwrap_or(i64::MAX));
        let AuditFilter { action, about, .. } = filter;
        if [Some(&after), action.as_ref(), about.as_ref()].into_iter().flatten().any(|text| text.contains('\0')) {
            return Ok(Vec::new());
        }
        Ok(self.select(SELECT, &[&after, &before, action, about, &max]).await?.iter().map(record).collect())
    }

    async fn forget_audit(&self, at: i64) -> Result<u64, StorageError> {
        self.inner().change("DELETE FROM tollgate.audit WHERE id < $1", &[&AuditFilter::id_at(at)]).await
    }
}

const SELECT: &str = "
    SELECT id, at, door, actor, credential, address, action, target, concerns, outcome FROM tollgate.audit
    WHERE id > $1 AND ($2::text IS NULL OR id < $2) AND ($3::text IS NULL OR action = $3)
      AND ($4::text IS NULL OR actor = $4 OR target = $4 OR concerns = $4)
    ORDER BY id LIMIT $5";

fn record(row: &Row) -> AuditRecord {
    AuditRecord {
        id: row.get(0),
        at: row.get(1),
        by: Actor {
            // The table's constraint admits no other value.
            door: Door::from_name(row.get(2)).unwrap_or(Door::Service),
            subject: row.get(3),
            credential: row.get(4),
            address: row.get(5),
        },
        action: row.get(6),
        target: row.get(7),
        concerns: row.get(8),
        outcome: row.get(9),
    }
}
