//! The changes to keys, clients and revocations, and their conditions. Every way in has the same rules.

use crate::audit::AuditRecord;
use crate::client::{Client, ClientSettings};
use crate::client_keys::ClientKeys;
use crate::derived;
use crate::error::{Refusal, StorageError};
use crate::key::StoredKey;
use crate::key_session::KeySession;
use crate::made_with::{DerivedKey, Successor};
use crate::revocation::{RevocationKind, StoredRevocation, revoke};
use crate::transaction::KeyTransaction;
use tollgate::{KeyKind, KeyState};

/// One change with its conditions, which are checked in the transaction of the change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Adds a key, unless its subject has `max` keys of its kind that are neither revoked nor ended when it is made. An
    /// API key that was made with another ([`StoredKey::parent`]) requires its parent to be active, and must not exceed
    /// its powers, addresses and lifetime.
    AddKey {
        /// The key.
        key: StoredKey,
        /// The maximum; `None` for none.
        max: Option<u32>,
    },
    /// Adds `new` as the successor of the key `id`, which stays valid until `overlap_ends_at`.
    ///
    /// Refused unless the old key is active, has not ended, and was not rotated before: of concurrent rotations one
    /// succeeds. The new key must not exceed the powers of the old one.
    RotateKey {
        /// The old key.
        id: String,
        /// The new key, made now.
        new: StoredKey,
        /// In seconds since the Unix epoch; an earlier end of the old key stays.
        overlap_ends_at: i64,
    },
    /// Adds a session that was made with an API key. The key must be active and must not end before the session.
    AddSession {
        /// The session.
        session: KeySession,
        /// The session's creation time, in seconds since the Unix epoch.
        made_at: i64,
    },
    /// Ends the sessions of API keys that ended by `now`, through the overlap of a rotation or an expiry that was moved
    /// before that of the session.
    EndSessions {
        /// In seconds since the Unix epoch.
        now: i64,
    },
    /// Replaces `was` by `now`, if the stored key equals `was`. Id, digest, format and kind stay; a revoked key is not
    /// changed.
    ChangeKey {
        /// The key as it was read.
        was: StoredKey,
        /// The new state of the key.
        now: StoredKey,
    },
    /// Disables, enables or revokes a key. A revoked key stays revoked.
    PutKeyInState {
        /// The key.
        id: String,
        /// The state.
        state: KeyState,
    },
    /// Removes a key and its record.
    RemoveKey {
        /// The key.
        id: String,
    },
    /// Registers a client, with its secret if it has one.
    AddClient {
        /// The client.
        client: Client,
        /// A key of kind client-secret for this client.
        secret: Option<StoredKey>,
    },
    /// Replaces the client with the same id.
    ChangeClient(Client),
    /// Replaces the keys of a client that signs assertions, or has certificates of its own.
    ReplaceClientKeys {
        /// The client.
        id: String,
        /// Its keys from now on.
        jwks: ClientKeys,
    },
    /// Disables all secrets of a client, and revokes its tokens.
    DisableClient {
        /// The client.
        id: String,
        /// The client's tokens.
        issued: Issued,
    },
    /// Enables the secrets of a client that are not revoked. Revoked tokens stay revoked.
    EnableClient {
        /// The client.
        id: String,
    },
    /// Adds a secret to a client; all others end at `overlap_ends_at` or earlier.
    ///
    /// Refused unless `current` is its newest secret that is neither revoked nor ended. One of these must be active,
    /// unless there are none.
    RotateClientSecret {
        /// The client.
        id: String,
        /// The newest secret's id as it was read; `None` if there was none.
        current: Option<String>,
        /// The new secret, made now.
        new: StoredKey,
        /// In seconds since the Unix epoch.
        overlap_ends_at: i64,
    },
    /// Removes a client, and revokes all its secrets and tokens.
    RemoveClient {
        /// The client.
        id: String,
        /// The client's tokens.
        issued: Issued,
    },
    /// Revokes the tokens of a holder, and changes the state of the holder's API keys.
    EndSubject {
        /// The holder.
        subject: String,
        /// The new state of the API keys, disabled or revoked, for those not yet in it or revoked; `None` does not
        /// change them.
        keys: Option<KeyState>,
        /// The `sid`s that are revoked completely.
        sessions: Vec<String>,
        /// The holder's tokens.
        issued: Issued,
    },
    /// Revokes a name. Of two revocations of one name the stricter applies: the later `issued_before` and the later
    /// `until`.
    Revoke {
        /// The revocation.
        revocation: StoredRevocation,
        /// Whether the opaque access tokens in this store are of that issuer. They carry no names, and are revoked by
        /// their records.
        with_opaque: bool,
    },
    /// Removes a revocation.
    Restore {
        /// The kind of the name.
        kind: RevocationKind,
        /// The issuer of the name.
        issuer: String,
        /// The name.
        name: String,
    },
    /// Executes a command and writes its audit record with the outcome, in one transaction ([`Command::by`]).
    Audited {
        /// The actor and the action.
        record: AuditRecord,
        /// The command.
        command: Box<Command>,
    },
    /// Revokes the opaque access tokens of a holder that were made before a time in seconds since the Unix epoch. Their
    /// records stay until they expire.
    RevokeTokens {
        /// The holder.
        of: TokensOf,
        /// Tokens made at this time or later are not revoked.
        made_before: i64,
    },
}

