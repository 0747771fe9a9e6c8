use crate::error::SqliteError;
use crate::{audit_rows, change_rows, client_rows, key_rows, revocation_rows, session_rows};
use async_trait::async_trait;
use rusqlite::{Connection, ToSql, params};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tollgate::{Digest, KeyKind};
use tollgate_storage::{
    AuditRecord, Client, Command, Derived, KeySession, KeyTransaction, Outcome, RevocationKind, StorageError,
    StoredKey, StoredRevocation, TokensOf,
};

/// Applies the commands in the connection's current transaction.
pub(crate) fn apply(connection: &mut Connection, commands: &[Command]) -> Result<Vec<Outcome>, SqliteError> {
    let mut rows = Rows { connection };
    let mut apply = |command: &Command| {
        let mut applying = pin!(command.apply(&mut rows));
        match applying.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => unreachable!("rows are read and written at once"),
        }
    };
    Ok(commands.iter().map(&mut apply).collect::<Result<_, StorageError>>()?)
}

/// The rows of a connection in a write transaction.
struct Rows<'c> {
    connection: &'c mut Connection,
}

#[async_trait]
impl KeyTransaction for Rows<'_> {
    async fn key(&mut self, id: &str) -> Result<Option<StoredKey>, StorageError> {
        Ok(key_rows::by_id(self.connection, id)?)
    }

    async fn key_of(&mut self, digest: &Digest) -> Result<Option<StoredKey>, StorageError> {
        Ok(key_rows::by_digest(self.connection, digest)?)
    }

    async fn live_keys_of(&mut self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>, StorageError> {
        Ok(key_rows::live(self.connection, subject, kind, now)?)
    }

    async fn put_key(&mut self, key: &StoredKey) -> Result<(), StorageError> {
        Ok(key_rows::put(self.connection, key)?)
    }

    async fn remove_key(&mut self, id: &str, digest: &Digest) -> Result<(), StorageError> {
        Ok(key_rows::remove(self.connection, id, digest)?)
    }

    async fn derived_of(&mut self, key_id: &str) -> Result<Derived, StorageError> {
        let keys = key_rows::children_of(self.connection, key_id)?;
        Ok(Derived { keys, sessions: session_rows::of_key(self.connection, key_id)? })
    }

    async fn put_session(&mut self, session: &KeySession) -> Result<(), StorageError> {
        Ok(session_rows::insert(self.connection, session)?)
    }

    async fn remove_session(&mut self, id: &str) -> Result<(), StorageError> {
        Ok(session_rows::remove(self.connection, id)?)
    }

    async fn sessions_of_ended_keys(&mut self, now: i64) -> Result<Vec<KeySession>, StorageError> {
        Ok(session_rows::of_ended_keys(self.connection, now)?)
    }

    async fn revoke_tokens(&mut self, of: &TokensOf, made_before: i64) -> Result<u64, StorageError> {
        Ok(revoke_tokens(self.connection, of, made_before)?)
    }

    async fn client(&mut self, id: &str) -> Result<Option<Client>, StorageError> {
        Ok(client_rows::by_id(self.connection, id)?)
    }

    async fn put_client(&mut self, client: &Client) -> Result<(), StorageError> {
        Ok(client_rows::put(self.connection, client)?)
    }

    async fn remove_client(&mut self, id: &str) -> Result<(), StorageError> {
        Ok(client_rows::remove(self.connection, id)?)
    }

    async fn revocation(
        &mut self,
        kind: RevocationKind,
        issuer: &str,
        name: &str,
    ) -> Result<Option<StoredRevocation>, StorageError> {
        Ok(revocation_rows::by_name(self.connection, kind, issuer, name)?)
    }

    async fn put_revocation(&mut self, revocation: &StoredRevocation) -> Result<(), StorageError> {
        Ok(revocation_rows::put(self.connection, revocation)?)
    }

    async fn remove_revocation(&mut self, kind: RevocationKind, issuer: &str, name: &str) -> Result<(), StorageError> {
        Ok(revocation_rows::remove(self.connection, kind, issuer, name)?)
    }

    async fn put_audit(&mut self, record: &AuditRecord) -> Result<(), StorageError> {
        Ok(audit_rows::insert(self.connection, record)?)
    }
}

fn revoke_tokens(connection: &Connection, of: &TokensOf, made_before: i64) -> Result<u64, SqliteError> {
    let (condition, name): (_, &dyn ToSql) = match of {
        TokensOf::Subject(subject) => ("subject = ?2", subject),
        TokensOf::Client(client_id) => ("client_id = ?2", client_id),
        TokensOf::Session(session_id) => ("parent = ?2", session_id),
        _ => ("?2 IS NULL", &None::<&str>),
    };
    let numbers: Vec<i64> = connection
        .prepare_cached(&format!(
            "UPDATE keys SET state = 'revoked' WHERE kind = 'access-token' AND state <> 'revoked'
             AND created_at < ?1 AND {condition} RETURNING number"
        ))?
        .query_map(params![made_before, name], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    numbers.iter().try_for_each(|number| change_rows::key(connection, *number))?;
    Ok(numbers.len() as u64)
}
