/// Step N turns schema version N into N + 1. A released step is never edited.
pub(super) const STEPS: &[&str] = &["
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
"];