/// The number of changed records, 0 if all were in that state already; or the reason for the refusal.
pub type Outcome = Result<u64, Refusal>;

/// A selection of opaque access tokens by their holder.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokensOf {
    /// Tokens of this subject.
    Subject(String),
    /// Tokens that were issued to this client.
    Client(String),
    /// Tokens that were issued in the login session of this `sid`.
    Session(String),
    /// All.
    Anybody,
}

/// The tokens of a client or a user: the opaque access tokens in the store, and the JWTs of some issuers.
#[derive(Clone, Debug, Default)]
pub struct Issued {
    /// The `iss` of the JWTs.
    pub issuers: Vec<String>,
    /// Tokens made at this time or later are not included, in seconds since the Unix epoch.
    pub made_before: i64,
    /// The expiry of the last of these JWTs, in seconds since the Unix epoch.
    pub until: i64,
}

impl Command {
    /// Executes the command, or returns the reason for the refusal. A refused command writes nothing except its [audit
    /// record](Self::by).
    ///
    /// # Errors
    /// When the transaction fails.
    pub async fn apply(&self, rows: &mut dyn KeyTransaction) -> Result<Outcome, StorageError> {
        match self.run(rows).await {
            Ok(changed) => Ok(Ok(changed)),
            Err(StorageError::Refused(refusal)) => Ok(Err(refusal)),
            Err(error) => Err(error),
        }
    }

