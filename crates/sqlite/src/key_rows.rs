//! Keys as rows.

use crate::change_rows;
use crate::error::SqliteError;
use crate::scope_sets;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use tollgate::{AddressBlock, Digest, KeyKind, KeyRecord, KeyState};
use tollgate_storage::{Change, KeyFilter, StoredKey};

/// The columns for [`KeyReader::read`], in order.
pub(crate) const COLUMNS: &str = "id, digest, format, kind, subject, client_id, scope_set, created_at, not_before, \
     expires_at, state, name, metadata, allowed_addresses, rotated_to, overlap_ends_at, parent, confirmation";

/// Reads rows of one transaction, and shares equal values among them.
#[derive(Default)]
pub(crate) struct KeyReader {
    /// By their row numbers, which are valid only in this transaction: after a rollback or a restore, the numbers may
    /// belong to other sets.
    scope_sets: HashMap<i64, Box<str>>,
    last_format: Option<Arc<str>>,
}

impl KeyReader {
    /// The key in a row of [`COLUMNS`].
    pub(crate) fn read(&mut self, connection: &Connection, row: &Row<'_>) -> Result<StoredKey, SqliteError> {
        let corrupt = || SqliteError::corrupt("keys", name_of(row));
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
            .allowed_addresses(addresses);
        let record = StoredKey::bind(record, text(17)?).ok_or_else(corrupt)?.build();
        Ok(StoredKey {
            digest: Digest::from_bytes(blob(1)?.try_into().map_err(|_| corrupt())?),
            format: optional_text(2)?.map(|format| self.format(format)),
            record,
            created_at: row.get(7)?,
            rotated_to: optional_text(14)?.map(Into::into),
            overlap_ends_at: row.get(15)?,
            parent: optional_text(16)?.map(Into::into),
        })
    }

    /// The key in a row of [`COLUMNS`] as a change, even if it cannot be decoded.
    pub(crate) fn change(&mut self, connection: &Connection, row: &Row<'_>) -> Result<Change, SqliteError> {
        match self.read(connection, row) {
            Ok(key) => Ok(Change::Key(key)),
            Err(error) if error.is_of_one_row() => {
                let digest = row.get(1).ok().map(Digest::from_bytes);
                Ok(Change::Unreadable { table: "keys", row: name_of(row), digest, client_id: None })
            }
            Err(error) => Err(error),
        }
    }

