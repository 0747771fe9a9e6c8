//! What may be done to keys, clients and revocations, and under which conditions. No door has rules of its own.

use crate::audit::AuditRecord;
use crate::client::Client;
use crate::derived;
use crate::error::{Refusal, StorageError};
use crate::key::StoredKey;
use crate::key_session::KeySession;
use crate::made_with::{DerivedKey, Successor};
use crate::revocation::{RevocationKind, StoredRevocation, revoke};
use crate::transaction::KeyTransaction;
use tollgate::{KeyKind, KeyState};

/// One change, with the conditions under which it is made. They are checked in the transaction that makes it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Adds a key, unless its subject has `max` of its kind that are neither revoked nor ended when it is made. An
    /// API key that was made with another ([`StoredKey::parent`]) needs that one to be active, and can do no more than it, from elsewhere
    /// or longer.
    AddKey {
        /// The key.
        key: StoredKey,
        /// The maximum; `None` for none.
        max: Option<u32>,
    },
    /// Adds `new` in the place of the key `id`, which stays good until `overlap_ends_at`.
    ///
    /// Refused unless the old one is active, has not ended, and was not rotated before: of several at once one succeeds. The new one
    /// may do no more than the old.
    RotateKey {
        /// The old key.
        id: String,
        /// The new key; it is made now.
        new: StoredKey,
        /// In seconds since the Unix epoch; an earlier end of the old key holds.
        overlap_ends_at: i64,
    },
    /// Adds a session that was made with an API key, which has to be active, and not to end before it.
    AddSession {
        /// The session.
        session: KeySession,
        /// When it is made, in seconds since the Unix epoch.
        made_at: i64,
    },
    /// Ends the sessions of API keys that had ended by `now`: their rotation's overlap, or an expiry that was put before that of the session.
    EndSessions {
        /// In seconds since the Unix epoch.
        now: i64,
    },
    /// Puts `now` in the place of `was`, if that is what the key is. Id, digest, format and kind stay, and a revoked key is not
    /// changed.
    ChangeKey {
        /// The key as it was read.
        was: StoredKey,
        /// The key as it is to be.
        now: StoredKey,
    },
    /// Disables, enables or revokes a key. A revoked key stays revoked.
    PutKeyInState {
        /// The key.
        id: String,
        /// The state.
        state: KeyState,
    },
    /// Removes a key and all that is known of it.
    RemoveKey {
        /// The key.
        id: String,
    },
    /// Registers a client, with its secret if it has one.
    AddClient {
        /// The client.
        client: Client,
        /// A key of kind client-secret whose client it is.
        secret: Option<StoredKey>,
    },
    /// Puts the client in the place of the one of its id.
    ChangeClient(Client),
    /// Disables all secrets of a client, and revokes what it was issued.
    DisableClient {
        /// The client.
        id: String,
        /// What it was issued.
        issued: Issued,
    },
    /// Enables the secrets of a client that are not revoked. What it was issued before stays revoked.
    EnableClient {
        /// The client.
        id: String,
    },
    /// Adds a secret to a client; all others end at `overlap_ends_at` or sooner.
    ///
    /// Refused unless `current` is its newest secret that is neither revoked nor ended, and one of them is active, or it has none.
    RotateClientSecret {
        /// The client.
        id: String,
        /// The newest secret's id, as it was read; `None` when there was none.
        current: Option<String>,
        /// The new secret; it is made now.
        new: StoredKey,
        /// In seconds since the Unix epoch.
        overlap_ends_at: i64,
    },
    /// Revokes all secrets of a client and what it was issued, and removes it.
    RemoveClient {
        /// The client.
        id: String,
        /// What it was issued.
        issued: Issued,
    },
    /// Ends what somebody was issued: revokes it, and puts the API keys in a state.
    EndSubject {
        /// Who.
        subject: String,
        /// Disabled or revoked, for the API keys that are not so or revoked already; `None` leaves them as they are.
        keys: Option<KeyState>,
        /// The `sid`s that are revoked wholly.
        sessions: Vec<String>,
        /// What it was issued.
        issued: Issued,
    },
    /// Revokes a name. Of two revocations of one name the stricter counts: the later `issued_before` and the later `until`.
    Revoke {
        /// What is revoked, and how.
        revocation: StoredRevocation,
        /// Whether the opaque access tokens in this store are of that issuer: they name nobody, and are revoked by their records.
        with_opaque: bool,
    },
    /// Takes a revocation back.
    Restore {
        /// What kind of name it is.
        kind: RevocationKind,
        /// Whose name it is.
        issuer: String,
        /// The name.
        name: String,
    },
    /// Does the command, and writes down who asked for it and what came of it, in one transaction ([`Command::by`]).
    Audited {
        /// Who asked for what.
        record: AuditRecord,
        /// What.
        command: Box<Command>,
    },
    /// Revokes the opaque access tokens of somebody that were made before a time in seconds since the Unix epoch; their records stay
    /// until they expire.
    RevokeTokens {
        /// Whose.
        of: TokensOf,
        /// Spares what was made from then on.
        made_before: i64,
    },
}

