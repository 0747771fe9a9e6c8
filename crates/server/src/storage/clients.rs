use super::{Credential, StorageError, Store, credentials};
use rusqlite::OptionalExtension;

/// A registered OAuth client (RFC 6749 section 2). Its secrets are [credentials](super::Credential).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Client {
    /// The `client_id`, chosen by whoever registers the client.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What the client may ask for: scope names separated by single spaces.
    pub scopes: String,
    /// Where authorization codes may be sent; compared as whole strings (RFC 9700 section 2.1).
    pub redirect_uris: Vec<String>,
    /// When the client was registered.
    pub created_at: i64,
}

impl Store {
    /// Registers a client together with its secret.
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`] when an id is taken.
    pub fn add_client(&self, client: &Client, secret: &Credential) -> Result<(), StorageError> {
        self.write(|transaction| {
            transaction
                .prepare_cached("INSERT INTO clients (id, name, scopes, created_at) VALUES (?1, ?2, ?3, ?4)")?
                .execute((&client.id, &client.name, &client.scopes, client.created_at))
                .map_err(|error| StorageError::of_insert(error, "client"))?;
            let mut insert = transaction.prepare_cached(
                "INSERT OR IGNORE INTO client_redirect_uris (client_id, redirect_uri) VALUES (?1, ?2)",
            )?;
            for redirect_uri in &client.redirect_uris {
                insert.execute((&client.id, redirect_uri))?;
            }
            credentials::insert(transaction, secret)
        })
    }

    /// The client with that id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn client(&self, id: &str) -> Result<Option<Client>, StorageError> {
        self.read(|connection| {
            let redirect_uris = connection
                .prepare_cached("SELECT redirect_uri FROM client_redirect_uris WHERE client_id = ?1")?
                .query_map([id], |row| row.get(0))?
                .collect::<Result<Vec<String>, _>>()?;
            Ok(connection
                .prepare_cached("SELECT id, name, scopes, created_at FROM clients WHERE id = ?1")?
                .query_row([id], |row| {
                    Ok(Client {
                        id: row.get(0)?,
                        name: row.get(1)?,
                        scopes: row.get(2)?,
                        created_at: row.get(3)?,
                        redirect_uris,
                    })
                })
                .optional()?)
        })
    }
}
