use crate::error::StoreError;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::HashMap;
use tollgate::ScopeSet;

/// The scope sets that were read so far, by their rows' numbers: every record of a set shares it. Rows never change.
#[derive(Debug, Default)]
pub(super) struct ScopeSetRows(Mutex<HashMap<i64, ScopeSet>>);

impl ScopeSetRows {
    pub(super) fn get(&self, connection: &Connection, number: i64) -> Result<ScopeSet, StoreError> {
        if let Some(set) = self.0.lock().get(&number) {
            return Ok(set.clone());
        }
        let scopes = connection
            .prepare_cached("SELECT scopes FROM scope_sets WHERE number = ?1")?
            .query_row([number], |row| row.get::<_, String>(0))
            .optional()?
            .ok_or(StoreError::Corrupt { table: "keys" })?;
        Ok(self.0.lock().entry(number).or_insert_with(|| ScopeSet::new(scopes.split(' '))).clone())
    }

    /// What was read so far, for a reader of many rows.
    pub(super) fn known(&self) -> HashMap<i64, ScopeSet> {
        self.0.lock().clone()
    }
}

/// The number of the set's row, which is made when missing.
pub(super) fn number_of(transaction: &Transaction<'_>, set: &ScopeSet) -> Result<i64, StoreError> {
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
