use std::collections::{HashMap, HashSet};
use std::slice;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate::{Digest, KeyKind};
use tollgate_storage::{
    AuditRecord, CertificateSubject, Client, ClientKeys, Command, Derived, KeySession, KeyTransaction, Outcome,
    RedirectUri, Refusal, RevocationKind, StorageError, StoredKey, StoredRevocation, TokensOf,
};

use crate::append::Changed;
use crate::audit;
use crate::error::of_server;
use crate::limits::NAME_LOCKS;
use crate::rows::{
    CLIENT_COLUMNS, KEY_COLUMN_COUNT, KEY_COLUMNS, KeyReader, REVOCATION_COLUMNS, addresses, check_texts, client_of,
    revocation_digest, revocation_of, stored_client,
};
use crate::write::Work;

/// Commands, in their order.
pub(crate) struct Commands<'w>(pub(crate) &'w [Command]);

#[async_trait]
impl Work for Commands<'_> {
    type Done = Vec<Outcome>;

    async fn run(
        &self,
        _: &ClientWrapper,
        transaction: &mut PostgresTransaction<'_>,
    ) -> Result<Vec<Outcome>, StorageError> {
        let mut outcomes = Vec::with_capacity(self.0.len());
        for command in self.0 {
            outcomes.push(command.apply(transaction).await?);
        }
        Ok(outcomes)
    }

    fn commands(&self) -> &[Command] {
        self.0
    }
}

/// The rows for a command, in a transaction on `client` with the isolation level "read committed".
///
/// Each name is locked before it is read: the subject of a key, the id of a client, the name of a revocation. So transactions
/// that count or change the keys of one subject take turns, even if there is no row to lock yet. The row of a key is locked
/// too, because the tokens of a client, which have other subjects, are revoked together. Concurrent additions of the same id
/// or digest for different subjects conflict in the table's index, where the later one is refused.
pub(crate) struct PostgresTransaction<'c> {
    client: &'c ClientWrapper,
    reader: KeyReader,
    /// The numbers of keys that are known to exist, by their ids.
    known: HashMap<String, i64>,
    /// Ids and digests that no key had when the transaction began. If another transaction adds one, the insertion fails.
    free_ids: HashSet<String>,
    free_digests: HashSet<[u8; 32]>,
    changes: Vec<Changed>,
    has_met_another: bool,
}

impl<'c> PostgresTransaction<'c> {
    pub(crate) fn new(client: &'c ClientWrapper) -> Self {
        PostgresTransaction {
            client,
            reader: KeyReader::default(),
            known: HashMap::new(),
            free_ids: HashSet::new(),
            free_digests: HashSet::new(),
            changes: Vec::new(),
            has_met_another: false,
        }
    }

    /// Begins the transaction, and finds out in the same round trip which added keys are new.
    pub(crate) async fn begin(&mut self, commands: &[Command]) -> Result<(), StorageError> {
        let added = || {
            commands.iter().filter_map(|command| match command.plain() {
                Command::AddKey { key, .. } if !key.record.id().contains('\0') => Some(key),
                _ => None,
            })
        };
        let ids: Vec<&str> = added().map(|key| key.record.id()).collect();
        if ids.is_empty() {
            return self.client.batch_execute(BEGIN).await.map_err(of_server);
        }
        let digests: Vec<&[u8]> = added().map(|key| &key.digest.as_bytes()[..]).collect();
        let select = self.client.prepare_cached(TAKEN).await.map_err(of_server)?;
        let parameters: [&(dyn ToSql + Sync); 2] = [&ids, &digests];
        let (begun, taken) =
            tokio::join!(biased; self.client.batch_execute(BEGIN), self.client.query(&select, &parameters));
        begun.map_err(of_server)?;
        self.free_ids.extend(ids.into_iter().map(str::to_owned));
        self.free_digests.extend(added().map(|key| *key.digest.as_bytes()));
        for row in taken.map_err(of_server)? {
            self.free_ids.remove(row.get::<_, &str>(0));
            self.free_digests.remove(row.get::<_, &[u8]>(1));
        }
        Ok(())
    }

    pub(crate) fn changed(&mut self, change: Changed) {
        self.changes.push(change);
    }

