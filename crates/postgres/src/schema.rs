use tokio_postgres::Client;
use tollgate_storage::StorageError;

use crate::error::of_server;
use crate::refresh;

/// Migrates the database to the newest schema, one step at a time, each in one transaction. Of concurrent migrations one
/// proceeds, and the others wait.
///
/// A read-only server is not changed.
pub(crate) async fn migrate(client: &mut Client) -> Result<(), StorageError> {
    let known = STEPS.len() as i64;
    let found = version(client).await?;
    if found > known {
        return Err(StorageError::NewerSchema { found, known });
    }
    if found == known || is_read_only(client).await? {
        return Ok(());
    }
    // The lock belongs to the session, so that it spans the steps; its holder may take its time. The next durable commit
    // makes the steps durable too, so opening waits for no standby.
    client.batch_execute("SET lock_timeout = 0; SET synchronous_commit = local").await.map_err(of_server)?;
    client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await.map_err(of_server)?;
    let outcome = migrate_alone(client, known).await;
    client.execute("SELECT pg_advisory_unlock($1)", &[&MIGRATION_LOCK]).await.map_err(of_server)?;
    outcome
}

async fn migrate_alone(client: &mut Client, known: i64) -> Result<(), StorageError> {
    loop {
        let found = version(client).await?;
        if found == known {
            return Ok(());
        }
        let Some(step) = usize::try_from(found).ok().and_then(|done| STEPS.get(done)) else {
            return Err(StorageError::NewerSchema { found, known });
        };
        let transaction = client.transaction().await.map_err(of_server)?;
        if found == 0 {
            transaction.batch_execute(FOUNDATION).await.map_err(of_server)?;
        }
        transaction.batch_execute(step).await.map_err(of_server)?;
        transaction.execute("UPDATE tollgate.schema SET version = $1", &[&(found + 1)]).await.map_err(of_server)?;
        transaction.commit().await.map_err(of_server)?;
    }
}

/// The number of steps taken.
async fn version(client: &Client) -> Result<i64, StorageError> {
    let is_there = "SELECT to_regclass('tollgate.schema') IS NOT NULL";
    if !client.query_one(is_there, &[]).await.map_err(of_server)?.get::<_, bool>(0) {
        return Ok(0);
    }
    let row = client.query_opt("SELECT version FROM tollgate.schema", &[]).await.map_err(of_server)?;
    Ok(row.map_or(0, |row| row.get(0)))
}

async fn is_read_only(client: &Client) -> Result<bool, StorageError> {
    let row = client.query_one("SELECT pg_is_in_recovery()", &[]).await.map_err(of_server)?;
    Ok(row.get(0))
}

/// "tollgate" in ASCII.
const MIGRATION_LOCK: i64 = 0x746f_6c6c_6761_7465;

const FOUNDATION: &str = "
    CREATE SCHEMA IF NOT EXISTS tollgate;
    CREATE TABLE IF NOT EXISTS tollgate.schema (version bigint NOT NULL);
    INSERT INTO tollgate.schema SELECT 0 WHERE NOT EXISTS (SELECT FROM tollgate.schema);
";

