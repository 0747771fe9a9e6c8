//! The names under which tokens were issued, as rows.

use crate::error::SqliteError;
use rusqlite::Connection;

pub(crate) fn add(connection: &Connection, issuer: &str) -> Result<(), SqliteError> {
    connection.prepare_cached("INSERT INTO issuers (name) VALUES (?1) ON CONFLICT DO NOTHING")?.execute([issuer])?;
    Ok(())
}

pub(crate) fn all(connection: &Connection) -> Result<Vec<String>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT name FROM issuers ORDER BY name")?;
    Ok(select.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?)
}
