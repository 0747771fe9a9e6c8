use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Transaction};
use tollgate::Scopes;

/// The set in the row of that number, joined by spaces.
pub(super) fn by_number(connection: &Connection, number: i64) -> Result<Box<str>, StoreError> {
    connection
        .prepare_cached("SELECT scopes FROM scope_sets WHERE number = ?1")?
        .query_row([number], |row| Ok(row.get_ref(0)?.as_str()?.into()))
        .optional()?
        .ok_or(StoreError::Corrupt { table: "keys" })
}

/// The number of the set's row, which is made when missing.
pub(super) fn number_of(transaction: &Transaction<'_>, set: Scopes<'_>) -> Result<i64, StoreError> {
    let found = transaction
        .prepare_cached("SELECT number FROM scope_sets WHERE scopes = ?1")?
        .query_row([set.as_str()], |row| row.get(0))
        .optional()?;
    if let Some(number) = found {
        return Ok(number);
    }
    transaction.prepare_cached("INSERT INTO scope_sets (scopes) VALUES (?1)")?.execute([set.as_str()])?;
    Ok(transaction.last_insert_rowid())
}
