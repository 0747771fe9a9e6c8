//! Adding many keys by one statement.

use deadpool_postgres::ClientWrapper;
use tollgate_storage::{Existing, Refusal, StorageError, StoredKey};

use crate::append::Changed;
use crate::error::of_server;
use crate::rows::{addresses, check_texts, stored_client};
use crate::transaction::PostgresTransaction;

/// Tells of each whether it was added. One whose id or digest is taken, be it by an earlier one of these, is not.
pub(crate) async fn run(
    client: &ClientWrapper,
    transaction: &mut PostgresTransaction<'_>,
    keys: &[StoredKey],
    existing: Existing,
) -> Result<Vec<bool>, StorageError> {
    for (index, key) in keys.iter().enumerate() {
        key.check().and_then(|()| check_texts(key)).map_err(|refusal| StorageError::Key { index, refusal })?;
    }
    let column = |field: fn(&StoredKey) -> &str| keys.iter().map(field).collect::<Vec<_>>();
    let optional = |field: fn(&StoredKey) -> Option<&str>| keys.iter().map(field).collect::<Vec<_>>();
    let time = |field: fn(&StoredKey) -> Option<i64>| keys.iter().map(field).collect::<Vec<_>>();
    let digests: Vec<&[u8]> = keys.iter().map(|key| &key.digest.as_bytes()[..]).collect();
    let metadata: Vec<&[u8]> = keys.iter().map(|key| key.record.metadata()).collect();
    let addresses: Vec<String> = keys.iter().map(|key| addresses(&key.record)).collect();
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
            ],
        )
        .await
        .map_err(of_server)?;
    let mut are_added = vec![false; keys.len()];
    // In the order of the keys, since that is the order in which they were inserted: those between two rows were not added.
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
                               metadata, allowed_addresses, rotated_to, overlap_ends_at, parent)
    SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                         $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bytea[], $14::text[], $15::text[], $16::bigint[],
                         $17::text[])
    ON CONFLICT DO NOTHING
    RETURNING number, id, digest";
