use super::store::Store;
use super::{change_rows, keys};
use crate::client::Client;
use crate::error::StoreError;
use crate::key::StoredKey;
use rusqlite::{Connection, OptionalExtension, Transaction};

impl Store {
    /// Registers a client. Returns the number of the change.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when the id is taken.
    pub fn add_client(&self, client: &Client) -> Result<u64, StoreError> {
        let ((), sequence) = self.write(|transaction| add(transaction, client))?;
        Ok(sequence)
    }

    /// Registers a client together with its secret, both or none. Returns the number of the last change.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when the client's id, or the secret's id or digest, is taken.
    pub fn add_client_with_secret(&self, client: &Client, secret: &StoredKey) -> Result<u64, StoreError> {
        let ((), sequence) = self.write(|transaction| {
            add(transaction, client)?;
            keys::add(transaction, secret)
        })?;
        Ok(sequence)
    }

    /// Removes a client; its secrets are keys and stay. `None` when there is none of that id.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove_client(&self, id: &str) -> Result<Option<u64>, StoreError> {
        let (removed, sequence) = self.write(|transaction| remove(transaction, id))?;
        Ok(removed.then_some(sequence))
    }

    /// The client of that id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn client(&self, id: &str) -> Result<Option<Client>, StoreError> {
        self.read(|transaction| by_id(transaction, id))
    }

    /// The clients after `after` in the order of their ids, at most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn clients(&self, after: Option<&str>, max: usize) -> Result<Vec<Client>, StoreError> {
        self.read(|transaction| page(transaction, after.unwrap_or(""), max))
    }
}

fn add(transaction: &Transaction<'_>, client: &Client) -> Result<(), StoreError> {
    if by_id(transaction, &client.id)?.is_some() {
        return Err(StoreError::AlreadyExists { what: "client" });
    }
    put(transaction, client)
}

pub(super) fn put(transaction: &Transaction<'_>, client: &Client) -> Result<(), StoreError> {
    client.check()?;
    transaction
        .prepare_cached(
            "INSERT INTO clients (id, name, scopes, created_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET name = ?2, scopes = ?3, created_at = ?4",
        )?
        .execute((&client.id, &client.name, &client.scopes, client.created_at))?;
    transaction.prepare_cached("DELETE FROM client_redirect_uris WHERE client_id = ?1")?.execute([&client.id])?;
    let mut insert = transaction
        .prepare_cached("INSERT INTO client_redirect_uris (client_id, position, redirect_uri) VALUES (?1, ?2, ?3)")?;
    for (position, uri) in (0_i64..).zip(&client.redirect_uris) {
        insert.execute((&client.id, position, uri))?;
    }
    change_rows::client(transaction, &client.id)
}

pub(super) fn remove(transaction: &Transaction<'_>, id: &str) -> Result<bool, StoreError> {
    let removed = transaction.prepare_cached("DELETE FROM clients WHERE id = ?1")?.execute([id])? > 0;
    if removed {
        change_rows::client(transaction, id)?;
    }
    Ok(removed)
}

pub(super) fn by_id(connection: &Connection, id: &str) -> Result<Option<Client>, StoreError> {
    let client = connection
        .prepare_cached("SELECT name, scopes, created_at FROM clients WHERE id = ?1")?
        .query_row([id], |row| {
            let (name, scopes, created_at) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Client { id: id.to_owned(), name, scopes, redirect_uris: Vec::new(), created_at })
        })
        .optional()?;
    let Some(mut client) = client else {
        return Ok(None);
    };
    client.redirect_uris = connection
        .prepare_cached("SELECT redirect_uri FROM client_redirect_uris WHERE client_id = ?1 ORDER BY position")?
        .query_map([id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(Some(client))
}

/// The clients after `after` in the order of their ids.
pub(super) fn page(connection: &Connection, after: &str, max: usize) -> Result<Vec<Client>, StoreError> {
    let ids: Vec<String> = connection
        .prepare_cached("SELECT id FROM clients WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map((after, i64::try_from(max).unwrap_or(i64::MAX)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    ids.iter().filter_map(|id| by_id(connection, id).transpose()).collect()
}
