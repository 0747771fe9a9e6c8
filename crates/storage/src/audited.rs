//! The audit records of commands.

use crate::audit::{Actor, AuditRecord};
use crate::command::{Command, TokensOf};
use crate::error::StorageError;
use crate::revocation::RevocationKind;
use tollgate::{KeyKind, KeyState};

impl Command {
    /// The command with its audit record, which is written in the same transaction, with the outcome, also when the
    /// command is refused.
    ///
    /// # Errors
    /// [`StorageError::NoRandomness`] if the operating system provides no random numbers.
    pub fn by(self, actor: &Actor) -> Result<Self, StorageError> {
        if let Self::Audited { .. } = self {
            return Ok(self);
        }
        let record = AuditRecord::new(actor, self.action(), self.target())?;
        let record = match self.concerns() {
            Some(concerns) => record.concerning(concerns),
            None => record,
        };
        Ok(Self::Audited { record, command: Box::new(self) })
    }

    /// The command without its audit record.
    #[must_use]
    pub fn plain(&self) -> &Self {
        match self {
            Self::Audited { command, .. } => command.plain(),
            plain => plain,
        }
    }

    /// The action's name in the audit log.
    fn action(&self) -> &'static str {
        match self {
            Self::Audited { command, .. } => command.action(),
            Self::AddKey { key, .. } => match key.record.kind() {
                KeyKind::ClientSecret => "client-secret.add",
                KeyKind::AccessToken => "token.issue",
                _ => "api-key.add",
            },
            Self::RotateKey { .. } => "api-key.rotate",
            Self::AddSession { .. } => "session.add",
            Self::EndSessions { .. } => "session.end-with-keys",
            Self::ChangeKey { .. } => "api-key.change",
            Self::PutKeyInState { state, .. } => match state {
                KeyState::Disabled => "api-key.disable",
                KeyState::Revoked => "api-key.revoke",
                _ => "api-key.enable",
            },
            Self::RemoveKey { .. } => "api-key.remove",
            Self::AddClient { .. } => "client.add",
            Self::ChangeClient(_) | Self::ReplaceClientKeys { .. } => "client.change",
            Self::DisableClient { .. } => "client.disable",
            Self::EnableClient { .. } => "client.enable",
            Self::RotateClientSecret { .. } => "client.rotate-secret",
            Self::RemoveClient { .. } => "client.remove",
            Self::EndSubject { .. } => "subject.end",
            Self::Revoke { revocation, .. } => match revocation.kind {
                RevocationKind::Token => "revoke.token",
                RevocationKind::Subject => "revoke.subject",
                RevocationKind::Session => "revoke.session",
                RevocationKind::Client => "revoke.client",
                RevocationKind::Issuer => "revoke.issuer",
                RevocationKind::ApiKey => "revoke.api-key",
            },
            Self::Restore { .. } => "revoke.undo",
            Self::RevokeTokens { .. } => "revoke.opaque-tokens",
        }
    }

    fn target(&self) -> &str {
        match self {
            Self::Audited { command, .. } => command.target(),
            Self::AddKey { key, .. } | Self::ChangeKey { was: key, .. } => key.record.id(),
            Self::AddSession { session, .. } => &session.id,
            Self::RotateKey { id, .. }
            | Self::PutKeyInState { id, .. }
            | Self::RemoveKey { id }
            | Self::ReplaceClientKeys { id, .. }
            | Self::DisableClient { id, .. }
            | Self::EnableClient { id }
            | Self::RotateClientSecret { id, .. }
            | Self::RemoveClient { id, .. } => id,
            Self::AddClient { client, .. } | Self::ChangeClient(client) => client.id(),
            Self::EndSubject { subject, .. } => subject,
            Self::Revoke { revocation, .. } => &revocation.name,
            Self::Restore { name, .. } => name,
            Self::RevokeTokens { of, .. } => match of {
                TokensOf::Subject(name) | TokensOf::Client(name) | TokensOf::Session(name) => name,
                TokensOf::Anybody => "",
            },
            Self::EndSessions { .. } => "",
        }
    }

    fn concerns(&self) -> Option<&str> {
        match self {
            Self::Audited { command, .. } => command.concerns(),
            Self::AddKey { key, .. } | Self::RotateKey { new: key, .. } | Self::ChangeKey { was: key, .. } => {
                Some(key.record.subject())
            }
            Self::AddSession { session, .. } => Some(&session.key_id),
            Self::Revoke { revocation, .. } => Some(&revocation.issuer),
            Self::Restore { issuer, .. } => Some(issuer),
            _ => None,
        }
    }
}
