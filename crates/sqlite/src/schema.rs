use crate::audit_rows;
use crate::error::SqliteError;
use rusqlite::{Connection, TransactionBehavior};
use tollgate_storage::StorageError;

/// Migrates a file to the newest schema, one step at a time, each in one transaction.
///
/// `user_version` counts the steps already taken. Two processes that open the same old file at once take turns: the version
/// is read under the write lock.
pub(crate) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), SqliteError> {
    let known = steps.len() as i64;
    // Usually there is nothing to do, so there is no reason to wait for a writer.
    while connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? != known {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = step.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found == known {
            return Ok(());
        }
        let next = usize::try_from(found).ok().and_then(|done| steps.get(done));
        let Some(sql) = next else {
            return Err(StorageError::NewerSchema { found, known }.into());
        };
        step.execute_batch(sql)?;
        step.pragma_update(None, "user_version", found + 1)?;
        step.commit()?;
    }
    Ok(())
}

/// The steps of the store's schema. Step N turns schema version N into N + 1. A released step is never edited.
pub(crate) const STEPS: &[&str] = &["
    -- Each set once. Rows are never changed and never removed.
    CREATE TABLE scope_sets (
        number            INTEGER NOT NULL PRIMARY KEY,
        scopes            TEXT NOT NULL UNIQUE
    ) STRICT;

    -- API keys, client secrets and opaque access tokens: digests only. A number is never used twice.
    CREATE TABLE keys (
        number            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        id                TEXT NOT NULL UNIQUE,
        digest            BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
        format            TEXT,
        kind              TEXT NOT NULL CHECK (kind IN ('api-key', 'client-secret', 'access-token')),
        subject           TEXT NOT NULL,
        client_id         TEXT,
        scope_set         INTEGER NOT NULL REFERENCES scope_sets (number),
        created_at        INTEGER NOT NULL,
        not_before        INTEGER,
        expires_at        INTEGER,
        state             TEXT NOT NULL CHECK (state IN ('active', 'disabled', 'revoked')),
        name              TEXT NOT NULL,
        metadata          BLOB NOT NULL,
        allowed_addresses TEXT NOT NULL,
        rotated_to        TEXT,
        overlap_ends_at   INTEGER
    ) STRICT;
    CREATE INDEX keys_by_subject ON keys (subject);
    CREATE INDEX tokens_by_client ON keys (client_id) WHERE kind = 'access-token';
    CREATE INDEX tokens_by_expiry ON keys (expires_at) WHERE kind = 'access-token' AND expires_at IS NOT NULL;

    CREATE TABLE clients (
        id                TEXT NOT NULL PRIMARY KEY,
        name              TEXT NOT NULL,
        scopes            TEXT NOT NULL,
        created_at        INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE client_redirect_uris (
        client_id         TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
        position          INTEGER NOT NULL,
        redirect_uri      TEXT NOT NULL,
        PRIMARY KEY (client_id, position)
    ) STRICT, WITHOUT ROWID;

    -- 9223372036854775807: spares nothing, is never forgotten.
    CREATE TABLE revocations (
        kind              TEXT NOT NULL CHECK (kind IN ('token', 'subject', 'session', 'client', 'issuer', 'api-key')),
        issuer            TEXT NOT NULL,
        name              TEXT NOT NULL,
        issued_before     INTEGER NOT NULL,
        until             INTEGER NOT NULL,
        PRIMARY KEY (kind, issuer, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX revocations_by_end ON revocations (until);

    -- What has changed, in order. How it is now is read from its own table. A sequence number is never used twice.
    CREATE TABLE changes (
        sequence          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        what              TEXT NOT NULL CHECK (what IN ('key', 'key-removed', 'client', 'revocation')),
        key_number        INTEGER,
        digest            BLOB,
        kind              TEXT,
        issuer            TEXT,
        name              TEXT
    ) STRICT;

    -- One row. Changes up to this number are gone.
    CREATE TABLE feed (
        id                INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        compacted_through INTEGER NOT NULL
    ) STRICT;
    INSERT INTO feed VALUES (1, 0);
", "
    -- What has changed, in order. How it is now is read from its own table. A number is never used twice; a tag is random, and
    -- tells whether a reader followed this history. The last row is always kept.
    CREATE TABLE log (
        number            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        tag               INTEGER NOT NULL,
        what              TEXT NOT NULL CHECK (what IN ('key', 'key-removed', 'client', 'revocation', 'heartbeat')),
        key_number        INTEGER,
        digest            BLOB,
        kind              TEXT,
        issuer            TEXT,
        name              TEXT
    ) STRICT;
    -- Readers of the old log begin again with a snapshot.
    INSERT INTO sqlite_sequence (name, seq) SELECT 'log', seq FROM sqlite_sequence WHERE name = 'changes';
    INSERT INTO log (tag, what) SELECT random(), 'heartbeat' FROM sqlite_sequence WHERE name = 'changes';
    DROP TABLE changes;
    DROP TABLE feed;
", "
    -- What a key was made with, and ends with.
    ALTER TABLE keys ADD COLUMN parent TEXT;
    CREATE INDEX keys_by_parent ON keys (parent) WHERE parent IS NOT NULL;
", "
    -- Sessions that were made with API keys, whose JWTs are revoked when the key ends.
    CREATE TABLE key_sessions (
        id                TEXT NOT NULL PRIMARY KEY,
        issuer            TEXT NOT NULL,
        key_id            TEXT NOT NULL,
        ends_at           INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX key_sessions_by_key ON key_sessions (key_id);
    CREATE INDEX key_sessions_by_end ON key_sessions (ends_at);
", "
    ALTER TABLE clients ADD COLUMN kind TEXT NOT NULL DEFAULT 'machine';
    ALTER TABLE clients ADD COLUMN grants TEXT NOT NULL DEFAULT 'client_credentials';
    ALTER TABLE clients ADD COLUMN auth_method TEXT NOT NULL DEFAULT 'client_secret';
    ALTER TABLE clients ADD COLUMN user_scopes TEXT NOT NULL DEFAULT '';
    ALTER TABLE clients ADD COLUMN is_operators_own INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE clients ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0;
    -- What was registered before may ask users for what it may do itself, but for what is never delegated. One without a secret is public,
    -- and could do nothing so far.
    UPDATE clients SET kind = 'web', grants = 'authorization_code client_credentials',
                       user_scopes = CASE WHEN scopes LIKE '%admin:%' THEN '' ELSE scopes END
    WHERE id IN (SELECT client_id FROM client_redirect_uris);
    UPDATE clients SET kind = 'browser', grants = 'authorization_code', auth_method = 'none', scopes = ''
    WHERE kind = 'web' AND id NOT IN (SELECT subject FROM keys WHERE kind = 'client-secret');
    UPDATE clients SET is_disabled = 1
    WHERE auth_method <> 'none'
      AND id IN (SELECT subject FROM keys WHERE kind = 'client-secret' AND state = 'disabled')
      AND id NOT IN (SELECT subject FROM keys WHERE kind = 'client-secret' AND state = 'active');
", audit_rows::TABLE, "
    -- Joined by single spaces.
    ALTER TABLE clients ADD COLUMN post_logout_redirect_uris TEXT NOT NULL DEFAULT '';
    ALTER TABLE clients ADD COLUMN backchannel_logout_uri TEXT;
", "
    -- The JWK set of a client that signs assertions.
    ALTER TABLE clients ADD COLUMN jwks TEXT;
", "
    ALTER TABLE clients ADD COLUMN requires_pushed_requests INTEGER NOT NULL DEFAULT 0;
", "
    ALTER TABLE clients ADD COLUMN is_dpop_bound INTEGER NOT NULL DEFAULT 0;
", "
    -- What an access token is bound to: `jkt=` or `x5t#S256=` and a thumbprint, joined by single spaces.
    ALTER TABLE keys ADD COLUMN confirmation TEXT NOT NULL DEFAULT '';
", "
    -- The subject of the certificates of a client that authenticates by these: which name of theirs, and the name itself.
    ALTER TABLE clients ADD COLUMN certificate_name TEXT;
    ALTER TABLE clients ADD COLUMN certificate_value TEXT;
", "
    ALTER TABLE clients ADD COLUMN is_certificate_bound INTEGER NOT NULL DEFAULT 0;
"];