    /// Every condition is checked before the first write.
    async fn run(&self, rows: &mut dyn KeyTransaction) -> Result<u64, StorageError> {
        match self {
            Self::AddKey { key, max } => {
                check_new(rows, key).await?;
                let key = match key.parent.as_ref().filter(|_| key.record.kind() == KeyKind::ApiKey) {
                    Some(parent) => DerivedKey::of(&known_key(rows, parent).await?, key)?.key(),
                    None => key,
                };
                if let Some(max) = *max {
                    let live = rows.live_keys_of(key.record.subject(), key.record.kind(), key.created_at).await?;
                    if live.len() >= max as usize {
                        return Err(Refusal::TooMany { max }.into());
                    }
                }
                rows.put_key(key).await?;
                Ok(1)
            }
            Self::RotateKey { id, new, overlap_ends_at } => {
                let old = known_key(rows, id).await?;
                let successor = Successor::of(&old, new)?;
                check_new(rows, new).await?;
                // The new key first, so that a reader always finds at least one.
                rows.put_key(successor.key()).await?;
                let rotated_to = Some(new.record.id().into());
                let ending = StoredKey { rotated_to, ..old.clone().ending_by(*overlap_ends_at) };
                // Changes to keys made with the old one are not counted.
                derived::put(rows, &old, &ending, new.created_at).await?;
                Ok(2)
            }
            Self::AddSession { session, made_at } => {
                let key = known_key(rows, &session.key_id).await?;
                key.check_parent(*made_at)?;
                if let Some(ended_at) = key.ends_at().filter(|end| *end < session.ends_at) {
                    return Err(Refusal::KeyEnded { ended_at }.into());
                }
                rows.put_session(session).await?;
                Ok(1)
            }
            Self::EndSessions { now } => {
                let sessions = rows.sessions_of_ended_keys(*now).await?;
                derived::end(rows, &sessions).await
            }
            Self::ChangeKey { was, now } => {
                let current = known_key(rows, was.record.id()).await?;
                if current.record.state() == KeyState::Revoked {
                    return Err(Refusal::KeyRevoked.into());
                }
                if current != *was {
                    return Err(Refusal::Changed { what: "key" }.into());
                }
                now.check()?;
                let identity = |key: &StoredKey| (key.digest, key.record.kind(), key.format.clone());
                if identity(now) != identity(was) || now.record.id() != was.record.id() {
                    return Err(Refusal::Field { field: "id" }.into());
                }
                if was == now {
                    return Ok(0);
                }
                derived::put(rows, was, now, i64::MIN).await?;
                Ok(1)
            }
            Self::PutKeyInState { id, state } => {
                let key = known_key(rows, id).await?;
                if key.record.state() == KeyState::Revoked && *state != KeyState::Revoked {
                    return Err(Refusal::KeyRevoked.into());
                }
                put_changed(rows, &key, &key.clone().in_state(*state)).await
            }
            Self::RemoveKey { id } => {
                let key = known_key(rows, id).await?;
                rows.remove_key(id, &key.digest).await?;
                derived::follow(rows, &key, None, i64::MIN).await?;
                Ok(1)
            }
            Self::AddClient { client, secret } => {
                client.check()?;
                if rows.client(client.id()).await?.is_some() {
                    return Err(Refusal::AlreadyExists { what: "client" }.into());
                }
                if let Some(secret) = secret {
                    if !client.has_secret() {
                        return Err(Refusal::Field { field: "token_endpoint_auth_method" }.into());
                    }
                    check_secret(rows, client.id(), secret).await?;
                }
                rows.put_client(client).await?;
                if let Some(secret) = secret {
                    rows.put_key(secret).await?;
                }
                Ok(1 + u64::from(secret.is_some()))
            }
            Self::ChangeClient(client) => {
                client.check()?;
                if known_client(rows, client.id()).await? == *client {
                    return Ok(0);
                }
                rows.put_client(client).await?;
                Ok(1)
            }
            Self::ReplaceClientKeys { id, jwks } => {
                let client = known_client(rows, id).await?;
                let settings = ClientSettings { jwks: Some(jwks.clone()), ..client.settings().clone() };
                if settings == *client.settings() {
                    return Ok(0);
                }
                rows.put_client(&client.with(settings)?).await?;
                Ok(1)
            }
            Self::DisableClient { id, issued } => {
                let client = put_client_as(rows, id, true).await?;
                let secrets = put_keys_in_state(rows, id, KeyKind::ClientSecret, KeyState::Disabled).await?;
                Ok(client + secrets + issued.revoke(rows, id).await?)
            }
            Self::EnableClient { id } => {
                let client = put_client_as(rows, id, false).await?;
                Ok(client + put_keys_in_state(rows, id, KeyKind::ClientSecret, KeyState::Active).await?)
            }
            Self::RotateClientSecret { id, current, new, overlap_ends_at } => {
                if !known_client(rows, id).await?.has_secret() {
                    return Err(Refusal::Field { field: "token_endpoint_auth_method" }.into());
                }
                let secrets = rows.live_keys_of(id, KeyKind::ClientSecret, new.created_at).await?;
                if secrets.first().map(|newest| newest.record.id()) != current.as_deref() {
                    return Err(Refusal::Changed { what: "client" }.into());
                }
                if !secrets.is_empty() && !secrets.iter().any(|secret| secret.record.state() == KeyState::Active) {
                    return Err(Refusal::Disabled { what: "client" }.into());
                }
                check_secret(rows, id, new).await?;
                rows.put_key(new).await?;
                for secret in &secrets {
                    let mut ending = secret.clone().ending_by(*overlap_ends_at);
                    ending.rotated_to = ending.rotated_to.or_else(|| Some(new.record.id().into()));
                    rows.put_key(&ending).await?;
                }
                Ok(1 + secrets.len() as u64)
            }
            Self::RemoveClient { id, issued } => {
                known_client(rows, id).await?;
                let secrets = put_keys_in_state(rows, id, KeyKind::ClientSecret, KeyState::Revoked).await?;
                let tokens = issued.revoke(rows, id).await?;
                rows.remove_client(id).await?;
                Ok(1 + secrets + tokens)
            }
            Self::EndSubject { subject, keys, sessions, issued } => {
                let mut changed = issued.revoke_subject(rows, subject, sessions).await?;
                if let Some(state) = *keys {
                    changed += put_keys_in_state(rows, subject, KeyKind::ApiKey, state).await?;
                }
                Ok(changed)
            }
            Self::Revoke { revocation, with_opaque } => {
                revocation.check()?;
                let revoked = revoke(rows, revocation).await?;
                let name = || revocation.name.to_string();
                let of = match revocation.kind {
                    _ if !*with_opaque => return Ok(revoked),
                    RevocationKind::Subject => TokensOf::Subject(name()),
                    RevocationKind::Client => TokensOf::Client(name()),
                    RevocationKind::Issuer => TokensOf::Anybody,
                    RevocationKind::Token => return Ok(revoked + revoke_token(rows, &revocation.name).await?),
                    RevocationKind::Session => TokensOf::Session(name()),
                    RevocationKind::ApiKey => return Ok(revoked),
                };
                Ok(revoked + rows.revoke_tokens(&of, revocation.issued_before).await?)
            }
            Self::Restore { kind, issuer, name } => {
                if rows.revocation(*kind, issuer, name).await?.is_none() {
                    return Err(Refusal::NotFound { what: "revocation" }.into());
                }
                rows.remove_revocation(*kind, issuer, name).await?;
                Ok(1)
            }
            Self::Audited { record, command } => {
                let outcome = Box::pin(command.apply(rows)).await?;
                rows.put_audit(&record.clone().with_outcome(&outcome)).await?;
                Ok(outcome?)
            }
            Self::RevokeTokens { of, made_before } => rows.revoke_tokens(of, *made_before).await,
        }
    }
}