/// Step N turns schema version N into N + 1. A released step is never edited.
const STEPS: &[&str] = &[
    "
    -- API keys, client secrets and opaque access tokens: digests only.
    CREATE TABLE tollgate.keys (
        number            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id                text COLLATE \"C\" NOT NULL UNIQUE,
        digest            bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
        format            text COLLATE \"C\",
        kind              text COLLATE \"C\" NOT NULL CHECK (kind IN ('api-key', 'client-secret', 'access-token')),
        subject           text COLLATE \"C\" NOT NULL,
        client_id         text COLLATE \"C\",
        scopes            text COLLATE \"C\" NOT NULL,
        created_at        bigint NOT NULL,
        not_before        bigint,
        expires_at        bigint,
        state             text COLLATE \"C\" NOT NULL CHECK (state IN ('active', 'disabled', 'revoked')),
        name              text COLLATE \"C\" NOT NULL,
        metadata          bytea NOT NULL,
        allowed_addresses text COLLATE \"C\" NOT NULL,
        rotated_to        text COLLATE \"C\",
        overlap_ends_at   bigint
    );
    CREATE INDEX keys_by_subject ON tollgate.keys (subject);
    CREATE INDEX tokens_by_client ON tollgate.keys (client_id) WHERE kind = 'access-token';
    CREATE INDEX tokens_by_expiry ON tollgate.keys (expires_at) WHERE kind = 'access-token' AND expires_at IS NOT NULL;

    CREATE TABLE tollgate.clients (
        id                text COLLATE \"C\" PRIMARY KEY,
        name              text COLLATE \"C\" NOT NULL,
        scopes            text COLLATE \"C\" NOT NULL,
        redirect_uris     text[] NOT NULL,
        created_at        bigint NOT NULL
    );

    -- Names may be longer than what an index takes, so that each row is found by the SHA-256 of kind, issuer and name.
    -- 9223372036854775807: spares nothing, is never forgotten.
    CREATE TABLE tollgate.revocations (
        digest            bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
        kind              text COLLATE \"C\" NOT NULL
                          CHECK (kind IN ('token', 'subject', 'session', 'client', 'issuer', 'api-key')),
        issuer            text COLLATE \"C\" NOT NULL,
        name              text COLLATE \"C\" NOT NULL,
        issued_before     bigint NOT NULL,
        until             bigint NOT NULL
    );
    CREATE INDEX revocations_by_end ON tollgate.revocations (until);
    CREATE INDEX revocations_by_name ON tollgate.revocations (kind, left(issuer, 512), left(name, 128));

    -- What has changed, in the order of commits, without gaps. How it is now is read from its own table. The tag is random.
    -- The last change of a batch names the batch, so that whoever lost the answer to its commit can look.
    CREATE TABLE tollgate.changes (
        number            bigint PRIMARY KEY,
        tag               bigint NOT NULL,
        what              text COLLATE \"C\" NOT NULL
                          CHECK (what IN ('key', 'key-removed', 'client', 'revocation', 'heartbeat')),
        key_number        bigint,
        digest            bytea,
        kind              text COLLATE \"C\",
        issuer            text COLLATE \"C\",
        name              text COLLATE \"C\",
        batch             bytea
    );
    CREATE UNIQUE INDEX changes_by_batch ON tollgate.changes (batch) WHERE batch IS NOT NULL;

    -- One row: the number of the last change. Every transaction updates it as the last thing that it does, and so many versions of
    -- it come and go that the page needs room.
    CREATE TABLE tollgate.head (
        id                int PRIMARY KEY CHECK (id = 1),
        number            bigint NOT NULL
    ) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
    INSERT INTO tollgate.head VALUES (1, 0);
",
    "
    -- What the service alone keeps.
    CREATE TABLE tollgate.users (
        id                text COLLATE \"C\" PRIMARY KEY,
        email             text COLLATE \"C\" NOT NULL UNIQUE,
        password_hash     text NOT NULL,
        scopes            text NOT NULL,
        created_at        bigint NOT NULL
    );

    CREATE TABLE tollgate.sites (
        id                text COLLATE \"C\" PRIMARY KEY,
        user_id           text COLLATE \"C\" NOT NULL REFERENCES tollgate.users (id) ON DELETE CASCADE,
        name              text NOT NULL,
        url               text NOT NULL,
        created_at        bigint NOT NULL
    );
    CREATE INDEX sites_by_user ON tollgate.sites (user_id, created_at, id);

    -- One row: the whole rotation, since its steps concern all keys together.
    CREATE TABLE tollgate.signing_keys (
        id                int PRIMARY KEY CHECK (id = 1),
        version           bigint NOT NULL,
        private_jwks      text NOT NULL
    );

    CREATE TABLE tollgate.login_sessions (
        digest            bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
        user_id           text COLLATE \"C\" NOT NULL REFERENCES tollgate.users (id) ON DELETE CASCADE,
        created_at        bigint NOT NULL,
        expires_at        bigint NOT NULL
    );
    CREATE INDEX login_sessions_by_expiry ON tollgate.login_sessions (expires_at);

    -- One row a code. The token made from it is named here, so that a second use can revoke it.
    CREATE TABLE tollgate.authorization_codes (
        digest            bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
        client_id         text NOT NULL,
        user_id           text NOT NULL,
        redirect_uri      text NOT NULL,
        code_challenge    text NOT NULL,
        scope             text NOT NULL,
        created_at        bigint NOT NULL,
        expires_at        bigint NOT NULL,
        used_at           bigint,
        token_id          text NOT NULL
    );
    CREATE INDEX authorization_codes_by_expiry ON tollgate.authorization_codes (expires_at);
",
    "
    ALTER TABLE tollgate.users ADD COLUMN disabled_at bigint;
    -- Grows with every change that ends all logins of the user.
    ALTER TABLE tollgate.users ADD COLUMN epoch bigint NOT NULL DEFAULT 0;

    -- Under which `iss` tokens were issued to these users.
    CREATE TABLE tollgate.issuers (
        name              text COLLATE \"C\" PRIMARY KEY
    );

    -- The sessions of before have no id by which their tokens could be revoked: whoever is logged in logs in again.
    DROP TABLE tollgate.login_sessions;
    CREATE TABLE tollgate.login_sessions (
        id                text COLLATE \"C\" PRIMARY KEY,
        user_id           text COLLATE \"C\" NOT NULL REFERENCES tollgate.users (id) ON DELETE CASCADE,
        digest            bytea UNIQUE CHECK (octet_length(digest) = 32),
        key_id            text,
        agent             text NOT NULL,
        address           text,
        created_at        bigint NOT NULL,
        expires_at        bigint NOT NULL
    );
    CREATE INDEX login_sessions_by_expiry ON tollgate.login_sessions (expires_at);
    CREATE INDEX login_sessions_by_user ON tollgate.login_sessions (user_id, created_at);

    -- What was issued before and is not used yet belongs to no session any more.
    DELETE FROM tollgate.authorization_codes WHERE used_at IS NULL;
    ALTER TABLE tollgate.authorization_codes ADD COLUMN session_id text COLLATE \"C\" NOT NULL DEFAULT '';
    CREATE INDEX authorization_codes_by_user ON tollgate.authorization_codes (user_id);
",
    "
    -- What a key was made with, and ends with.
    ALTER TABLE tollgate.keys ADD COLUMN parent text COLLATE \"C\";
    CREATE INDEX keys_by_parent ON tollgate.keys (parent) WHERE parent IS NOT NULL;
",
    "
    -- Sessions that were made with API keys, whose JWTs are revoked when the key ends.
    CREATE TABLE tollgate.key_sessions (
        id                text COLLATE \"C\" PRIMARY KEY,
        issuer            text NOT NULL,
        key_id            text COLLATE \"C\" NOT NULL,
        ends_at           bigint NOT NULL
    );
    CREATE INDEX key_sessions_by_key ON tollgate.key_sessions (key_id);
    CREATE INDEX key_sessions_by_end ON tollgate.key_sessions (ends_at);
",
    "
    ALTER TABLE tollgate.clients
        ADD COLUMN kind text COLLATE \"C\" NOT NULL DEFAULT 'machine',
        ADD COLUMN grants text COLLATE \"C\" NOT NULL DEFAULT 'client_credentials',
        ADD COLUMN auth_method text COLLATE \"C\" NOT NULL DEFAULT 'client_secret',
        ADD COLUMN user_scopes text COLLATE \"C\" NOT NULL DEFAULT '',
        ADD COLUMN is_operators_own boolean NOT NULL DEFAULT false,
        ADD COLUMN is_disabled boolean NOT NULL DEFAULT false;
    -- What was registered before may ask users for what it may do itself, but for what is never delegated. One without a secret is public,
    -- and could do nothing so far.
    UPDATE tollgate.clients SET kind = 'web', grants = 'authorization_code client_credentials',
                                user_scopes = CASE WHEN scopes LIKE '%admin:%' THEN '' ELSE scopes END
    WHERE cardinality(redirect_uris) > 0;
    UPDATE tollgate.clients SET kind = 'browser', grants = 'authorization_code', auth_method = 'none', scopes = ''
    WHERE kind = 'web' AND id NOT IN (SELECT subject FROM tollgate.keys WHERE kind = 'client-secret');
    UPDATE tollgate.clients SET is_disabled = true
    WHERE auth_method <> 'none'
      AND id IN (SELECT subject FROM tollgate.keys WHERE kind = 'client-secret' AND state = 'disabled')
      AND id NOT IN (SELECT subject FROM tollgate.keys WHERE kind = 'client-secret' AND state = 'active');
",
    "
    -- What users let clients have. Those of clients that are gone stay until the user revokes them.
    CREATE TABLE tollgate.consents (
        user_id           text COLLATE \"C\" NOT NULL REFERENCES tollgate.users (id) ON DELETE CASCADE,
        client_id         text COLLATE \"C\" NOT NULL,
        scopes            text NOT NULL,
        granted_at        bigint NOT NULL,
        PRIMARY KEY (user_id, client_id)
    );

    -- Browsers in which users have logged in: digests of cookies that let nobody in.
    CREATE TABLE tollgate.known_devices (
        user_id           text COLLATE \"C\" NOT NULL REFERENCES tollgate.users (id) ON DELETE CASCADE,
        digest            bytea NOT NULL CHECK (octet_length(digest) = 32),
        last_login_at     bigint NOT NULL,
        expires_at        bigint NOT NULL,
        PRIMARY KEY (user_id, digest)
    );
",
    "
    -- Who did what. The id begins with the time; a row is never changed.
    CREATE TABLE tollgate.audit (
        id                text COLLATE \"C\" PRIMARY KEY,
        at                bigint NOT NULL,
        door              text COLLATE \"C\" NOT NULL CHECK (door IN ('http', 'command', 'service')),
        actor             text,
        credential        text,
        address           text,
        action            text NOT NULL,
        target            text NOT NULL,
        concerns          text,
        outcome           text NOT NULL
    );
",
    "
    -- Joined by single spaces.
    ALTER TABLE tollgate.clients
        ADD COLUMN post_logout_redirect_uris text NOT NULL DEFAULT '',
        ADD COLUMN backchannel_logout_uri text;
",
    "
    ALTER TABLE tollgate.authorization_codes ADD COLUMN nonce text;
    ALTER TABLE tollgate.login_sessions ADD COLUMN authenticated_at bigint NOT NULL DEFAULT 0;
    UPDATE tollgate.login_sessions SET authenticated_at = created_at;

    -- The clients that got tokens in a login session, who are told when it ends.
    CREATE TABLE tollgate.session_clients (
        session_id        text COLLATE \"C\" NOT NULL REFERENCES tollgate.login_sessions (id) ON DELETE CASCADE,
        client_id         text COLLATE \"C\" NOT NULL,
        PRIMARY KEY (session_id, client_id)
    );

    -- What clients have to be told of sessions that have ended. Whoever sends one moves its next attempt on first.
    CREATE TABLE tollgate.logout_notices (
        session_id        text COLLATE \"C\" NOT NULL,
        client_id         text COLLATE \"C\" NOT NULL,
        user_id           text COLLATE \"C\" NOT NULL,
        attempts          bigint NOT NULL DEFAULT 0,
        next_attempt_at   bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (session_id, client_id)
    );
    CREATE INDEX logout_notices_by_attempt ON tollgate.logout_notices (next_attempt_at);
",
    "
    -- The JWK set of a client that signs assertions.
    ALTER TABLE tollgate.clients ADD COLUMN jwks text;

    -- Assertions of clients that were accepted, by the SHA-256 of their `jti`.
    CREATE TABLE tollgate.spent_assertions (
        client_id         text COLLATE \"C\" NOT NULL,
        digest            bytea NOT NULL CHECK (octet_length(digest) = 32),
        expires_at        bigint NOT NULL,
        PRIMARY KEY (client_id, digest)
    );
    CREATE INDEX spent_assertions_by_expiry ON tollgate.spent_assertions (expires_at);
",
    "
    ALTER TABLE tollgate.clients ADD COLUMN requires_pushed_requests boolean NOT NULL DEFAULT false;

    -- Authorization requests that clients have pushed, by the SHA-256 of their `request_uri`. One that a browser has begun has another.
    CREATE TABLE tollgate.pushed_requests (
        digest            bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
        client_id         text COLLATE \"C\" NOT NULL,
        parameters        text NOT NULL,
        expires_at        bigint NOT NULL,
        is_begun          boolean NOT NULL DEFAULT false
    );
    CREATE INDEX pushed_requests_by_client ON tollgate.pushed_requests (client_id);
    CREATE INDEX pushed_requests_by_expiry ON tollgate.pushed_requests (expires_at);
",
    "
    ALTER TABLE tollgate.clients ADD COLUMN is_dpop_bound boolean NOT NULL DEFAULT false;
    ALTER TABLE tollgate.authorization_codes ADD COLUMN dpop_jkt text;
",
    "
    -- Device authorization requests (RFC 8628), by the digests of both their codes. An approval is that of a login session.
    CREATE TABLE tollgate.device_authorizations (
        device_digest     bytea PRIMARY KEY CHECK (octet_length(device_digest) = 32),
        user_digest       bytea NOT NULL UNIQUE CHECK (octet_length(user_digest) = 32),
        client_id         text COLLATE \"C\" NOT NULL,
        scope             text NOT NULL,
        created_at        bigint NOT NULL,
        expires_at        bigint NOT NULL,
        poll_interval     bigint NOT NULL,
        polled_at         bigint,
        is_denied         boolean NOT NULL DEFAULT false,
        user_id           text COLLATE \"C\",
        session_id        text COLLATE \"C\",
        token_id          text COLLATE \"C\",
        used_at           bigint
    );
    CREATE INDEX device_authorizations_by_expiry ON tollgate.device_authorizations (expires_at);
    CREATE INDEX device_authorizations_by_user ON tollgate.device_authorizations (user_id) WHERE user_id IS NOT NULL;
",
    refresh::TABLES,
    "
    -- DPoP proofs are recorded too. The owner: the client, or the key of a client that anybody can be.
    ALTER TABLE tollgate.spent_assertions RENAME TO spent_jtis;
    ALTER TABLE tollgate.spent_jtis RENAME COLUMN client_id TO owner;
    ALTER INDEX tollgate.spent_assertions_by_expiry RENAME TO spent_jtis_by_expiry;
",
    "
    -- What an access token is bound to: `jkt=` or `x5t#S256=` and a thumbprint, joined by single spaces.
    ALTER TABLE tollgate.keys ADD COLUMN confirmation text COLLATE \"C\" NOT NULL DEFAULT '';
",
    "
    -- The subject of the certificates of a client that authenticates by these: which name of theirs, and the name itself.
    ALTER TABLE tollgate.clients
        ADD COLUMN certificate_name text COLLATE \"C\",
        ADD COLUMN certificate_value text;
",
    "
    ALTER TABLE tollgate.clients ADD COLUMN is_certificate_bound boolean NOT NULL DEFAULT false;
",
    refresh::WITH_CONFIRMATION,
];
