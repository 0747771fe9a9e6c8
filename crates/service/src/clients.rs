//! What an administrator does with OAuth clients.

use crate::accounts::{AccountError, client_secret};
use crate::app::App;
use crate::ids::now;
use crate::key_store::NewKey;
use crate::limits::MAX_TTL;
use crate::tokens::seconds;
use tollgate::{KeyKind, KeyState};
use tollgate_storage::{Client, ClientKeys, Command, Issued, Refusal, StoredKey};

/// A client and its secrets that are neither revoked nor at their end, the newest first.
pub(crate) struct ClientWithSecrets {
    pub(crate) client: Client,
    pub(crate) secrets: Vec<StoredKey>,
}

impl ClientWithSecrets {
    /// Whether it can authenticate.
    pub(crate) fn is_active(&self) -> bool {
        let has_secret = self.secrets.iter().any(|secret| secret.record.state() == KeyState::Active);
        !self.client.settings().is_disabled && (!self.client.has_secret() || has_secret)
    }
}

/// Each of these waits for the disk, and returns when the engine goes by it.
impl App {
    /// The clients after `after` in the order of their ids, at most `max`.
    pub(crate) fn clients(&self, after: Option<&str>, max: usize) -> Result<Vec<ClientWithSecrets>, AccountError> {
        let keys = &self.accounts.keys;
        let clients = keys.wait(keys.store.clients(after, max))?;
        clients.into_iter().map(|client| self.with_secrets(client)).collect()
    }

    pub(crate) fn client(&self, id: &str) -> Result<ClientWithSecrets, AccountError> {
        let keys = &self.accounts.keys;
        let client = keys.wait(keys.store.client(id))?;
        self.with_secrets(client.ok_or(Refusal::NotFound { what: "client" })?)
    }

    /// Disables all its secrets and revokes every token that it was issued so far.
    pub(crate) fn disable_client(&self, id: &str) -> Result<(), AccountError> {
        self.accounts.keys.run(Command::DisableClient { id: id.to_owned(), issued: self.issued_so_far() })?;
        Ok(())
    }

    /// Enables its secrets again. Tokens that were revoked stay so.
    pub(crate) fn enable_client(&self, id: &str) -> Result<(), AccountError> {
        self.accounts.keys.run(Command::EnableClient { id: id.to_owned() })?;
        Ok(())
    }

    /// Makes a new secret. Those there are end after `overlap` seconds, or sooner if they were to.
    pub(crate) fn rotate_client_secret(&self, id: &str, overlap: i64) -> Result<NewKey, AccountError> {
        let found = self.client(id)?;
        let keys = &self.accounts.keys;
        let new = keys.make(client_secret(&found.client)?)?;
        keys.run(Command::RotateClientSecret {
            id: id.to_owned(),
            current: found.secrets.first().map(|newest| newest.record.id().to_owned()),
            new: new.stored.clone(),
            overlap_ends_at: new.stored.created_at.saturating_add(overlap),
        })?;
        Ok(new)
    }

    /// Replaces the keys that it signs assertions with.
    pub(crate) fn replace_client_keys(&self, id: &str, jwks: ClientKeys) -> Result<(), AccountError> {
        self.accounts.keys.run(Command::ReplaceClientKeys { id: id.to_owned(), jwks })?;
        Ok(())
    }

    /// Revokes its secrets and every token that it was issued, and forgets it.
    pub(crate) fn remove_client(&self, id: &str) -> Result<(), AccountError> {
        self.accounts.keys.run(Command::RemoveClient { id: id.to_owned(), issued: self.issued_so_far() })?;
        Ok(())
    }

    fn with_secrets(&self, client: Client) -> Result<ClientWithSecrets, AccountError> {
        let keys = &self.accounts.keys;
        let secrets = keys.wait(keys.store.live_keys_of(client.id(), KeyKind::ClientSecret, now()))?;
        Ok(ClientWithSecrets { client, secrets })
    }

    fn issued_so_far(&self) -> Issued {
        // Times are whole seconds: those issued in this one are meant too.
        let made_before = now().saturating_add(1);
        let until = made_before.saturating_add(seconds(MAX_TTL));
        Issued { issuers: vec![self.origin.clone()], made_before, until }
    }
}