impl Issued {
    async fn revoke(&self, rows: &mut dyn KeyTransaction, client_id: &str) -> Result<u64, StorageError> {
        let mut revoked = rows.revoke_tokens(&TokensOf::Client(client_id.to_owned()), self.made_before).await?;
        for issuer in &self.issuers {
            let of_client = StoredRevocation::new(RevocationKind::Client, issuer, client_id);
            let (issued_before, until) = (self.made_before, self.until);
            revoked += revoke(rows, &StoredRevocation { issued_before, until, ..of_client }).await?;
        }
        Ok(revoked)
    }

    /// JWTs carry their subject and session. The sids in `sessions` are revoked for any time of issue, because an issuer
    /// may not know yet that the session has ended.
    async fn revoke_subject(
        &self,
        rows: &mut dyn KeyTransaction,
        subject: &str,
        sessions: &[String],
    ) -> Result<u64, StorageError> {
        // Times are whole seconds: opaque tokens of this second exist already, and are included.
        let tokens_before = self.made_before.saturating_add(1);
        let mut revoked = rows.revoke_tokens(&TokensOf::Subject(subject.to_owned()), tokens_before).await?;
        for issuer in &self.issuers {
            let of_subject = StoredRevocation::new(RevocationKind::Subject, issuer, subject);
            let (issued_before, until) = (self.made_before, self.until);
            revoked += revoke(rows, &StoredRevocation { issued_before, until, ..of_subject }).await?;
            for session in sessions {
                let of_session = StoredRevocation::new(RevocationKind::Session, issuer, session);
                revoked += revoke(rows, &StoredRevocation { until, ..of_session }).await?;
            }
        }
        Ok(revoked)
    }
}

