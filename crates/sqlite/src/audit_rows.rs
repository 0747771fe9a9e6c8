//! The audit log as rows. Each database has its own.

use crate::error::SqliteError;
use rusqlite::{Connection, Row};
use tollgate_storage::{Actor, AuditFilter, AuditRecord, Door};

/// A step of a database's schema.
pub(crate) const TABLE: &str = "
    -- Who did what. The id begins with the time; a row is never changed.
    CREATE TABLE audit (
        id            TEXT NOT NULL PRIMARY KEY,
        at            INTEGER NOT NULL,
        door          TEXT NOT NULL CHECK (door IN ('http', 'command', 'service')),
        actor         TEXT,
        credential    TEXT,
        address       TEXT,
        action        TEXT NOT NULL,
        target        TEXT NOT NULL,
        concerns      TEXT,
        outcome       TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

pub(crate) fn insert(connection: &Connection, record: &AuditRecord) -> Result<(), SqliteError> {
    let AuditRecord { id, at, by: Actor { door, subject, credential, address }, action, target, concerns, outcome } =
        record;
    connection
        .prepare_cached(
            "INSERT INTO audit (id, at, door, actor, credential, address, action, target, concerns, outcome)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
        )?
        .execute((id, at, door.as_str(), subject, credential, address, action, target, concerns, outcome))?;
    Ok(())
}

pub(crate) fn page(
    connection: &Connection,
    filter: &AuditFilter,
    after: Option<&str>,
    max: usize,
) -> Result<Vec<AuditRecord>, SqliteError> {
    let (after, before, max) = (filter.after(after), filter.before(), i64::try_from(max).unwrap_or(i64::MAX));
    let mut select = connection.prepare_cached(
        "SELECT * FROM audit WHERE id > ?1 AND (?2 IS NULL OR id < ?2) AND (?3 IS NULL OR action = ?3)
         AND (?4 IS NULL OR actor = ?4 OR target = ?4 OR concerns = ?4) ORDER BY id LIMIT ?5",
    )?;
    Ok(select.query_map((after, before, &filter.action, &filter.about, max), record)?.collect::<Result<_, _>>()?)
}

/// Removes the records from before a time in seconds since the Unix epoch. Returns their number.
pub(crate) fn forget(connection: &Connection, at: i64) -> Result<u64, SqliteError> {
    let forgotten = connection.prepare_cached("DELETE FROM audit WHERE id < ?1")?.execute([AuditFilter::id_at(at)])?;
    Ok(forgotten as u64)
}

fn record(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    let door: String = row.get("door")?;
    Ok(AuditRecord {
        id: row.get("id")?,
        at: row.get("at")?,
        by: Actor {
            // The table's constraint admits no other value.
            door: Door::from_name(&door).unwrap_or(Door::Service),
            subject: row.get("actor")?,
            credential: row.get("credential")?,
            address: row.get("address")?,
        },
        action: row.get("action")?,
        target: row.get("target")?,
        concerns: row.get("concerns")?,
        outcome: row.get("outcome")?,
    })
}