    fn scopes(&mut self, connection: &Connection, number: i64) -> Result<&str, SqliteError> {
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

/// The key with that number as a change.
pub(crate) fn by_number(
    connection: &Connection,
    reader: &mut KeyReader,
    number: i64,
) -> Result<Option<Change>, SqliteError> {
    let mut select = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM keys WHERE number = ?1"))?;
    let mut rows = select.query([number])?;
    rows.next()?.map(|row| reader.change(connection, row)).transpose()
}

/// The number of the key of that id.
pub(crate) fn number_of(connection: &Connection, id: &str) -> Result<Option<i64>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT number FROM keys WHERE id = ?1")?;
    Ok(select.query_row([id], |row| row.get(0)).optional()?)
}

/// The key of that id.
pub(crate) fn by_id(connection: &Connection, id: &str) -> Result<Option<StoredKey>, SqliteError> {
    select(connection, "id = ?1", &[&id], 1).map(|mut keys| keys.pop())
}

/// The key of that digest.
pub(crate) fn by_digest(connection: &Connection, digest: &Digest) -> Result<Option<StoredKey>, SqliteError> {
    select(connection, "digest = ?1", &[digest.as_bytes()], 1).map(|mut keys| keys.pop())
}

/// The keys of that subject and kind that are neither revoked nor ended at `now`, the newest first.
pub(crate) fn live(
    connection: &Connection,
    subject: &str,
    kind: KeyKind,
    now: i64,
) -> Result<Vec<StoredKey>, SqliteError> {
    let condition = "subject = ?1 AND kind = ?2 AND state <> 'revoked'
         AND (expires_at IS NULL OR expires_at > ?3) AND (overlap_ends_at IS NULL OR overlap_ends_at > ?3)
         ORDER BY created_at DESC, id DESC";
    select(connection, condition, &[&subject, &kind.as_str(), &now], usize::MAX)
}

/// The keys derived from that API key that are not revoked.
pub(crate) fn children_of(connection: &Connection, id: &str) -> Result<Vec<StoredKey>, SqliteError> {
    // The parent of an access token is not a key.
    let condition = "parent = ?1 AND kind = 'api-key' AND state <> 'revoked' ORDER BY id";
    select(connection, condition, &[&id], usize::MAX)
}

/// The keys that pass `filter`, in the order of their ids.
pub(crate) fn page(
    connection: &Connection,
    filter: &KeyFilter,
    after: &str,
    max: usize,
) -> Result<Vec<StoredKey>, SqliteError> {
    // Two statements, so that each uses its index.
    let subject = if filter.subject.is_some() { "subject = ?2" } else { "?2 IS NULL" };
    let condition = format!(
        "id > ?1 AND {subject} AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR state = ?4)
         AND (?5 IS NULL OR expires_at < ?5 OR overlap_ends_at < ?5) ORDER BY id"
    );
    let (kind, state) = (filter.kind.map(KeyKind::as_str), filter.state.map(KeyState::as_str));
    select(connection, &condition, &[&after, &filter.subject, &kind, &state, &filter.ends_before], max)
}

/// Keys. Unreadable rows are skipped, unless it is the only row.
fn select(
    connection: &Connection,
    condition: &str,
    values: &[&dyn ToSql],
    max: usize,
) -> Result<Vec<StoredKey>, SqliteError> {
    let mut select = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM keys WHERE {condition}"))?;
    let (mut rows, mut reader, mut keys) = (select.query(values)?, KeyReader::default(), Vec::new());
    while keys.len() < max
        && let Some(row) = rows.next()?
    {
        match reader.read(connection, row) {
            Ok(key) => keys.push(key),
            Err(error) if max > 1 && error.is_of_one_row() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(keys)
}

/// Adds a key, or updates the key with its id, and logs the change.
pub(crate) fn put(connection: &Connection, key: &StoredKey) -> Result<(), SqliteError> {
    let number = match number_of(connection, key.record.id())? {
        Some(number) => update(connection, number, key).map(|()| number)?,
        None => insert(connection, key)?,
    };
    change_rows::key(connection, number)
}

/// The lowest number of a key, and the highest plus one.
pub(crate) fn numbers(connection: &Connection) -> Result<(i64, i64), SqliteError> {
    let end = |select: &str| connection.prepare_cached(select)?.query_row((), |row| row.get::<_, Option<i64>>(0));
    // Separate, because SQLite uses the index only for a single minimum or maximum.
    let (first, last) = (end("SELECT min(number) FROM keys")?, end("SELECT max(number) FROM keys")?);
    Ok((first.unwrap_or(0), last.map_or(0, |last| last + 1)))
}

/// Adds a key and returns its number.
pub(crate) fn insert(connection: &Connection, key: &StoredKey) -> Result<i64, SqliteError> {
    let record = &key.record;
    connection
        .prepare_cached(
            "INSERT INTO keys (id, digest, format, kind, subject, client_id, scope_set, created_at, not_before,
                               expires_at, state, name, metadata, allowed_addresses, rotated_to, overlap_ends_at, parent, confirmation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?
        .execute(params![
            record.id(),
            key.digest.as_bytes(),
            key.format,
            record.kind().as_str(),
            record.subject(),
            stored_client(record),
            scope_sets::number_of(connection, record.scopes())?,
            key.created_at,
            record.not_before(),
            record.expires_at(),
            record.state().as_str(),
            record.name(),
            record.metadata(),
            addresses(record),
            key.rotated_to,
            key.overlap_ends_at,
            key.parent,
            key.confirmation(),
        ])
        .map_err(|error| SqliteError::of_insert(error, "key"))?;
    Ok(connection.last_insert_rowid())
}

/// Updates the key with that number: all except id, digest, format and kind.
fn update(connection: &Connection, number: i64, key: &StoredKey) -> Result<(), SqliteError> {
    let record = &key.record;
    connection
        .prepare_cached(
            "UPDATE keys SET subject = ?2, client_id = ?3, scope_set = ?4, created_at = ?5, not_before = ?6,
                             expires_at = ?7, state = ?8, name = ?9, metadata = ?10, allowed_addresses = ?11,
                             rotated_to = ?12, overlap_ends_at = ?13, parent = ?14, confirmation = ?15
             WHERE number = ?1",
        )?
        .execute(params![
            number,
            record.subject(),
            stored_client(record),
            scope_sets::number_of(connection, record.scopes())?,
            key.created_at,
            record.not_before(),
            record.expires_at(),
            record.state().as_str(),
            record.name(),
            record.metadata(),
            addresses(record),
            key.rotated_to,
            key.overlap_ends_at,
            key.parent,
            key.confirmation(),
        ])?;
    Ok(())
}

/// The description of a key's row, for people.
fn name_of(row: &Row<'_>) -> String {
    row.get_ref(0)
        .ok()
        .and_then(|id| id.as_bytes().ok())
        .map_or_else(String::new, |id| String::from_utf8_lossy(id).into())
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
pub(crate) fn blocks(text: &str) -> Option<Vec<AddressBlock>> {
    text.split(' ').map(|block| block.parse().ok()).collect()
}

/// Removes the key of that id and digest, and logs the change.
pub(crate) fn remove(connection: &Connection, id: &str, digest: &Digest) -> Result<(), SqliteError> {
    connection.prepare_cached("DELETE FROM keys WHERE id = ?1")?.execute([id])?;
    change_rows::key_removed(connection, digest)
}
