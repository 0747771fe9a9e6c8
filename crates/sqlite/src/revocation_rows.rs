use crate::change_rows;
use crate::error::SqliteError;
use rusqlite::{Connection, OptionalExtension, Row};
use tollgate_storage::{RevocationKind, StoredRevocation};

/// Adds the revocation, or replaces that of its name.
pub(crate) fn put(connection: &Connection, revocation: &StoredRevocation) -> Result<(), SqliteError> {
    let StoredRevocation { kind, issuer, name, issued_before, until } = revocation;
    connection
        .prepare_cached(
            "INSERT INTO revocations (kind, issuer, name, issued_before, until) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (kind, issuer, name) DO UPDATE SET issued_before = ?4, until = ?5",
        )?
        .execute((kind.as_str(), issuer, name, issued_before, until))?;
    change_rows::revocation(connection, *kind, issuer, name)
}

pub(crate) fn remove(
    connection: &Connection,
    kind: RevocationKind,
    issuer: &str,
    name: &str,
) -> Result<(), SqliteError> {
    connection.prepare_cached("DELETE FROM revocations WHERE kind = ?1 AND issuer = ?2 AND name = ?3")?.execute((
        kind.as_str(),
        issuer,
        name,
    ))?;
    change_rows::revocation(connection, kind, issuer, name)
}

pub(crate) fn by_name(
    connection: &Connection,
    kind: RevocationKind,
    issuer: &str,
    name: &str,
) -> Result<Option<StoredRevocation>, SqliteError> {
    Ok(connection
        .prepare_cached("SELECT issued_before, until FROM revocations WHERE kind = ?1 AND issuer = ?2 AND name = ?3")?
        .query_row((kind.as_str(), issuer, name), |row| {
            let (issued_before, until) = (row.get(0)?, row.get(1)?);
            Ok(StoredRevocation { kind, issuer: issuer.into(), name: name.into(), issued_before, until })
        })
        .optional()?)
}

/// The revocations after a kind, issuer and name, in that order, at most `max`.
pub(crate) fn page(
    connection: &Connection,
    (kind, issuer, name): (&str, &str, &str),
    max: usize,
) -> Result<Vec<StoredRevocation>, SqliteError> {
    let mut page = connection.prepare_cached(
        "SELECT kind, issuer, name, issued_before, until FROM revocations
         WHERE (kind, issuer, name) > (?1, ?2, ?3) ORDER BY kind, issuer, name LIMIT ?4",
    )?;
    let mut rows = page.query((kind, issuer, name, i64::try_from(max).unwrap_or(i64::MAX)))?;
    let mut revocations = Vec::new();
    while let Some(row) = rows.next()? {
        revocations.push(from_row(row)?);
    }
    Ok(revocations)
}

/// Calls `visit` with every revocation, or the error of one that cannot be read.
pub(crate) fn for_each(
    connection: &Connection,
    mut visit: impl FnMut(Result<StoredRevocation, SqliteError>) -> Result<(), SqliteError>,
) -> Result<(), SqliteError> {
    let mut select = connection.prepare("SELECT kind, issuer, name, issued_before, until FROM revocations")?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        visit(from_row(row))?;
    }
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<StoredRevocation, SqliteError> {
    let kind: String = row.get(0)?;
    let (issuer, name): (Box<str>, Box<str>) = (row.get(1)?, row.get(2)?);
    let kind = RevocationKind::from_name(&kind).ok_or_else(|| SqliteError::corrupt("revocations", &name))?;
    Ok(StoredRevocation { kind, issuer, name, issued_before: row.get(3)?, until: row.get(4)? })
}
