//! The log as rows. A row says which record changed; its current state is read from its own table, in the same transaction.

use crate::error::SqliteError;
use crate::key_rows::{self, KeyReader};
use crate::{client_rows, revocation_rows};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use tollgate::Digest;
use tollgate_storage::{Change, Changes, Position, RevocationKind, Since};

/// Logs that a key was added or changed.
pub(crate) fn key(connection: &Connection, number: i64) -> Result<(), SqliteError> {
    insert(connection, "INSERT INTO log (tag, what, key_number) VALUES (random(), 'key', ?1)", &[&number])
}

/// Logs that a key was removed.
pub(crate) fn key_removed(connection: &Connection, digest: &Digest) -> Result<(), SqliteError> {
    let digest = digest.as_bytes();
    insert(connection, "INSERT INTO log (tag, what, digest) VALUES (random(), 'key-removed', ?1)", &[digest])
}

/// Logs that a client was added, changed or removed.
pub(crate) fn client(connection: &Connection, id: &str) -> Result<(), SqliteError> {
    insert(connection, "INSERT INTO log (tag, what, name) VALUES (random(), 'client', ?1)", &[&id])
}

/// Logs that a revocation was added, changed or removed.
pub(crate) fn revocation(
    connection: &Connection,
    kind: RevocationKind,
    issuer: &str,
    name: &str,
) -> Result<(), SqliteError> {
    let sql = "INSERT INTO log (tag, what, kind, issuer, name) VALUES (random(), 'revocation', ?1, ?2, ?3)";
    insert(connection, sql, &[&kind.as_str(), &issuer, &name])
}

/// Logs a heartbeat.
pub(crate) fn heartbeat(connection: &Connection) -> Result<(), SqliteError> {
    insert(connection, "INSERT INTO log (tag, what) VALUES (random(), 'heartbeat')", &[])
}

fn insert(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<(), SqliteError> {
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// The end of the log. The last row is always kept.
pub(crate) fn latest(connection: &Connection) -> Result<Position, SqliteError> {
    let last = connection
        .prepare_cached("SELECT number, tag FROM log ORDER BY number DESC LIMIT 1")?
        .query_row((), position)
        .optional()?;
    Ok(last.unwrap_or(Position::START))
}

/// Removes all rows except the last `kept`, and never the last one. Returns their number.
pub(crate) fn compact(connection: &Connection, kept: u64) -> Result<u64, SqliteError> {
    let through = latest(connection)?.number.saturating_sub(kept.max(1)).cast_signed();
    Ok(connection.prepare_cached("DELETE FROM log WHERE number <= ?1")?.execute([through])? as u64)
}

/// The changes after a position, without those that a later one superseded.
pub(crate) fn after(connection: &Connection, after: Position, max: usize) -> Result<Since, SqliteError> {
    let latest = latest(connection)?.number;
    if !has(connection, after)? {
        return Ok(Since::Compacted);
    }
    let mut select = connection.prepare_cached(
        "SELECT number, tag, what, key_number, digest, kind, issuer, name FROM log
         WHERE number > ?1 ORDER BY number LIMIT ?2",
    )?;
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let mut rows = select.query((after.number.cast_signed(), limit))?;
    let (mut changes, mut through, mut keys) = (Vec::new(), after, KeyReader::default());
    while let Some(row) = rows.next()? {
        through = position(row)?;
        match from_row(connection, &mut keys, row) {
            Ok(change) => changes.extend(change.map(|change| (through.number, change))),
            Err(error) if error.is_of_one_row() => {
                let (table, row) = ("log", through.number.to_string());
                let change = Change::Unreadable { table, row, digest: None, client_id: None };
                changes.push((through.number, change));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Since::Changes(Changes { changes, through, latest }))
}

/// Whether the log holds that position, and so everything after it. Rows are only removed from the beginning.
fn has(connection: &Connection, at: Position) -> Result<bool, SqliteError> {
    let (sql, number) = match at.number {
        0 => ("SELECT coalesce(min(number), 1) = ?1, 0 FROM log", 1),
        number => ("SELECT 1, tag FROM log WHERE number = ?1", number.cast_signed()),
    };
    let found = connection
        .prepare_cached(sql)?
        .query_row([number], |row| Ok(row.get::<_, bool>(0)? && row.get::<_, i64>(1)? == at.tag.cast_signed()))
        .optional()?;
    Ok(found.unwrap_or(false))
}

fn position(row: &Row<'_>) -> rusqlite::Result<Position> {
    let (number, tag): (i64, i64) = (row.get(0)?, row.get(1)?);
    Ok(Position { number: number.cast_unsigned(), tag: tag.cast_unsigned() })
}

fn from_row(connection: &Connection, keys: &mut KeyReader, row: &Row<'_>) -> Result<Option<Change>, SqliteError> {
    let corrupt = || SqliteError::corrupt("log", "?");
    let what: String = row.get(2)?;
    Ok(Some(match what.as_str() {
        // Its removal is a later change, or it had expired.
        "key" => return key_rows::by_number(connection, keys, row.get(3)?),
        "key-removed" => Change::KeyRemoved { digest: Digest::from_bytes(row.get(4)?) },
        "client" => {
            let id: String = row.get(7)?;
            match client_rows::by_id(connection, &id) {
                Ok(Some(client)) => Change::Client(client),
                Ok(None) => Change::ClientRemoved { id },
                Err(error) if error.is_of_one_row() => client_rows::unreadable(id),
                Err(error) => return Err(error),
            }
        }
        "revocation" => {
            let (kind, issuer, name): (String, String, String) = (row.get(5)?, row.get(6)?, row.get(7)?);
            let kind = RevocationKind::from_name(&kind).ok_or_else(corrupt)?;
            match revocation_rows::by_name(connection, kind, &issuer, &name)? {
                Some(revocation) => Change::Revocation(revocation),
                None => Change::RevocationRemoved { kind, issuer: issuer.into(), name: name.into() },
            }
        }
        "heartbeat" => return Ok(None),
        _ => return Err(corrupt()),
    }))
}
