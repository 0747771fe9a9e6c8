use crate::change_rows;
use crate::error::SqliteError;
use rusqlite::Connection;
use tollgate_storage::{Client, StorageError};

pub(crate) fn put(connection: &Connection, client: &Client) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO clients (id, name, scopes, created_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET name = ?2, scopes = ?3, created_at = ?4",
        )?
        .execute((client.id(), client.name(), client.scopes(), client.created_at()))?;
    connection.prepare_cached("DELETE FROM client_redirect_uris WHERE client_id = ?1")?.execute([client.id()])?;
    let mut insert = connection
        .prepare_cached("INSERT INTO client_redirect_uris (client_id, position, redirect_uri) VALUES (?1, ?2, ?3)")?;
    for (position, uri) in (0_i64..).zip(client.redirect_uris()) {
        insert.execute((client.id(), position, uri))?;
    }
    change_rows::client(connection, client.id())
}

pub(crate) fn remove(connection: &Connection, id: &str) -> Result<(), SqliteError> {
    connection.prepare_cached("DELETE FROM clients WHERE id = ?1")?.execute([id])?;
    change_rows::client(connection, id)
}

pub(crate) fn by_id(connection: &Connection, id: &str) -> Result<Option<Client>, SqliteError> {
    let mut select = connection.prepare_cached("SELECT name, scopes, created_at FROM clients WHERE id = ?1")?;
    let mut rows = select.query([id])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let (name, scopes): (String, String) = (row.get(0)?, row.get(1)?);
    let redirect_uris: Vec<String> = connection
        .prepare_cached("SELECT redirect_uri FROM client_redirect_uris WHERE client_id = ?1 ORDER BY position")?
        .query_map([id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let client = Client::new(id, &name, &scopes, redirect_uris, row.get(2)?);
    Ok(Some(client.map_err(|_| SqliteError::corrupt("clients", id))?))
}

/// The clients after `after` in the order of their ids; of those that cannot be read, why.
pub(crate) fn page(
    connection: &Connection,
    after: &str,
    max: usize,
) -> Result<Vec<Result<Client, StorageError>>, SqliteError> {
    let ids: Vec<String> = connection
        .prepare_cached("SELECT id FROM clients WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map((after, i64::try_from(max).unwrap_or(i64::MAX)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut clients = Vec::new();
    for id in ids {
        match by_id(connection, &id) {
            Ok(client) => clients.extend(client.map(Ok)),
            Err(error) if error.is_of_one_row() => {
                clients.push(Err(StorageError::Corrupt { table: "clients", row: id }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(clients)
}
