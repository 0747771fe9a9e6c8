use super::StorageError;
use rusqlite::{Connection, TransactionBehavior};

/// Brings the file to the newest schema, one step at a time, each step in one transaction.
///
/// `user_version` counts the steps already taken. Two processes that open the same old file at
/// once take turns: the version is read under the write lock.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StorageError> {
    let known = STEPS.len() as i64;
    loop {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = step.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found == known {
            return Ok(());
        }
        let next = usize::try_from(found).ok().and_then(|done| STEPS.get(done));
        let Some(sql) = next else {
            return Err(StorageError::NewerSchema { found, known });
        };
        step.execute_batch(sql)?;
        step.pragma_update(None, "user_version", found + 1)?;
        step.commit()?;
    }
}

/// Step N turns schema version N into N + 1. A released step is never edited.
const STEPS: &[&str] = &["
    CREATE TABLE users (
        id            TEXT NOT NULL PRIMARY KEY,
        email         TEXT NOT NULL UNIQUE,
        password_hash TEXT NOT NULL,
        scopes        TEXT NOT NULL,
        created_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE clients (
        id            TEXT NOT NULL PRIMARY KEY,
        name          TEXT NOT NULL,
        scopes        TEXT NOT NULL,
        created_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE client_redirect_uris (
        client_id     TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
        redirect_uri  TEXT NOT NULL,
        PRIMARY KEY (client_id, redirect_uri)
    ) STRICT, WITHOUT ROWID;

    -- API keys and client secrets: digests only. The subject is a user's or a client's id.
    CREATE TABLE credentials (
        id            TEXT NOT NULL PRIMARY KEY,
        digest        BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
        kind          TEXT NOT NULL CHECK (kind IN ('api-key', 'client-secret', 'access-token')),
        subject       TEXT NOT NULL,
        name          TEXT NOT NULL,
        scopes        TEXT NOT NULL,
        created_at    INTEGER NOT NULL,
        not_before    INTEGER,
        expires_at    INTEGER,
        revoked_at    INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX credentials_by_subject ON credentials (subject, kind, created_at);

    CREATE TABLE sites (
        id            TEXT NOT NULL PRIMARY KEY,
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name          TEXT NOT NULL,
        url           TEXT NOT NULL,
        created_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sites_by_user ON sites (user_id, created_at, id);

    -- One row: the whole rotation, since its steps concern all keys together.
    CREATE TABLE signing_keys (
        id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        version       INTEGER NOT NULL,
        private_jwks  TEXT NOT NULL
    ) STRICT;

    CREATE TABLE login_sessions (
        digest        BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created_at    INTEGER NOT NULL,
        expires_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX login_sessions_by_expiry ON login_sessions (expires_at);

    -- One row a code. The token made from it is named here, so that a second use can revoke it.
    CREATE TABLE authorization_codes (
        digest          BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
        client_id       TEXT NOT NULL,
        user_id         TEXT NOT NULL,
        redirect_uri    TEXT NOT NULL,
        code_challenge  TEXT NOT NULL,
        scope           TEXT NOT NULL,
        created_at      INTEGER NOT NULL,
        expires_at      INTEGER NOT NULL,
        used_at         INTEGER,
        token_id        TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

    CREATE TABLE revoked_tokens (
        token_id        TEXT NOT NULL PRIMARY KEY,
        expires_at      INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
"];
