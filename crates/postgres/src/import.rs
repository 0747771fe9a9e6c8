//! Adding many keys at once.

use std::pin::pin;
use std::slice;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tollgate_storage::{AuditRecord, Existing, Refusal, StorageError, StoredKey};

use crate::append::Changed;
use crate::audit;
use crate::error::of_server;
use crate::limits::IMPORT_TIME_A_KEY;
use crate::rows::{KEY_TYPES, addresses, check_texts, stored_client};
use crate::transaction::PostgresTransaction;
use crate::write::Work;

/// The addition of many keys.
pub(crate) struct Import<'w> {
    pub(crate) keys: &'w [StoredKey],
    pub(crate) existing: Existing,
    pub(crate) audit: &'w AuditRecord,
}

#[async_trait]
impl Work for Import<'_> {
    type Done = Vec<bool>;

    async fn run(
        &self,
        client: &ClientWrapper,
        transaction: &mut PostgresTransaction<'_>,
    ) -> Result<Vec<bool>, StorageError> {
        let added = run(client, transaction, self.keys, self.existing).await?;
        audit::insert(client, slice::from_ref(self.audit)).await?;
        Ok(added)
    }

    fn allowance(&self) -> Duration {
        IMPORT_TIME_A_KEY * u32::try_from(self.keys.len()).unwrap_or(u32::MAX)
    }
}

/// Returns for each key whether it was added. A key whose id or digest exists, or is that of an earlier key, is not.
async fn run(
    client: &ClientWrapper,
    transaction: &mut PostgresTransaction<'_>,
    keys: &[StoredKey],
    existing: Existing,
) -> Result<Vec<bool>, StorageError> {
    for (index, key) in keys.iter().enumerate() {
        key.check().and_then(|()| check_texts(key)).map_err(|refusal| StorageError::Key { index, refusal })?;
    }
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    client.batch_execute("SAVEPOINT copied").await.map_err(of_server)?;
    match copy(client, keys).await {
        Ok(numbers) => {
            numbers.into_iter().for_each(|number| transaction.changed(Changed::Key { number }));
            Ok(vec![true; keys.len()])
        }
        // Some exist: then use the statement that skips them.
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            client.batch_execute("ROLLBACK TO copied").await.map_err(of_server)?;
            insert(client, transaction, keys, existing).await
        }
        Err(error) => Err(of_server(error)),
    }
}

/// Adds all keys, none of which may exist. Returns their numbers.
async fn copy(client: &ClientWrapper, keys: &[StoredKey]) -> Result<Vec<i64>, tokio_postgres::Error> {
    let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let numbers: Vec<i64> = client.query_one(&client.prepare_cached(NUMBERS).await?, &[&count]).await?.get(0);
    let mut types = vec![Type::INT8];
    types.extend(KEY_TYPES);
    let mut rows = pin!(BinaryCopyInWriter::new(client.copy_in(COPY).await?, &types));
    for (number, key) in numbers.iter().zip(keys) {
        let record = &key.record;
        let (digest, metadata, addresses) = (&key.digest.as_bytes()[..], record.metadata(), addresses(record));
        let (kind, state, scopes) = (record.kind().as_str(), record.state().as_str(), record.scopes());
        let values: [&(dyn ToSql + Sync); 19] = [
            number,
            &record.id(),
            &digest,
            &key.format.as_deref(),
            &kind,
            &record.subject(),
            &stored_client(record),
            &scopes.as_str().trim_end(),
            &key.created_at,
            &record.not_before(),
            &record.expires_at(),
            &state,
            &record.name(),
            &metadata,
            &addresses,
            &key.rotated_to.as_deref(),
            &key.overlap_ends_at,
            &key.parent.as_deref(),
            &key.confirmation(),
        ];
        rows.as_mut().write(&values).await?;
    }
    rows.finish().await?;
    Ok(numbers)
}

/// COPY does not return the numbers of rows, and accepts any number for an identity column.
const NUMBERS: &str =
    "SELECT array_agg(nextval(pg_get_serial_sequence('tollgate.keys', 'number'))) FROM generate_series(1, $1::bigint)";

const COPY: &str = "
    COPY tollgate.keys (number, id, digest, format, kind, subject, client_id, scopes, created_at, not_before, expires_at, state, name,
                        metadata, allowed_addresses, rotated_to, overlap_ends_at, parent, confirmation)
    FROM STDIN (FORMAT binary)";

/// Adds the keys that do not exist, with one statement.
async fn insert(
    client: &ClientWrapper,
    transaction: &mut PostgresTransaction<'_>,
    keys: &[StoredKey],
    existing: Existing,
) -> Result<Vec<bool>, StorageError> {
    let column = |field: fn(&StoredKey) -> &str| keys.iter().map(field).collect::<Vec<_>>();
    let optional = |field: fn(&StoredKey) -> Option<&str>| keys.iter().map(field).collect::<Vec<_>>();
    let time = |field: fn(&StoredKey) -> Option<i64>| keys.iter().map(field).collect::<Vec<_>>();
    let digests: Vec<&[u8]> = keys.iter().map(|key| &key.digest.as_bytes()[..]).collect();
    let metadata: Vec<&[u8]> = keys.iter().map(|key| key.record.metadata()).collect();
    let addresses: Vec<String> = keys.iter().map(|key| addresses(&key.record)).collect();
    let confirmations: Vec<String> = keys.iter().map(StoredKey::confirmation).collect();
    let statement = client.prepare_cached(INSERT).await.map_err(of_server)?;
    let rows = client
        .query(
            &statement,
            &[
                &column(|key| key.record.id()),
                &digests,
                &optional(|key| key.format.as_deref()),
                &column(|key| key.record.kind().as_str()),
                &column(|key| key.record.subject()),
                &optional(|key| stored_client(&key.record)),
                &column(|key| key.record.scopes().as_str().trim_end()),
                &keys.iter().map(|key| key.created_at).collect::<Vec<_>>(),
                &time(|key| key.record.not_before()),
                &time(|key| key.record.expires_at()),
                &column(|key| key.record.state().as_str()),
                &column(|key| key.record.name()),
                &metadata,
                &addresses,
                &optional(|key| key.rotated_to.as_deref()),
                &time(|key| key.overlap_ends_at),
                &optional(|key| key.parent.as_deref()),
                &confirmations,
            ],
        )
        .await
        .map_err(of_server)?;
    let mut are_added = vec![false; keys.len()];
    // Rows are in the order of the keys, which is that of insertion: keys between two rows were not added.
    let mut place = 0;
    for row in &rows {
        let (id, digest): (&str, &[u8]) = (row.get(1), row.get(2));
        while keys.get(place).is_some_and(|key| key.record.id() != id || key.digest.as_bytes()[..] != *digest) {
            place += 1;
        }
        if let Some(is_added) = are_added.get_mut(place) {
            *is_added = true;
        }
        place += 1;
        transaction.changed(Changed::Key { number: row.get(0) });
    }
    match are_added.iter().position(|is_added| !is_added) {
        Some(index) if existing == Existing::Refuse => {
            Err(StorageError::Key { index, refusal: Refusal::AlreadyExists { what: "key" } })
        }
        _ => Ok(are_added),
    }
}

const INSERT: &str = "
    INSERT INTO tollgate.keys (id, digest, format, kind, subject, client_id, scopes, created_at, not_before, expires_at, state, name,
                               metadata, allowed_addresses, rotated_to, overlap_ends_at, parent, confirmation)
    SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                         $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bytea[], $14::text[], $15::text[], $16::bigint[],
                         $17::text[], $18::text[])
    ON CONFLICT DO NOTHING
    RETURNING number, id, digest";
