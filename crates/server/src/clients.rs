//! What an administrator does with OAuth clients.

use crate::accounts::{AccountError, client_secret};
use crate::app::App;
use crate::ids::now;
use crate::key_store::NewKey;
use crate::limits::MAX_TTL;
use crate::revocations;
use crate::tokens::seconds;
use tollgate::{KeyKind, KeyState};
use tollgate_store::{Client, RevocationKind, StoreError, StoredKey, StoredRevocation};

/// A client and its secrets that are neither revoked nor at their end, the newest first.
pub(crate) struct ClientWithSecrets {
    pub(crate) client: Client,
    pub(crate) secrets: Vec<StoredKey>,
}

impl ClientWithSecrets {
    /// Whether it can authenticate.
    pub(crate) fn is_active(&self) -> bool {
        self.secrets.iter().any(|secret| secret.record.state() == KeyState::Active)
    }
}

/// Each of these waits for the disk, and returns when the engine goes by it.
impl App {
    /// The clients after `after` in the order of their ids, at most `max`.
    pub(crate) fn clients(&self, after: Option<&str>, max: usize) -> Result<Vec<ClientWithSecrets>, AccountError> {
        let clients = self.accounts.keys.store.clients(after, max)?;
        clients.into_iter().map(|client| self.with_secrets(client)).collect()
    }

    pub(crate) fn client(&self, id: &str) -> Result<ClientWithSecrets, AccountError> {
        let client = self.accounts.keys.store.client(id)?;
        self.with_secrets(client.ok_or(AccountError::NotFound { what: "client" })?)
    }

    /// Switches all its secrets off and revokes every token that it was issued so far.
    pub(crate) fn disable_client(&self, id: &str) -> Result<(), AccountError> {
        let store = &self.accounts.keys.store;
        self.change_secrets(id, |secret| store.disable_key(secret))?;
        self.revoke_tokens_of_client(id)
    }

    /// Switches its secrets on again. Tokens that were revoked stay so.
    pub(crate) fn enable_client(&self, id: &str) -> Result<(), AccountError> {
        let store = &self.accounts.keys.store;
        self.change_secrets(id, |secret| store.enable_key(secret))
    }

    /// Makes a new secret. Those there are end after `overlap` seconds, or sooner if they were to.
    pub(crate) fn rotate_client_secret(&self, id: &str, overlap: i64) -> Result<NewKey, AccountError> {
        let found = self.client(id)?;
        let keys = &self.accounts.keys;
        let new = client_secret(&found.client)?;
        let (newest, older) = match found.secrets.split_first() {
            Some(split) if found.is_active() => split,
            Some(_) => return Err(AccountError::Disabled { what: "client" }),
            None => {
                let first = keys.make(new)?;
                keys.in_force(keys.store.add_key(&first.stored)?)?;
                return Ok(first);
            }
        };
        let ends_at = now().saturating_add(overlap);
        for secret in older {
            keys.store.change_key(secret.record.id(), |secret| {
                let overlap_ends_at = Some(secret.overlap_ends_at.map_or(ends_at, |end| end.min(ends_at)));
                StoredKey { overlap_ends_at, ..secret }
            })?;
        }
        keys.rotate(newest, new, overlap)?.ok_or(AccountError::NotFound { what: "client" })
    }

    /// Revokes its secrets and every token that it was issued, and forgets it.
    pub(crate) fn remove_client(&self, id: &str) -> Result<(), AccountError> {
        let store = &self.accounts.keys.store;
        self.change_secrets(id, |secret| store.revoke_key(secret))?;
        self.revoke_tokens_of_client(id)?;
        // Last, so that a removal that failed half-way can be repeated.
        let removed = store.remove_client(id)?.ok_or(AccountError::NotFound { what: "client" })?;
        Ok(self.accounts.keys.in_force(removed)?)
    }

    fn with_secrets(&self, client: Client) -> Result<ClientWithSecrets, AccountError> {
        let secrets = self.accounts.keys.store.live_keys_of(&client.id, KeyKind::ClientSecret, now())?;
        Ok(ClientWithSecrets { client, secrets })
    }

    fn change_secrets(
        &self,
        id: &str,
        change: impl Fn(&str) -> Result<Option<u64>, StoreError>,
    ) -> Result<(), AccountError> {
        let mut last = 0;
        for secret in self.client(id)?.secrets {
            match change(secret.record.id()) {
                Ok(sequence) => last = last.max(sequence.unwrap_or(0)),
                // By somebody else, meanwhile: no change is stricter.
                Err(StoreError::KeyRevoked) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.accounts.keys.in_force(last)?)
    }

    fn revoke_tokens_of_client(&self, id: &str) -> Result<(), AccountError> {
        let now = now();
        // Times are whole seconds: those issued in this one are meant too.
        let issued_before = now.saturating_add(1);
        let until = issued_before.saturating_add(seconds(MAX_TTL));
        let of_client = StoredRevocation::new(RevocationKind::Client, &self.origin, id);
        let revocation = StoredRevocation { issued_before, until, ..of_client };
        Ok(revocations::revoke(&self.accounts.keys, &self.origin, &revocation)?)
    }
}
