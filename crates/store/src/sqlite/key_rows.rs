//! Keys as rows.

use super::scope_sets;
use crate::error::StoreError;
use crate::key::StoredKey;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::collections::HashMap;
use std::sync::Arc;
use tollgate::{AddressBlock, Digest, KeyKind, KeyRecord, KeyState, ScopeSet, ScopeSets};

/// What [`KeyReader::read`] expects, in this order.
pub(super) const COLUMNS: &str = "id, digest, format, kind, subject, client_id, scope_set, created_at, not_before, \
     expires_at, state, name, metadata, allowed_addresses, rotated_to, overlap_ends_at";

/// Reads rows of one transaction, and makes what many of them have in common once.
pub(super) struct KeyReader<'s> {
    shared: &'s ScopeSets,
    /// By their rows' numbers, which are good for this transaction alone: what is rolled back or restored from a copy gives
    /// its numbers to other sets.
    scope_sets: HashMap<i64, ScopeSet>,
    last_format: Option<Arc<str>>,
}

impl<'s> KeyReader<'s> {
    pub(super) fn new(shared: &'s ScopeSets) -> Self {
        Self { shared, scope_sets: HashMap::new(), last_format: None }
    }

    /// The key in a row of [`COLUMNS`].
    pub(super) fn read(&mut self, connection: &Connection, row: &Row<'_>) -> Result<StoredKey, StoreError> {
        let corrupt = || StoreError::Corrupt { table: "keys" };
        let text = |column| row.get_ref(column)?.as_str().map_err(|_| corrupt());
        let optional_text = |column| match row.get_ref(column)? {
            ValueRef::Null => Ok(None),
            value => value.as_str().map(Some).map_err(|_| corrupt()),
        };
        let blob = |column| row.get_ref(column)?.as_blob().map_err(|_| corrupt());

        let (id, subject, client_id) = (text(0)?, text(4)?, optional_text(5)?);
        let mut record = match KeyKind::from_name(text(3)?).ok_or_else(corrupt)? {
            KeyKind::ApiKey => KeyRecord::api_key(id, subject),
            KeyKind::ClientSecret => KeyRecord::client_secret(id, subject),
            KeyKind::AccessToken => KeyRecord::access_token(id, subject),
        };
        if let Some(client_id) = client_id {
            record = record.client_id(client_id);
        }
        if let Some(seconds) = row.get(8)? {
            record = record.not_before(seconds);
        }
        if let Some(seconds) = row.get(9)? {
            record = record.expires_at(seconds);
        }
        let (name, metadata, addresses) = (text(11)?, blob(12)?, text(13)?);
        if !name.is_empty() {
            record = record.name(name);
        }
        if !metadata.is_empty() {
            record = record.metadata(metadata);
        }
        if !addresses.is_empty() {
            record = record.allowed_addresses(blocks(addresses).ok_or_else(corrupt)?);
        }
        let state = KeyState::from_name(text(10)?).ok_or_else(corrupt)?;
        let record = record.scope_set(self.scope_set(connection, row.get(6)?)?).created_at(row.get(7)?).in_state(state);
        Ok(StoredKey {
            digest: Digest::from_bytes(blob(1)?.try_into().map_err(|_| corrupt())?),
            format: optional_text(2)?.map(|format| self.format(format)),
            record,
            rotated_to: optional_text(14)?.map(Into::into),
            overlap_ends_at: row.get(15)?,
        })
    }

    fn scope_set(&mut self, connection: &Connection, number: i64) -> Result<ScopeSet, StoreError> {
        if let Some(set) = self.scope_sets.get(&number) {
            return Ok(set.clone());
        }
        let set = scope_sets::by_number(connection, self.shared, number)?;
        self.scope_sets.insert(number, set.clone());
        Ok(set)
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
    reader: &mut KeyReader<'_>,
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
    reader: &mut KeyReader<'_>,
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
    reader: &mut KeyReader<'_>,
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
    let (not_before, expires_at) = record.validity();
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
            scope_sets::number_of(transaction, record.granted_set())?,
            record.created(),
            not_before,
            expires_at,
            record.state().as_str(),
            record.label(),
            record.attached(),
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
    let (not_before, expires_at) = record.validity();
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
            scope_sets::number_of(transaction, record.granted_set())?,
            record.created(),
            not_before,
            expires_at,
            record.state().as_str(),
            record.label(),
            record.attached(),
            addresses(record),
            key.rotated_to,
            key.overlap_ends_at,
        ])?;
    Ok(())
}

/// A client secret's client is its subject.
fn stored_client(record: &KeyRecord) -> Option<&str> {
    record.client().filter(|_| record.kind() != KeyKind::ClientSecret)
}

fn addresses(record: &KeyRecord) -> String {
    let blocks: Vec<_> = record.addresses().iter().map(ToString::to_string).collect();
    blocks.join(" ")
}

/// Address blocks separated by single spaces.
pub(super) fn blocks(text: &str) -> Option<Vec<AddressBlock>> {
    text.split(' ').map(|block| block.parse().ok()).collect()
}
