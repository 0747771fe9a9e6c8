use super::change_rows;
use super::store::Store;
use crate::error::StoreError;
use rusqlite::{ToSql, params};

/// Whose opaque access tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokensOf<'a> {
    /// Those that speak for this subject.
    Subject(&'a str),
    /// Those that this client was given.
    Client(&'a str),
    /// All.
    Anybody,
}

impl Store {
    /// Revokes the opaque access tokens of somebody that were made before a time in seconds since the Unix epoch, all or
    /// none; their records stay until they expire. Returns how many were revoked, and the number of the last change.
    ///
    /// A [revocation](Self::revoke) of a subject, a client or an issuer concerns the JWTs that name it. These tokens name
    /// nobody; only their records do.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn revoke_access_tokens(&self, of: TokensOf<'_>, made_before: i64) -> Result<(usize, u64), StoreError> {
        let (condition, name): (_, &dyn ToSql) = match &of {
            TokensOf::Subject(subject) => ("subject = ?2", subject),
            TokensOf::Client(client_id) => ("client_id = ?2", client_id),
            TokensOf::Anybody => ("?2 IS NULL", &None::<&str>),
        };
        self.write(|transaction| {
            let numbers: Vec<i64> = transaction
                .prepare_cached(&format!(
                    "UPDATE keys SET state = 'revoked' WHERE kind = 'access-token' AND state <> 'revoked'
                     AND created_at < ?1 AND {condition} RETURNING number"
                ))?
                .query_map(params![made_before, name], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            numbers.iter().try_for_each(|number| change_rows::key(transaction, *number))?;
            Ok(numbers.len())
        })
    }
}
