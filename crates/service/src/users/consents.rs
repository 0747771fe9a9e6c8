//! What users let clients have, and what ends when that is taken back.

use super::Users;
use crate::accounts::AccountError;
use crate::ids::now;
use crate::limits::MAX_TTL;
use crate::tokens::seconds;
use tollgate_storage::accounts::Consent;
use tollgate_storage::{Command, Position, Refusal, RevocationKind, StorageError, StoredRevocation};

impl Users {
    /// What the user lets clients have, in the order of their ids.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn consents(&self, user_id: &str) -> Result<Vec<Consent>, AccountError> {
        Ok(self.accounts.consents_of(user_id).await?)
    }

    /// Takes back what the user let the client have, and ends the codes and tokens that came of it; returns where the log of the keys ended
    /// once it was done, unless there was no token to revoke.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when the user let the client have nothing.
    pub async fn revoke_consent(&self, user_id: &str, client_id: &str) -> Result<Option<Position>, AccountError> {
        if self.accounts.consent(user_id, client_id).await?.is_none() {
            let record = self.record(REVOKE, client_id)?.concerning(user_id);
            return self.told(Err(Refusal::NotFound { what: "consent" }.into()), record).await;
        }
        self.end_consent(user_id, client_id).await
    }

    /// As [`revoke_consent`](Self::revoke_consent), also where there is no consent and codes or tokens are to end.
    pub(crate) async fn end_consent(&self, user_id: &str, client_id: &str) -> Result<Option<Position>, AccountError> {
        // First: where what follows fails, too much has ended, the user sees the consent still, and can try again.
        let (ended, first) = self.revoke_tokens(user_id, client_id, &[]).await?;
        self.forget_consent(user_id, client_id).await?;
        // What came in between.
        let (_, second) = self.revoke_tokens(user_id, client_id, &ended).await?;
        Ok(second.or(first))
    }

    /// Forgets the consent alone.
    pub(crate) async fn forget_consent(&self, user_id: &str, client_id: &str) -> Result<(), StorageError> {
        let record = self.record(REVOKE, client_id)?.concerning(user_id);
        self.accounts.revoke_consent(user_id, client_id, &record).await.map(drop)
    }

    /// Revokes the tokens that the client got for codes of the user, but for those `ended` already; returns the ids of all of them.
    async fn revoke_tokens(
        &self,
        user_id: &str,
        client_id: &str,
        ended: &[String],
    ) -> Result<(Vec<String>, Option<Position>), AccountError> {
        let tokens = self.accounts.tokens_granted(user_id, client_id).await?;
        let issuers = self.accounts.issuers().await?;
        let until = now().saturating_add(1).saturating_add(seconds(MAX_TTL));
        let mut commands = Vec::new();
        for id in tokens.iter().filter(|id| !ended.contains(id)) {
            let revoked = |kind, issuer: &str| {
                let revocation = StoredRevocation { until, ..StoredRevocation::new(kind, issuer, id) };
                Command::Revoke { revocation, with_opaque: false }.by(&self.by)
            };
            for issuer in &issuers {
                commands.push(revoked(RevocationKind::Token, issuer)?);
            }
            // Of an opaque token its record, also one that is about to be written.
            commands.push(revoked(RevocationKind::ApiKey, "")?);
        }
        if commands.is_empty() {
            return Ok((tokens, None));
        }
        let executed = self.keys.execute(commands).await?;
        executed.outcomes.into_iter().try_for_each(|outcome| outcome.map(drop))?;
        Ok((tokens, Some(executed.position)))
    }
}

const REVOKE: &str = "consent.revoke";
