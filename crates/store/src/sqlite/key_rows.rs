//! Keys as rows.

use super::scope_sets;
use crate::error::StoreError;
use crate::key::StoredKey;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use tollgate::{AddressBlock, Digest, KeyKind, KeyRecord, KeyState};

/// What [`KeyReader::read`] expects, in this order.
pub(super) const COLUMNS: &str = "id, digest, format, kind, subject, client_id, scope_set, created_at, not_before, \
     expires_at, state, name, metadata, allowed_addresses, rotated_to, overlap_ends_at";

/// Reads rows of one transaction, and makes what many of them have in common once.
#[derive(Default)]
pub(super) struct KeyReader {
    /// By their rows' numbers, which are good for this transaction alone: what is rolled back or restored from a copy gives
    /// its numbers to other sets.
    scope_sets: HashMap<i64, Box<str>>,
    last_format: Option<Arc<str>>,
}

impl KeyReader {
    /// The key in a row of [`COLUMNS`].
    pub(super) fn read(&mut self, connection: &Connection, row: &Row<'_>) -> Result<StoredKey, StoreError> {
        let corrupt = || StoreError::Corrupt { table: "keys" };
        let text = |column| row.get_ref(column)?.as_str().map_err(|_| corrupt());
        let optional_text = |column| match row.get_ref(column)? {
            ValueRef::Null => Ok(None),
            value => value.as_str().map(Some).map_err(|_| corrupt()),
        };
        let blob = |column| row.get_ref(column)?.as_blob().map_err(|_| corrupt());

        let kind = KeyKind::from_name(text(3)?).ok_or_else(corrupt)?;
        let addresses = match text(13)? {
            "" => Vec::new(),
            addresses => blocks(addresses).ok_or_else(corrupt)?,
        };
        let record = KeyRecord::builder(kind, text(0)?, text(4)?)
            .client_id(optional_text(5)?)
            .scopes(self.scopes(connection, row.get(6)?)?.split(' '))
            .not_before(row.get::<_, Option<i64>>(8)?)
            .expires_at(row.get::<_, Option<i64>>(9)?)
            .state(KeyState::from_name(text(10)?).ok_or_else(corrupt)?)
            .name(text(11)?)
            .metadata(blob(12)?)
            .allowed_addresses(addresses)
            .build();
        Ok(StoredKey {
            digest: Digest::from_bytes(blob(1)?.try_into().map_err(|_| corrupt())?),
            format: optional_text(2)?.map(|format| self.format(format)),
            record,
            created_at: row.get(7)?,
            rotated_to: optional_text(14)?.map(Into::into),
            overlap_ends_at: row.get(15)?,
        })
    }

    fn scopes(&mut self, connection: &Connection, number: i64) -> Result<&str, StoreError> {
        Ok(match self.scope_sets.entry(number) {
            Entry::Occupied(set) => set.into_mut(),
            Entry::Vacant(set) => set.insert(scope_sets::by_number(connection, number)?),
        })
    }

    fn format(&mut self, format: &str) -> Arc<str> {
        match &self.last_format {
            Some(last) if **last == *format => last.clone(),
            _ => self.last_format.insert(format.into()).clone(),
        }
    }
}

/// The key with that number.
pub(super) fn by_number(
    connection: &Connection,
    reader: &mut KeyReader,
    number: i64,
) -> Result<Option<StoredKey>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM keys WHERE number = ?1"))?
        .query_row([number], |row| Ok(reader.read(connection, row)))
        .optional()?
        .transpose()
}

/// The number and the key of that id.
pub(super) fn by_id(
    connection: &Connection,
    reader: &mut KeyReader,
    id: &str,
) -> Result<Option<(i64, StoredKey)>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS}, number FROM keys WHERE id = ?1"))?
        .query_row([id], |row| Ok((row.get(16)?, reader.read(connection, row))))
        .optional()?
        .map(|(number, key)| Ok((number, key?)))
        .transpose()
}

/// The key of that digest.
pub(super) fn by_digest(
    connection: &Connection,
    reader: &mut KeyReader,
    digest: &Digest,
) -> Result<Option<StoredKey>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM keys WHERE digest = ?1"))?
        .query_row([digest.as_bytes()], |row| Ok(reader.read(connection, row)))
        .optional()?
        .transpose()
}

/// Adds a key and returns its number.
pub(super) fn insert(transaction: &Transaction<'_>, key: &StoredKey) -> Result<i64, StoreError> {
    key.check()?;
    let record = &key.record;
    transaction
        .prepare_cached(
            "INSERT INTO keys (id, digest, format, kind, subject, client_id, scope_set, created_at, not_before,
                               expires_at, state, name, metadata, allowed_addresses, rotated_to, overlap_ends_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            record.id(),
            key.digest.as_bytes(),
            key.format,
            record.kind().as_str(),
            record.subject(),
            stored_client(record),
            scope_sets::number_of(transaction, record.scopes())?,
            key.created_at,
            record.not_before(),
            record.expires_at(),
            record.state().as_str(),
            record.name(),
            record.metadata(),
            addresses(record),
            key.rotated_to,
            key.overlap_ends_at,
        ])
        .map_err(|error| StoreError::of_insert(error, "key"))?;
    Ok(transaction.last_insert_rowid())
}

/// Gives the key of that number what may change: all but id, digest, format and kind.
pub(super) fn update(transaction: &Transaction<'_>, number: i64, key: &StoredKey) -> Result<(), StoreError> {
    key.check()?;
    let record = &key.record;
    transaction
        .prepare_cached(
            "UPDATE keys SET subject = ?2, client_id = ?3, scope_set = ?4, created_at = ?5, not_before = ?6,
                             expires_at = ?7, state = ?8, name = ?9, metadata = ?10, allowed_addresses = ?11,
                             rotated_to = ?12, overlap_ends_at = ?13
             WHERE number = ?1",
        )?
        .execute(params![
            number,
            record.subject(),
            stored_client(record),
            scope_sets::number_of(transaction, record.scopes())?,
            key.created_at,
            record.not_before(),
            record.expires_at(),
            record.state().as_str(),
            record.name(),
            record.metadata(),
            addresses(record),
            key.rotated_to,
            key.overlap_ends_at,
        ])?;
    Ok(())
}

/// A client secret's client is its subject.
fn stored_client(record: &KeyRecord) -> Option<&str> {
    record.client_id().filter(|_| record.kind() != KeyKind::ClientSecret)
}

fn addresses(record: &KeyRecord) -> String {
    let blocks: Vec<_> = record.allowed_addresses().iter().map(ToString::to_string).collect();
    blocks.join(" ")
}

/// Address blocks separated by single spaces.
pub(super) fn blocks(text: &str) -> Option<Vec<AddressBlock>> {
    text.split(' ').map(|block| block.parse().ok()).collect()
}