async fn known_key(rows: &mut dyn KeyTransaction, id: &str) -> Result<StoredKey, StorageError> {
    Ok(rows.key(id).await?.ok_or(Refusal::NotFound { what: "key" })?)
}

async fn known_client(rows: &mut dyn KeyTransaction, id: &str) -> Result<Client, StorageError> {
    Ok(rows.client(id).await?.ok_or(Refusal::NotFound { what: "client" })?)
}

/// Disables or enables a client, independently of its secrets.
async fn put_client_as(rows: &mut dyn KeyTransaction, id: &str, is_disabled: bool) -> Result<u64, StorageError> {
    let client = known_client(rows, id).await?;
    if client.settings().is_disabled == is_disabled {
        return Ok(0);
    }
    rows.put_client(&client.with_disabled(is_disabled)).await?;
    Ok(1)
}

/// Whether the key can be added.
async fn check_new(rows: &mut dyn KeyTransaction, key: &StoredKey) -> Result<(), StorageError> {
    key.check()?;
    if rows.key(key.record.id()).await?.is_some() || rows.key_of(&key.digest).await?.is_some() {
        return Err(Refusal::AlreadyExists { what: "key" }.into());
    }
    Ok(())
}

/// Whether the key can be added as a secret of that client.
async fn check_secret(rows: &mut dyn KeyTransaction, client_id: &str, secret: &StoredKey) -> Result<(), StorageError> {
    if secret.record.kind() != KeyKind::ClientSecret || secret.record.subject() != client_id {
        return Err(Refusal::Field { field: "client_id" }.into());
    }
    check_new(rows, secret).await
}

async fn put_changed(rows: &mut dyn KeyTransaction, was: &StoredKey, now: &StoredKey) -> Result<u64, StorageError> {
    if was == now {
        return Ok(0);
    }
    derived::put(rows, was, now, i64::MIN).await?;
    Ok(1)
}

/// Changes the state of the keys that are not revoked, ended ones included.
async fn put_keys_in_state(
    rows: &mut dyn KeyTransaction,
    subject: &str,
    kind: KeyKind,
    state: KeyState,
) -> Result<u64, StorageError> {
    let mut changed = 0;
    for key in rows.live_keys_of(subject, kind, i64::MIN).await? {
        // The change of its parent may have revoked the key.
        let Some(key) = rows.key(key.record.id()).await?.filter(|key| key.record.state() != KeyState::Revoked) else {
            continue;
        };
        changed += put_changed(rows, &key, &key.clone().in_state(state)).await?;
    }
    Ok(changed)
}

/// The opaque token of that id, if it exists.
async fn revoke_token(rows: &mut dyn KeyTransaction, id: &str) -> Result<u64, StorageError> {
    match rows.key(id).await? {
        Some(key) if key.record.kind() == KeyKind::AccessToken => {
            put_changed(rows, &key, &key.clone().in_state(KeyState::Revoked)).await
        }
        _ => Ok(0),
    }
}
