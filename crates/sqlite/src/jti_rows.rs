//! Accepted assertions and proofs, by their `jti`.

use crate::error::SqliteError;
use rusqlite::Connection;
use tollgate_storage::Refusal;
use tollgate_storage::accounts::SpentJti;

/// Records the `jti`. Returns whether it is new.
pub(crate) fn spend(connection: &Connection, jti: &SpentJti, now: i64, max: u32) -> Result<bool, SqliteError> {
    let SpentJti { owner, digest, expires_at } = jti;
    connection.prepare_cached("DELETE FROM spent_jtis WHERE expires_at <= ?1")?.execute([now])?;
    let added = connection
        .prepare_cached(
            "INSERT INTO spent_jtis (owner, digest, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute((owner, digest, expires_at))?;
    let count: u32 = connection
        .prepare_cached("SELECT count(*) FROM spent_jtis WHERE owner = ?1")?
        .query_row([owner], |row| row.get(0))?;
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

/// A later step: DPoP proofs are recorded too.
pub(crate) const WITH_PROOFS: &str = "
    ALTER TABLE spent_assertions RENAME TO spent_jtis;
    -- The client, or the key of a client that anybody can be.
    ALTER TABLE spent_jtis RENAME COLUMN client_id TO owner;
";