/// How many things a command changed, 0 when all were so already; or why it was not done.
pub type Outcome = Result<u64, Refusal>;

/// Whose opaque access tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokensOf {
    /// Those that speak for this subject.
    Subject(String),
    /// Those that this client was given.
    Client(String),
    /// Those that came of the login session of this `sid`.
    Session(String),
    /// All.
    Anybody,
}

/// What a client or a user was issued: the opaque access tokens in the store, and the JWTs of some issuers.
#[derive(Clone, Debug, Default)]
pub struct Issued {
    /// The `iss` of the JWTs.
    pub issuers: Vec<String>,
    /// Spares what was made from then on, in seconds since the Unix epoch.
    pub made_before: i64,
    /// When the last of these JWTs has expired, in seconds since the Unix epoch.
    pub until: i64,
}

impl Command {
    /// Does it, or says why not. A refused command has written nothing, but that it was refused where it is [audited](Self::by).
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
                // The new one first: no reader finds neither.
                rows.put_key(successor.key()).await?;
                let rotated_to = Some(new.record.id().into());
                let ending = StoredKey { rotated_to, ..old.clone().ending_by(*overlap_ends_at) };
                // Whatever was made with the old one does not count: it was not asked for.
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

    /// A JWT names its subject and its session. Those of `sessions` are revoked whenever they were issued, or will be by somebody who
    /// does not know yet that the session has ended.
    async fn revoke_subject(
        &self,
        rows: &mut dyn KeyTransaction,
        subject: &str,
        sessions: &[String],
    ) -> Result<u64, StorageError> {
        // Times are whole seconds: opaque tokens made in this one are there by now, and so are meant.
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

/// Disables or enables a client, whatever its secrets.
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

/// Of those that are not revoked, at whatever time they end.
async fn put_keys_in_state(
    rows: &mut dyn KeyTransaction,
    subject: &str,
    kind: KeyKind,
    state: KeyState,
) -> Result<u64, StorageError> {
    let mut changed = 0;
    for key in rows.live_keys_of(subject, kind, i64::MIN).await? {
        // By the one before it may be revoked, with which it was made.
        let Some(key) = rows.key(key.record.id()).await?.filter(|key| key.record.state() != KeyState::Revoked) else {
            continue;
        };
        changed += put_changed(rows, &key, &key.clone().in_state(state)).await?;
    }
    Ok(changed)
}

/// The opaque token of that id, if there is one.
async fn revoke_token(rows: &mut dyn KeyTransaction, id: &str) -> Result<u64, StorageError> {
    match rows.key(id).await? {
        Some(key) if key.record.kind() == KeyKind::AccessToken => {
            put_changed(rows, &key, &key.clone().in_state(KeyState::Revoked)).await
        }
        _ => Ok(0),
    }
}
