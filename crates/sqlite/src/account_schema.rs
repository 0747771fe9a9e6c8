//! The schema of the accounts' database.

use crate::{audit_rows, device_rows, jti_rows, pushed_rows, refresh_rows};

/// Step N turns schema version N into N + 1. A released step is never edited.
pub(crate) const STEPS: &[&str] = &[
    "
    CREATE TABLE users (
        id            TEXT NOT NULL PRIMARY KEY,
        email         TEXT NOT NULL UNIQUE,
        password_hash TEXT NOT NULL,
        scopes        TEXT NOT NULL,
        created_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

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
",
    "
    ALTER TABLE users ADD COLUMN disabled_at INTEGER;
    -- Grows with every change that ends all logins of the user.
    ALTER TABLE users ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;

    -- Under which `iss` tokens were issued to these users.
    CREATE TABLE issuers (
        name          TEXT NOT NULL PRIMARY KEY
    ) STRICT, WITHOUT ROWID;

    -- The sessions of before have no id by which their tokens could be revoked: whoever is logged in logs in again.
    DROP TABLE login_sessions;
    CREATE TABLE login_sessions (
        id            TEXT NOT NULL PRIMARY KEY,
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        digest        BLOB UNIQUE CHECK (length(digest) = 32),
        key_id        TEXT,
        agent         TEXT NOT NULL,
        address       TEXT,
        created_at    INTEGER NOT NULL,
        expires_at    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX login_sessions_by_expiry ON login_sessions (expires_at);
    CREATE INDEX login_sessions_by_user ON login_sessions (user_id, created_at);

    -- What was issued before and is not used yet belongs to no session any more.
    DELETE FROM authorization_codes WHERE used_at IS NULL;
    ALTER TABLE authorization_codes ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
    CREATE INDEX authorization_codes_by_user ON authorization_codes (user_id);
",
    "
    -- What users let clients have. Those of clients that are gone stay until the user revokes them.
    CREATE TABLE consents (
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id     TEXT NOT NULL,
        scopes        TEXT NOT NULL,
        granted_at    INTEGER NOT NULL,
        PRIMARY KEY (user_id, client_id)
    ) STRICT, WITHOUT ROWID;

    -- Browsers in which users have logged in: digests of cookies that let nobody in.
    CREATE TABLE known_devices (
        user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        digest        BLOB NOT NULL CHECK (length(digest) = 32),
        last_login_at INTEGER NOT NULL,
        expires_at    INTEGER NOT NULL,
        PRIMARY KEY (user_id, digest)
    ) STRICT, WITHOUT ROWID;
",
    audit_rows::TABLE,
    "
    ALTER TABLE authorization_codes ADD COLUMN nonce TEXT;
    ALTER TABLE login_sessions ADD COLUMN authenticated_at INTEGER NOT NULL DEFAULT 0;
    UPDATE login_sessions SET authenticated_at = created_at;

    -- The clients that got tokens in a login session, who are told when it ends.
    CREATE TABLE session_clients (
        session_id      TEXT NOT NULL REFERENCES login_sessions (id) ON DELETE CASCADE,
        client_id       TEXT NOT NULL,
        PRIMARY KEY (session_id, client_id)
    ) STRICT, WITHOUT ROWID;

    -- What clients have to be told of sessions that have ended. Whoever sends one moves its next attempt on first.
    CREATE TABLE logout_notices (
        session_id      TEXT NOT NULL,
        client_id       TEXT NOT NULL,
        user_id         TEXT NOT NULL,
        attempts        INTEGER NOT NULL DEFAULT 0,
        next_attempt_at INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (session_id, client_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX logout_notices_by_attempt ON logout_notices (next_attempt_at);
",
    jti_rows::TABLE,
    pushed_rows::TABLE,
    "
    ALTER TABLE authorization_codes ADD COLUMN dpop_jkt TEXT;
",
    device_rows::TABLE,
    refresh_rows::TABLES,
    jti_rows::WITH_PROOFS,
    refresh_rows::WITH_CONFIRMATION,
];
