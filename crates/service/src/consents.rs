//! What users let clients have: whether they have to be asked, and what ends when they take it back.

use crate::app::App;
use crate::audit;
use crate::ids::now;
use crate::oauth::AuthorizationRequest;
use crate::problem::Problem;
use tollgate_storage::accounts::Consent;
use tollgate_storage::{AuditRecord, Client, Command, RevocationKind, StoredRevocation};

/// Each of these waits for the disk.
impl App {
    /// Whether the user has to be asked before the client of the request gets `scope`.
    ///
    /// The operator's own clients are not asked about. What is sent back to the device itself, over a loopback address or a scheme of a
    /// program's own, is asked about each time: any program of the device can pretend to be that client (RFC 8252 section 8.6).
    pub(crate) fn must_ask(&self, user_id: &str, request: &AuthorizationRequest, scope: &str) -> Result<bool, Problem> {
        if request.client.settings().is_operators_own {
            return Ok(false);
        }
        let given = self.consent(user_id, &request.client)?;
        Ok(request.redirect.is_of_this_device() || !given.is_some_and(|given| given.covers(scope)))
    }

    /// Remembers that the user lets the client have `scope`.
    pub(crate) fn give_consent(&self, user_id: &str, client: &Client, scope: &str) -> Result<(), Problem> {
        // What was given to one of that id that is gone does not count, and must not add to this.
        self.consent(user_id, client)?;
        let (user_id, client_id, scopes) = (user_id.to_owned(), client.id().to_owned(), scope.to_owned());
        let consent = Consent { user_id, client_id, scopes, granted_at: now() };
        let record = AuditRecord::new(&audit::caller(), "consent.give", client.id())?.concerning(&consent.user_id);
        Ok(self.accounts.keys.wait(self.accounts.store.add_consent(&consent, &record))?)
    }

    /// Whether there is no consent to the client's having `scope` where one is needed: it was revoked meanwhile.
    pub(crate) fn lacks_consent(&self, user_id: &str, client: &Client, scope: &str) -> Result<bool, Problem> {
        let is_needed = !client.settings().is_operators_own;
        Ok(is_needed && !self.consent(user_id, client)?.is_some_and(|given| given.covers(scope)))
    }

    /// Takes back what the user let the client have, and ends the codes and tokens that came of it. Returns when it is in force.
    pub(crate) fn revoke_consent(&self, user_id: &str, client_id: &str) -> Result<(), Problem> {
        // First: where what follows fails, too much has ended, the user sees the consent still, and can try again.
        let ended = self.revoke_tokens_of(user_id, client_id, &[])?;
        self.forget_consent(user_id, client_id)?;
        // What came in between.
        self.revoke_tokens_of(user_id, client_id, &ended)?;
        Ok(())
    }

    fn forget_consent(&self, user_id: &str, client_id: &str) -> Result<(), Problem> {
        let record = AuditRecord::new(&audit::caller(), "consent.revoke", client_id)?.concerning(user_id);
        self.accounts.keys.wait(self.accounts.store.revoke_consent(user_id, client_id, &record))?;
        Ok(())
    }

    /// Revokes the tokens that the client got for codes of the user, but for those `ended` already; returns the ids of all of them.
    fn revoke_tokens_of(&self, user_id: &str, client_id: &str, ended: &[String]) -> Result<Vec<String>, Problem> {
        let (keys, store) = (&self.accounts.keys, &self.accounts.store);
        let tokens = keys.wait(store.tokens_from_codes(user_id, client_id))?;
        let issuers = keys.wait(store.issuers())?;
        let until = now().saturating_add(1).saturating_add(self.tokens.access_token_ttl());
        let mut commands = Vec::new();
        for id in tokens.iter().filter(|id| !ended.contains(id)) {
            let revoked = |kind, issuer: &str| {
                let revocation = StoredRevocation { until, ..StoredRevocation::new(kind, issuer, id) };
                Command::Revoke { revocation, with_opaque: false }
            };
            commands.extend(issuers.iter().map(|issuer| revoked(RevocationKind::Token, issuer)));
            // Of an opaque token its record, also one that is about to be written.
            commands.push(revoked(RevocationKind::ApiKey, ""));
        }
        if !commands.is_empty() {
            keys.run_all(commands)?;
        }
        Ok(tokens)
    }

    /// What the user has let the client have. What was given before the client was registered was given to another one.
    fn consent(&self, user_id: &str, client: &Client) -> Result<Option<Consent>, Problem> {
        let (keys, store) = (&self.accounts.keys, &self.accounts.store);
        let given = keys.wait(store.consent(user_id, client.id()))?;
        if given.as_ref().is_some_and(|given| given.granted_at < client.created_at()) {
            self.forget_consent(user_id, client.id())?;
            return Ok(None);
        }
        Ok(given)
    }
}
