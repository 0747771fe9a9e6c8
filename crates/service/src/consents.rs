//! What users let clients have: whether they have to be asked, and what ends when they take it back.

use crate::app::App;
use crate::audit;
use crate::ids::now;
use crate::oauth::AuthorizationRequest;
use crate::problem::Problem;
use tollgate_storage::accounts::Consent;
use tollgate_storage::{AuditRecord, Client};

/// Each of these waits for the disk.
impl App {
    /// Whether the user has to be asked before the client of the request gets `scope`.
    ///
    /// A client that asks for `prompt=consent` gets that. Otherwise the operator's own clients are not asked about. What is sent back to the device itself, over a loopback address or a scheme of a
    /// program's own, is asked about each time: any program of the device can pretend to be that client (RFC 8252 section 8.6).
    pub(crate) fn must_ask(&self, user_id: &str, request: &AuthorizationRequest, scope: &str) -> Result<bool, Problem> {
        if request.prompt.consent {
            return Ok(true);
        }
        if request.client.settings().is_operators_own {
            return Ok(false);
        }
        let given = self.consent(user_id, &request.client)?;
        Ok(request.redirect.is_of_this_device() || !given.is_some_and(|given| given.covers(scope)))
    }

    /// Remembers that the user lets the client have `scope`.
    pub(crate) fn give_consent(&self, user_id: &str, client: &Client, scope: &str) -> Result<(), Problem> {
        let record = self.consent_record(user_id, client)?;
        let (user_id, client_id, scopes) = (user_id.to_owned(), client.id().to_owned(), scope.to_owned());
        let consent = Consent { user_id, client_id, scopes, granted_at: now() };
        Ok(self.accounts.keys.wait(self.accounts.store.add_consent(&consent, &record))?)
    }

    /// The audit record of a consent that is about to be written down. What was given to a client of that id that is gone is forgotten
    /// first: it does not count, and must not add to this.
    pub(crate) fn consent_record(&self, user_id: &str, client: &Client) -> Result<AuditRecord, Problem> {
        self.consent(user_id, client)?;
        Ok(AuditRecord::new(&audit::caller(), "consent.give", client.id())?.concerning(user_id))
    }

    /// Whether there is no consent to the client's having `scope` where one is needed: it was revoked meanwhile.
    pub(crate) fn lacks_consent(&self, user_id: &str, client: &Client, scope: &str) -> Result<bool, Problem> {
        let is_needed = !client.settings().is_operators_own;
        Ok(is_needed && !self.consent(user_id, client)?.is_some_and(|given| given.covers(scope)))
    }

    /// Takes back what the user let the client have, and ends the codes and tokens that came of it. Returns when it is in force.
    pub(crate) fn revoke_consent(&self, user_id: &str, client_id: &str) -> Result<(), Problem> {
        let position = self.accounts.keys.wait(self.accounts.users().end_consent(user_id, client_id))?;
        Ok(position.map_or(Ok(()), |position| self.accounts.keys.in_force(position.number))?)
    }

    /// What the user has let the client have. What was given before the client was registered was given to another one.
    fn consent(&self, user_id: &str, client: &Client) -> Result<Option<Consent>, Problem> {
        let (keys, store) = (&self.accounts.keys, &self.accounts.store);
        let given = keys.wait(store.consent(user_id, client.id()))?;
        if given.as_ref().is_some_and(|given| given.granted_at < client.created_at()) {
            keys.wait(self.accounts.users().forget_consent(user_id, client.id()))?;
            return Ok(None);
        }
        Ok(given)
    }
}
