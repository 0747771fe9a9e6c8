use super::{StorageError, Store};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

/// What the store knows of an API key, a client secret or an opaque token: never the secret itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credential {
    /// The public id.
    pub id: String,
    /// SHA-256 of the secret.
    pub digest: [u8; 32],
    /// What it is.
    pub kind: CredentialKind,
    /// Whose it is: the id of a user or of a client.
    pub subject: String,
    /// A name for people.
    pub name: String,
    /// What it allows: scope names separated by single spaces.
    pub scopes: String,
    /// When it was made.
    pub created_at: i64,
    /// Not accepted before.
    pub not_before: Option<i64>,
    /// Not accepted from then on.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

/// The kinds of credential that are looked up by digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CredentialKind {
    /// A user's API key.
    ApiKey,
    /// The secret of an OAuth client.
    ClientSecret,
    /// An opaque access token.
    AccessToken,
}

impl Store {
    /// Adds a credential.
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`] when the id or the digest is taken.
    pub fn add_credential(&self, credential: &Credential) -> Result<(), StorageError> {
        self.write(|transaction| insert(transaction, credential))
    }

    /// Adds a credential, unless its subject has `max` of that kind that are neither revoked nor expired; returns whether
    /// it did.
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`] when the id or the digest is taken.
    pub fn add_credential_within(&self, credential: &Credential, max: u32) -> Result<bool, StorageError> {
        self.write(|transaction| {
            let live: i64 = transaction
                .prepare_cached(
                    "SELECT count(*) FROM credentials WHERE subject = ?1 AND kind = ?2 AND revoked_at IS NULL
                     AND (expires_at IS NULL OR expires_at > ?3)",
                )?
                .query_row((&credential.subject, credential.kind.name(), credential.created_at), |row| row.get(0))?;
            if live >= i64::from(max) {
                return Ok(false);
            }
            insert(transaction, credential)?;
            Ok(true)
        })
    }

    /// Calls `visit` with each credential that is not revoked, in no particular order.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] for a row of another shape; `visit` may have been called by then.
    pub fn for_each_credential(&self, mut visit: impl FnMut(Credential)) -> Result<(), StorageError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached("SELECT * FROM credentials WHERE revoked_at IS NULL")?;
            let mut rows = select.query(())?;
            while let Some(row) = rows.next()? {
                visit(from_row(row)?);
            }
            Ok(())
        })
    }

    /// The subject's credentials of that kind that are not revoked, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn credentials_of(&self, subject: &str, kind: CredentialKind) -> Result<Vec<Credential>, StorageError> {
        self.read(|connection| live_credentials(connection, subject, kind))
    }

    /// Revokes the subject's credential of that kind and id and returns it; `None` when there is none that
    /// is not revoked already.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn revoke_credential(
        &self,
        subject: &str,
        kind: CredentialKind,
        id: &str,
        now: i64,
    ) -> Result<Option<Credential>, StorageError> {
        self.write(|transaction| revoke(transaction, subject, kind, id, now))
    }

    /// Revokes `old_id` and adds `new` in one step, and returns the old one; `None`, with nothing
    /// changed, when `new.subject` has no such credential of the new one's kind that is not revoked already.
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`] when the new id or digest is taken.
    pub fn rotate_credential(
        &self,
        old_id: &str,
        new: &Credential,
        now: i64,
    ) -> Result<Option<Credential>, StorageError> {
        self.write(|transaction| {
            let old = revoke(transaction, &new.subject, new.kind, old_id, now)?;
            if old.is_some() {
                insert(transaction, new)?;
            }
            Ok(old)
        })
    }
}

pub(super) fn insert(transaction: &Transaction<'_>, credential: &Credential) -> Result<(), StorageError> {
    transaction
        .prepare_cached(
            "INSERT INTO credentials (id, digest, kind, subject, name, scopes, created_at,
                                      not_before, expires_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute((
            &credential.id,
            credential.digest,
            credential.kind.name(),
            &credential.subject,
            &credential.name,
            &credential.scopes,
            credential.created_at,
            credential.not_before,
            credential.expires_at,
            credential.revoked_at,
        ))
        .map_err(|error| StorageError::of_insert(error, "credential"))?;
    Ok(())
}

fn revoke(
    transaction: &Transaction<'_>,
    subject: &str,
    kind: CredentialKind,
    id: &str,
    now: i64,
) -> Result<Option<Credential>, StorageError> {
    let found = transaction
        .prepare_cached(
            "UPDATE credentials SET revoked_at = ?3
             WHERE id = ?1 AND subject = ?2 AND kind = ?4 AND revoked_at IS NULL RETURNING *",
        )?
        .query_row((id, subject, now, kind.name()), |row| Ok(from_row(row)))
        .optional()?;
    found.transpose()
}

fn live_credentials(
    connection: &Connection,
    subject: &str,
    kind: CredentialKind,
) -> Result<Vec<Credential>, StorageError> {
    connection
        .prepare_cached(
            "SELECT * FROM credentials WHERE subject = ?1 AND kind = ?2 AND revoked_at IS NULL
             ORDER BY created_at DESC, id DESC",
        )?
        .query_map((subject, kind.name()), |row| Ok(from_row(row)))?
        .map(|row| row?)
        .collect()
}

fn from_row(row: &Row<'_>) -> Result<Credential, StorageError> {
    let kind: String = row.get("kind")?;
    Ok(Credential {
        id: row.get("id")?,
        digest: row.get("digest")?,
        kind: CredentialKind::from_name(&kind).ok_or(StorageError::Corrupt { table: "credentials" })?,
        subject: row.get("subject")?,
        name: row.get("name")?,
        scopes: row.get("scopes")?,
        created_at: row.get("created_at")?,
        not_before: row.get("not_before")?,
        expires_at: row.get("expires_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

impl CredentialKind {
    /// The name in the store, the same as the kind of the principal it makes, but for a client's.
    fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::ClientSecret => "client-secret",
            Self::AccessToken => "access-token",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::ApiKey, Self::ClientSecret, Self::AccessToken].into_iter().find(|kind| kind.name() == name)
    }
}
