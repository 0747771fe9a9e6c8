use super::change_rows;
use super::store::Store;
use crate::error::StoreError;
use crate::revocation::{RevocationKind, StoredRevocation};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

impl Store {
    /// Revokes. Of two revocations of one name the stricter counts: the later `issued_before` and the later `until`.
    /// Returns the number of the change.
    ///
    /// # Errors
    /// [`StoreError::Field`] when the names do not fit the kind.
    pub fn revoke(&self, revocation: &StoredRevocation) -> Result<u64, StoreError> {
        self.revoke_all(std::slice::from_ref(revocation))
    }

    /// Revokes many, all or none. Returns the number of the last change.
    ///
    /// # Errors
    /// As [`revoke`](Self::revoke).
    pub fn revoke_all(&self, revocations: &[StoredRevocation]) -> Result<u64, StoreError> {
        let ((), sequence) = self.write(|transaction| {
            revocations.iter().try_for_each(|revocation| {
                let mut stricter = revocation.clone();
                if let Some(old) = by_name(transaction, revocation.kind, &revocation.issuer, &revocation.name)? {
                    stricter.issued_before = stricter.issued_before.max(old.issued_before);
                    stricter.until = stricter.until.max(old.until);
                }
                put(transaction, &stricter)
            })
        })?;
        Ok(sequence)
    }

    /// Takes a revocation back. `None` when there is none of that name.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn restore(&self, kind: RevocationKind, issuer: &str, name: &str) -> Result<Option<u64>, StoreError> {
        let (removed, sequence) = self.write(|transaction| remove(transaction, kind, issuer, name))?;
        Ok(removed.then_some(sequence))
    }

    /// Whether that name is revoked, and how.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn revocation(
        &self,
        kind: RevocationKind,
        issuer: &str,
        name: &str,
    ) -> Result<Option<StoredRevocation>, StoreError> {
        self.read(|transaction| by_name(transaction, kind, issuer, name))
    }

    /// The revocations after `after` in the order of kind, issuer and name, at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn revocations(
        &self,
        after: Option<&StoredRevocation>,
        max: usize,
    ) -> Result<Vec<StoredRevocation>, StoreError> {
        let (kind, issuer, name) =
            after.map_or(("", "", ""), |after| (after.kind.as_str(), &*after.issuer, &*after.name));
        self.read(|transaction| {
            let mut page = transaction.prepare_cached(
                "SELECT kind, issuer, name, issued_before, until FROM revocations
                 WHERE (kind, issuer, name) > (?1, ?2, ?3) ORDER BY kind, issuer, name LIMIT ?4",
            )?;
            let mut rows = page.query((kind, issuer, name, i64::try_from(max).unwrap_or(i64::MAX)))?;
            let mut revocations = Vec::new();
            while let Some(row) = rows.next()? {
                revocations.push(from_row(row)?);
            }
            Ok(revocations)
        })
    }
}

/// Puts the revocation in the place of any other of its name.
pub(super) fn put(transaction: &Transaction<'_>, revocation: &StoredRevocation) -> Result<(), StoreError> {
    revocation.check()?;
    let StoredRevocation { kind, issuer, name, issued_before, until } = revocation;
    transaction
        .prepare_cached(
            "INSERT INTO revocations (kind, issuer, name, issued_before, until) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (kind, issuer, name) DO UPDATE SET issued_before = ?4, until = ?5",
        )?
        .execute((kind.as_str(), issuer, name, issued_before, until))?;
    change_rows::revocation(transaction, *kind, issuer, name)
}

pub(super) fn remove(
    transaction: &Transaction<'_>,
    kind: RevocationKind,
    issuer: &str,
    name: &str,
) -> Result<bool, StoreError> {
    let removed = transaction
        .prepare_cached("DELETE FROM revocations WHERE kind = ?1 AND issuer = ?2 AND name = ?3")?
        .execute((kind.as_str(), issuer, name))?;
    if removed > 0 {
        change_rows::revocation(transaction, kind, issuer, name)?;
    }
    Ok(removed > 0)
}

pub(super) fn by_name(
    connection: &Connection,
    kind: RevocationKind,
    issuer: &str,
    name: &str,
) -> Result<Option<StoredRevocation>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT issued_before, until FROM revocations WHERE kind = ?1 AND issuer = ?2 AND name = ?3")?
        .query_row((kind.as_str(), issuer, name), |row| {
            let (issued_before, until) = (row.get(0)?, row.get(1)?);
            Ok(StoredRevocation { kind, issuer: issuer.into(), name: name.into(), issued_before, until })
        })
        .optional()?)
}

/// Calls `visit` with every revocation.
pub(super) fn for_each(connection: &Connection, mut visit: impl FnMut(StoredRevocation)) -> Result<(), StoreError> {
    let mut select = connection.prepare("SELECT kind, issuer, name, issued_before, until FROM revocations")?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        visit(from_row(row)?);
    }
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<StoredRevocation, StoreError> {
    let kind: String = row.get(0)?;
    let kind = RevocationKind::from_name(&kind).ok_or(StoreError::Corrupt { table: "revocations" })?;
    let (issuer, name) = (row.get::<_, String>(1)?.into(), row.get::<_, String>(2)?.into());
    Ok(StoredRevocation { kind, issuer, name, issued_before: row.get(3)?, until: row.get(4)? })
}