    pub(crate) fn into_changes(self) -> Vec<Changed> {
        self.changes
    }

    /// Whether another transaction added the same id or digest concurrently. A command was then refused in the middle,
    /// and the whole must be restarted.
    pub(crate) fn has_met_another(&self) -> bool {
        self.has_met_another
    }

    /// Both are sent at once; the server locks first.
    async fn locked(
        &self,
        name: &str,
        select: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StorageError> {
        let lock = format!("SELECT {}", lock("$1"));
        let (lock, select) =
            tokio::join!(biased; self.client.prepare_cached(&lock), self.client.prepare_cached(select));
        let (lock, select) = (lock.map_err(of_server)?, select.map_err(of_server)?);
        let name: &(dyn ToSql + Sync) = &name;
        let name = [name];
        let (locked, rows) = tokio::join!(
            biased;
            self.client.query(&lock, &name),
            self.client.query(&select, parameters),
        );
        locked.map_err(of_server)?;
        rows.map_err(of_server)
    }

    /// The key in the single row where `condition` holds for `value`, locked with its subject.
    async fn key_where(
        &mut self,
        condition: &str,
        value: &(dyn ToSql + Sync),
    ) -> Result<Option<StoredKey>, StorageError> {
        let lock = format!("SELECT {} FROM tollgate.keys k WHERE {condition}", lock("k.subject"));
        let select = format!("SELECT {KEY_COLUMNS}, k.number FROM tollgate.keys k WHERE {condition} FOR UPDATE");
        let (lock, select) =
            tokio::join!(biased; self.client.prepare_cached(&lock), self.client.prepare_cached(&select));
        let (lock, select) = (lock.map_err(of_server)?, select.map_err(of_server)?);
        let parameters = [value];
        let (locked, row) = tokio::join!(
            biased;
            self.client.query(&lock, &parameters),
            self.client.query_opt(&select, &parameters),
        );
        locked.map_err(of_server)?;
        row.map_err(of_server)?.map(|row| self.known_key(&row)).transpose()
    }

    fn known_key(&mut self, row: &Row) -> Result<StoredKey, StorageError> {
        let key = self.reader.read(row, 0)?;
        self.known.insert(key.record.id().to_owned(), row.get(KEY_COLUMN_COUNT));
        Ok(key)
    }

    async fn execute(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, StorageError> {
        let statement = self.client.prepare_cached(text).await.map_err(of_server)?;
        self.client.execute(&statement, parameters).await.map_err(of_server)
    }

    /// The number of the new key; `None` if its id or digest exists.
    async fn insert(&self, key: &StoredKey) -> Result<Option<i64>, StorageError> {
        let record = &key.record;
        let (digest, metadata, addresses) = (&key.digest.as_bytes()[..], record.metadata(), addresses(record));
        let (kind, state, format) = (record.kind().as_str(), record.state().as_str(), key.format.as_deref());
        let rows = self
            .locked(
                record.subject(),
                "INSERT INTO tollgate.keys (id, digest, format, kind, subject, client_id, scopes, created_at, not_before,
                                            expires_at, state, name, metadata, allowed_addresses, rotated_to, overlap_ends_at, parent,
                                            confirmation)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
                 ON CONFLICT DO NOTHING RETURNING number",
                &[
                    &record.id(),
                    &digest,
                    &format,
                    &kind,
                    &record.subject(),
                    &stored_client(record),
                    &record.scopes().as_str().trim_end(),
                    &key.created_at,
                    &record.not_before(),
                    &record.expires_at(),
                    &state,
                    &record.name(),
                    &metadata,
                    &addresses,
                    &key.rotated_to.as_deref(),
                    &key.overlap_ends_at,
                    &key.parent.as_deref(),
                    &key.confirmation(),
                ],
            )
            .await?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    async fn update(&self, number: i64, key: &StoredKey) -> Result<(), StorageError> {
        let record = &key.record;
        let (metadata, addresses, state) = (record.metadata(), addresses(record), record.state().as_str());
        self.execute(
            "UPDATE tollgate.keys SET subject = $2, client_id = $3, scopes = $4, created_at = $5, not_before = $6,
                                      expires_at = $7, state = $8, name = $9, metadata = $10, allowed_addresses = $11,
                                      rotated_to = $12, overlap_ends_at = $13, parent = $14, confirmation = $15
             WHERE number = $1",
            &[
                &number,
                &record.subject(),
                &stored_client(record),
                &record.scopes().as_str().trim_end(),
                &key.created_at,
                &record.not_before(),
                &record.expires_at(),
                &state,
                &record.name(),
                &metadata,
                &addresses,
                &key.rotated_to.as_deref(),
                &key.overlap_ends_at,
                &key.parent.as_deref(),
                &key.confirmation(),
            ],
        )
        .await?;
        Ok(())
    }
}

const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

const TAKEN: &str = "
    SELECT id, digest FROM tollgate.keys WHERE id = ANY($1)
    UNION ALL SELECT id, digest FROM tollgate.keys WHERE digest = ANY($2)";

/// The advisory lock for a text, which ends with the transaction. Its first key is the crate's own ("toll" in ASCII).
fn lock(text: &str) -> String {
    format!("pg_advisory_xact_lock(1953459308, abs(hashtext({text}) % {NAME_LOCKS}))")
}

#[async_trait]
impl KeyTransaction for PostgresTransaction<'_> {
    async fn key(&mut self, id: &str) -> Result<Option<StoredKey>, StorageError> {
        if id.contains('\0') || self.free_ids.contains(id) {
            return Ok(None);
        }
        self.key_where("k.id = $1", &id).await
    }

    async fn key_of(&mut self, digest: &Digest) -> Result<Option<StoredKey>, StorageError> {
        if self.free_digests.contains(digest.as_bytes()) {
            return Ok(None);
        }
        self.key_where("k.digest = $1", &&digest.as_bytes()[..]).await
    }

    async fn live_keys_of(&mut self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>, StorageError> {
        if subject.contains('\0') {
            return Ok(Vec::new());
        }
        // Only tokens are changed without a lock on their subjects.
        let lock = if kind == KeyKind::AccessToken { "FOR UPDATE" } else { "" };
        let select = format!("{} {lock}", live_keys(", k.number"));
        let rows = self.locked(subject, &select, &[&subject, &kind.as_str(), &now]).await?;
        // Unreadable rows are skipped if there are others.
        Ok(rows.iter().filter_map(|row| self.known_key(row).ok()).collect())
    }

    async fn put_key(&mut self, key: &StoredKey) -> Result<(), StorageError> {
        check_texts(key)?;
        let id = key.record.id();
        let number = match self.known.get(id) {
            Some(number) => {
                let number = *number;
                self.update(number, key).await?;
                number
            }
            None => {
                let Some(number) = self.insert(key).await? else {
                    self.has_met_another = true;
                    return Err(Refusal::AlreadyExists { what: "key" }.into());
                };
                self.known.insert(id.to_owned(), number);
                self.free_ids.remove(id);
                self.free_digests.remove(key.digest.as_bytes());
                number
            }
        };
        self.changes.push(Changed::Key { number });
        Ok(())
    }

    async fn remove_key(&mut self, id: &str, digest: &Digest) -> Result<(), StorageError> {
        self.execute("DELETE FROM tollgate.keys WHERE id = $1", &[&id]).await?;
        self.known.remove(id);
        self.changes.push(Changed::KeyRemoved { digest: *digest });
        Ok(())
    }

    async fn derived_of(&mut self, key_id: &str) -> Result<Derived, StorageError> {
        // The key itself is locked, and so are additions to its derived records.
        let keys = format!(
            "SELECT {KEY_COLUMNS}, k.number FROM tollgate.keys k
             WHERE k.parent = $1 AND k.kind = 'api-key' AND k.state <> 'revoked' ORDER BY k.id FOR UPDATE"
        );
        let sessions = "SELECT id, issuer, key_id, ends_at FROM tollgate.key_sessions WHERE key_id = $1 ORDER BY id";
        let (keys, sessions) =
            tokio::join!(biased; self.client.prepare_cached(&keys), self.client.prepare_cached(sessions));
        let (keys, sessions) = (keys.map_err(of_server)?, sessions.map_err(of_server)?);
        let parameter: &(dyn ToSql + Sync) = &key_id;
        let parameter = [parameter];
        let (keys, sessions) = tokio::join!(
            biased;
            self.client.query(&keys, &parameter),
            self.client.query(&sessions, &parameter),
        );
        let mut read = Vec::new();
        for row in keys.map_err(of_server)? {
            read.push(self.known_key(&row)?);
        }
        Ok(Derived { keys: read, sessions: sessions.map_err(of_server)?.iter().map(session_of).collect() })
    }

    async fn put_session(&mut self, session: &KeySession) -> Result<(), StorageError> {
        let KeySession { id, issuer, key_id, ends_at } = session;
        self.execute(
            "INSERT INTO tollgate.key_sessions (id, issuer, key_id, ends_at) VALUES ($1, $2, $3, $4)",
            &[id, issuer, key_id, ends_at],
        )
        .await?;
        // So that the session is acknowledged only when it is durable.
        self.changes.push(Changed::Heartbeat);
        Ok(())
    }

    async fn remove_session(&mut self, id: &str) -> Result<(), StorageError> {
        self.execute("DELETE FROM tollgate.key_sessions WHERE id = $1", &[&id]).await?;
        self.changes.push(Changed::Heartbeat);
        Ok(())
    }

    async fn sessions_of_ended_keys(&mut self, now: i64) -> Result<Vec<KeySession>, StorageError> {
        let select = "SELECT s.id, s.issuer, s.key_id, s.ends_at
                      FROM tollgate.key_sessions s JOIN tollgate.keys k ON k.id = s.key_id
                      WHERE k.overlap_ends_at <= $1 OR k.expires_at <= $1 ORDER BY s.id";
        let statement = self.client.prepare_cached(select).await.map_err(of_server)?;
        Ok(self.client.query(&statement, &[&now]).await.map_err(of_server)?.iter().map(session_of).collect())
    }

    async fn revoke_tokens(&mut self, of: &TokensOf, made_before: i64) -> Result<u64, StorageError> {
        let (condition, name) = match of {
            TokensOf::Subject(subject) => ("subject = $2", subject.as_str()),
            TokensOf::Client(client) => ("client_id = $2", client.as_str()),
            TokensOf::Session(session_id) => ("parent = $2", session_id.as_str()),
            _ => ("$2 = ''", ""),
        };
        if name.contains('\0') {
            return Ok(0);
        }
        let update = format!(
            "UPDATE tollgate.keys SET state = 'revoked'
             WHERE kind = 'access-token' AND {condition} AND created_at < $1 AND state <> 'revoked' RETURNING number"
        );
        let rows = self.locked(name, &update, &[&made_before, &name]).await?;
        self.changes.extend(rows.iter().map(|row| Changed::Key { number: row.get(0) }));
        Ok(rows.len() as u64)
    }

    async fn client(&mut self, id: &str) -> Result<Option<Client>, StorageError> {
        if id.contains('\0') {
            return Ok(None);
        }
        let select = format!("SELECT {CLIENT_COLUMNS} FROM tollgate.clients l WHERE l.id = $1");
        let rows = self.locked(id, &select, &[&id]).await?;
        Ok(rows.first().map(|row| client_of(row, 0)).transpose()?)
    }

    async fn put_client(&mut self, client: &Client) -> Result<(), StorageError> {
        let uris: Vec<&str> = client.redirect_uris().iter().map(RedirectUri::as_str).collect();
        let settings = client.settings();
        self.execute(
            "INSERT INTO tollgate.clients (id, name, scopes, redirect_uris, created_at, kind, grants, auth_method, user_scopes,
                                           is_operators_own, is_disabled, post_logout_redirect_uris, backchannel_logout_uri, jwks,
                                           requires_pushed_requests, is_dpop_bound, certificate_name, certificate_value,
                                           is_certificate_bound)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
             ON CONFLICT (id) DO UPDATE SET name = $2, scopes = $3, redirect_uris = $4, created_at = $5, kind = $6, grants = $7,
                                            auth_method = $8, user_scopes = $9, is_operators_own = $10, is_disabled = $11,
                                            post_logout_redirect_uris = $12, backchannel_logout_uri = $13, jwks = $14,
                                            requires_pushed_requests = $15, is_dpop_bound = $16,
                                            certificate_name = $17, certificate_value = $18, is_certificate_bound = $19",
            &[
                &client.id(),
                &client.name(),
                &client.scopes(),
                &uris,
                &client.created_at(),
                &settings.kind.as_str(),
                &settings.grant_names(),
                &settings.auth_method.as_str(),
                &settings.user_scopes,
                &settings.is_operators_own,
                &settings.is_disabled,
                &settings.post_logout_redirect_uri_list(),
                &settings.backchannel_logout_uri.as_ref().map(RedirectUri::as_str),
                &settings.jwks.as_ref().map(ClientKeys::as_str),
                &settings.requires_pushed_requests,
                &settings.is_dpop_bound,
                &settings.certificate_subject.as_ref().map(|subject| subject.name().as_str()),
                &settings.certificate_subject.as_ref().map(CertificateSubject::value),
                &settings.is_certificate_bound,
            ],
        )
        .await?;
        self.changes.push(Changed::Client { id: client.id().to_owned() });
        Ok(())
    }

    async fn remove_client(&mut self, id: &str) -> Result<(), StorageError> {
        self.execute("DELETE FROM tollgate.clients WHERE id = $1", &[&id]).await?;
        self.changes.push(Changed::Client { id: id.to_owned() });
        Ok(())
    }

    async fn revocation(
        &mut self,
        kind: RevocationKind,
        issuer: &str,
        name: &str,
    ) -> Result<Option<StoredRevocation>, StorageError> {
        let digest = revocation_digest(kind, issuer, name);
        let lock = if name.contains('\0') { "" } else { name };
        let select = format!("SELECT {REVOCATION_COLUMNS} FROM tollgate.revocations r WHERE r.digest = $1");
        let rows = self.locked(lock, &select, &[&&digest[..]]).await?;
        Ok(rows.first().map(|row| revocation_of(row, 0)).transpose()?)
    }

    async fn put_revocation(&mut self, revocation: &StoredRevocation) -> Result<(), StorageError> {
        let StoredRevocation { kind, issuer, name, issued_before, until } = revocation;
        if issuer.contains('\0') || name.contains('\0') {
            return Err(Refusal::Field { field: "name" }.into());
        }
        let digest = revocation_digest(*kind, issuer, name);
        self.execute(
            "INSERT INTO tollgate.revocations (digest, kind, issuer, name, issued_before, until)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (digest) DO UPDATE SET issued_before = $5, until = $6",
            &[&&digest[..], &kind.as_str(), &&**issuer, &&**name, issued_before, until],
        )
        .await?;
        self.changes.push(of_revocation(*kind, issuer, name));
        Ok(())
    }

    async fn remove_revocation(&mut self, kind: RevocationKind, issuer: &str, name: &str) -> Result<(), StorageError> {
        let digest = revocation_digest(kind, issuer, name);
        self.execute("DELETE FROM tollgate.revocations WHERE digest = $1", &[&&digest[..]]).await?;
        self.changes.push(of_revocation(kind, issuer, name));
        Ok(())
    }

    async fn put_audit(&mut self, record: &AuditRecord) -> Result<(), StorageError> {
        audit::insert(self.client, slice::from_ref(record)).await
    }
}

fn session_of(row: &Row) -> KeySession {
    KeySession { id: row.get(0), issuer: row.get(1), key_id: row.get(2), ends_at: row.get(3) }
}

fn of_revocation(kind: RevocationKind, issuer: &str, name: &str) -> Changed {
    Changed::Revocation { kind, issuer: issuer.to_owned(), name: name.to_owned() }
}

/// For a subject and a kind, by a time. `also`: further columns.
pub(crate) fn live_keys(also: &str) -> String {
    format!(
        "SELECT {KEY_COLUMNS}{also} FROM tollgate.keys k
         WHERE k.subject = $1 AND k.kind = $2 AND k.state <> 'revoked'
         AND (k.expires_at IS NULL OR k.expires_at > $3) AND (k.overlap_ends_at IS NULL OR k.overlap_ends_at > $3)
         ORDER BY k.created_at DESC, k.id DESC"
    )
}
