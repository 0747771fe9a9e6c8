use crate::error::{Refusal, StorageError};
use crate::key::within;
use crate::limits::MAX_URI_BYTES;
use crate::transaction::KeyTransaction;
use tollgate::Revocation;

/// A stored revocation: the content of a [`Revocation`] in readable form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredRevocation {
    /// The kind of the revoked name.
    pub kind: RevocationKind,
    /// The issuer of the name; empty for an API key.
    pub issuer: Box<str>,
    /// The name; empty for an issuer.
    pub name: Box<str>,
    /// Tokens issued at this time or later are not revoked; `i64::MAX` revokes all. In seconds since the Unix epoch.
    pub issued_before: i64,
    /// The time after which it may be removed; `i64::MAX` for never. In seconds since the Unix epoch.
    pub until: i64,
}

/// The kind of a revoked name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RevocationKind {
    /// A token, by its `jti`.
    Token,
    /// Every token of a `sub`.
    Subject,
    /// Every token of a `sid`.
    Session,
    /// Every token of a `client_id`.
    Client,
    /// Every token of an issuer.
    Issuer,
    /// An API key, a client secret or an opaque token, by its id.
    ApiKey,
}

impl StoredRevocation {
    /// Revokes that name completely and permanently.
    #[must_use]
    pub fn new(kind: RevocationKind, issuer: &str, name: &str) -> Self {
        Self { kind, issuer: issuer.into(), name: name.into(), issued_before: i64::MAX, until: i64::MAX }
    }

    /// The form for a table of revocations.
    #[must_use]
    pub fn to_revocation(&self) -> Revocation {
        revocation(self.kind, &self.issuer, &self.name).issued_before(self.issued_before).until(self.until)
    }

    /// The stricter of two revocations of one name: the later `issued_before` and the later `until`.
    #[must_use]
    pub(crate) fn stricter(self, other: &Self) -> Self {
        let (issued_before, until) = (self.issued_before.max(other.issued_before), self.until.max(other.until));
        Self { issued_before, until, ..self }
    }

    /// Checks that the names fit the kind, and are within their limits.
    ///
    /// # Errors
    /// [`Refusal::Field`] with the name of the invalid field.
    pub fn check(&self) -> Result<(), Refusal> {
        let (issuer, name) = match self.kind {
            RevocationKind::ApiKey => (0..=0, 1..=MAX_URI_BYTES),
            RevocationKind::Issuer => (1..=MAX_URI_BYTES, 0..=0),
            _ => (1..=MAX_URI_BYTES, 1..=MAX_URI_BYTES),
        };
        within("issuer", self.issuer.len(), *issuer.start(), *issuer.end())?;
        within("name", self.name.len(), *name.start(), *name.end())
    }
}

/// Writes the stricter of the new and the stored revocation. Returns whether that is a change.
pub(crate) async fn revoke(rows: &mut dyn KeyTransaction, revocation: &StoredRevocation) -> Result<u64, StorageError> {
    let old = rows.revocation(revocation.kind, &revocation.issuer, &revocation.name).await?;
    let stricter = old.as_ref().map_or_else(|| revocation.clone(), |old| revocation.clone().stricter(old));
    if old.as_ref() == Some(&stricter) {
        return Ok(0);
    }
    rows.put_revocation(&stricter).await?;
    Ok(1)
}

/// The complete and permanent revocation of that name.
pub(crate) fn revocation(kind: RevocationKind, issuer: &str, name: &str) -> Revocation {
    match kind {
        RevocationKind::Token => Revocation::token(issuer, name),
        RevocationKind::Subject => Revocation::subject(issuer, name),
        RevocationKind::Session => Revocation::session(issuer, name),
        RevocationKind::Client => Revocation::client(issuer, name),
        RevocationKind::Issuer => Revocation::issuer(issuer),
        RevocationKind::ApiKey => Revocation::api_key(name),
    }
}

impl RevocationKind {
    const ALL: [Self; 6] = [Self::Token, Self::Subject, Self::Session, Self::Client, Self::Issuer, Self::ApiKey];

    /// A stable kebab-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Subject => "subject",
            Self::Session => "session",
            Self::Client => "client",
            Self::Issuer => "issuer",
            Self::ApiKey => "api-key",
        }
    }

    /// The kind of that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
