use crate::error::SqliteError;
use rusqlite::{Connection, OptionalExtension};
use tollgate::Scopes;

/// The set in the row with that number, joined by spaces.
pub(crate) fn by_number(connection: &Connection, number: i64) -> Result<Box<str>, SqliteError> {
    connection
        .prepare_cached("SELECT scopes FROM scope_sets WHERE number = ?1")?
        .query_row([number], |row| Ok(row.get_ref(0)?.as_str()?.into()))
        .optional()?
        .ok_or_else(|| SqliteError::corrupt("scope_sets", number))
}

/// The number of the set's row, which is added if missing.
pub(crate) fn number_of(connection: &Connection, set: Scopes<'_>) -> Result<i64, SqliteError> {
    let found = connection
        .prepare_cached("SELECT number FROM scope_sets WHERE scopes = ?1")?
        .query_row([set.as_str()], |row| row.get(0))
        .optional()?;
    if let Some(number) = found {
        return Ok(number);
    }
    connection.prepare_cached("INSERT INTO scope_sets (scopes) VALUES (?1)")?.execute([set.as_str()])?;
    Ok(connection.last_insert_rowid())
}
