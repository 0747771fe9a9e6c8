//! The feed as rows. What a row says is that something has changed; how it is now is read from its own table, in the same
//! transaction.

use super::key_rows::{self, KeyReader};
use super::{client_rows, revocation_rows};
use crate::change_log::{Change, Changes, Since};
use crate::error::StoreError;
use crate::revocation::RevocationKind;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use tollgate::Digest;

/// Writes down that a key was added or changed.
pub(super) fn key(transaction: &Transaction<'_>, number: i64) -> Result<(), StoreError> {
    transaction.prepare_cached("INSERT INTO changes (what, key_number) VALUES ('key', ?1)")?.execute([number])?;
    Ok(())
}

/// Writes down that a key was removed.
pub(super) fn key_removed(transaction: &Transaction<'_>, digest: &Digest) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT INTO changes (what, digest) VALUES ('key-removed', ?1)")?
        .execute([digest.as_bytes()])?;
    Ok(())
}

/// Writes down that a client was added, changed or removed.
pub(super) fn client(transaction: &Transaction<'_>, id: &str) -> Result<(), StoreError> {
    transaction.prepare_cached("INSERT INTO changes (what, name) VALUES ('client', ?1)")?.execute([id])?;
    Ok(())
}

/// Writes down that a revocation was added, changed or removed.
pub(super) fn revocation(
    transaction: &Transaction<'_>,
    kind: RevocationKind,
    issuer: &str,
    name: &str,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT INTO changes (what, kind, issuer, name) VALUES ('revocation', ?1, ?2, ?3)")?
        .execute((kind.as_str(), issuer, name))?;
    Ok(())
}

/// The number of the last change, also when it is no longer kept.
pub(super) fn latest(connection: &Connection) -> Result<u64, StoreError> {
    // SQLite remembers here what it gave last, so that it gives none twice.
    let latest = connection
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")?
        .query_row((), |row| row.get::<_, i64>(0))
        .optional()?;
    sequence(latest.unwrap_or(0))
}

/// Forgets all but the last `kept`; returns how many.
pub(super) fn compact(transaction: &Transaction<'_>, kept: u64) -> Result<u64, StoreError> {
    let through = latest(transaction)?.saturating_sub(kept).cast_signed();
    let forgotten = transaction.prepare_cached("DELETE FROM changes WHERE sequence <= ?1")?.execute([through])?;
    if forgotten > 0 {
        transaction.prepare_cached("UPDATE feed SET compacted_through = ?1")?.execute([through])?;
    }
    Ok(forgotten as u64)
}

/// The changes after a number. Those that a later one made void are left out.
pub(super) fn after(
    connection: &Connection,
    keys: &mut KeyReader,
    after: u64,
    max: usize,
) -> Result<Since, StoreError> {
    let latest = latest(connection)?;
    let compacted: i64 =
        connection.prepare_cached("SELECT compacted_through FROM feed")?.query_row((), |row| row.get(0))?;
    // Beyond the end: whoever asks followed another file, or this one before it was restored from a copy.
    if after < sequence(compacted)? || after > latest {
        return Ok(Since::Compacted);
    }
    let mut select = connection.prepare_cached(
        "SELECT sequence, what, key_number, digest, kind, issuer, name FROM changes
         WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
    )?;
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let mut rows = select.query((after.cast_signed(), limit))?;
    let (mut changes, mut read, mut last) = (Vec::new(), 0, after);
    while let Some(row) = rows.next()? {
        read += 1;
        last = sequence(row.get(0)?)?;
        if let Some(change) = from_row(connection, keys, row)? {
            changes.push((last, change));
        }
    }
    // Fewer than asked for: that was all, also when numbers at the end are missing.
    let through = if read < max { latest } else { last };
    Ok(Since::Changes(Changes { changes, through, latest }))
}

fn from_row(connection: &Connection, keys: &mut KeyReader, row: &Row<'_>) -> Result<Option<Change>, StoreError> {
    let corrupt = || StoreError::Corrupt { table: "changes" };
    let what: String = row.get(1)?;
    Ok(Some(match what.as_str() {
        "key" => match key_rows::by_number(connection, keys, row.get(2)?)? {
            Some(key) => Change::Key(key),
            // Its removal is a later change, or it had expired.
            None => return Ok(None),
        },
        "key-removed" => Change::KeyRemoved { digest: Digest::from_bytes(row.get(3)?) },
        "client" => {
            let id: String = row.get(6)?;
            match client_rows::by_id(connection, &id)? {
                Some(client) => Change::Client(client),
                None => Change::ClientRemoved { id },
            }
        }
        "revocation" => {
            let (kind, issuer, name): (String, String, String) = (row.get(4)?, row.get(5)?, row.get(6)?);
            let kind = RevocationKind::from_name(&kind).ok_or_else(corrupt)?;
            match revocation_rows::by_name(connection, kind, &issuer, &name)? {
                Some(revocation) => Change::Revocation(revocation),
                None => Change::RevocationRemoved { kind, issuer: issuer.into(), name: name.into() },
            }
        }
        _ => return Err(corrupt()),
    }))
}

fn sequence(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt { table: "changes" })
}
