//! Accepted assertions.

use crate::error::SqliteError;
use rusqlite::Connection;
use tollgate_storage::Refusal;
use tollgate_storage::accounts::SpentAssertion;

/// Records the assertion. Returns whether it is new.
pub(crate) fn spend(
    connection: &Connection,
    assertion: &SpentAssertion,
    now: i64,
    max: u32,
) -> Result<bool, SqliteError> {
    let SpentAssertion { client_id, digest, expires_at } = assertion;
    connection.prepare_cached("DELETE FROM spent_assertions WHERE expires_at <= ?1")?.execute([now])?;
    let added = connection
        .prepare_cached(
            "INSERT INTO spent_assertions (client_id, digest, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute((client_id, digest, expires_at))?;
    let count: u32 = connection
        .prepare_cached("SELECT count(*) FROM spent_assertions WHERE client_id = ?1")?
        .query_row([client_id], |row| row.get(0))?;
    if added > 0 && count > max { Err(Refusal::TooMany { max }.into()) } else { Ok(added > 0) }
}

/// A step of the schema.
pub(crate) const TABLE: &str = "
    -- Assertions of clients that were accepted, by the SHA-256 of their `jti`.
    CREATE TABLE spent_assertions (
        client_id     TEXT NOT NULL,
        digest        BLOB NOT NULL CHECK (length(digest) = 32),
        expires_at    INTEGER NOT NULL,
        PRIMARY KEY (client_id, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX spent_assertions_by_expiry ON spent_assertions (expires_at);
";
