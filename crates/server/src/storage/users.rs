use super::Storage;
use rusqlite::{OptionalExtension, Row};
use tollgate_sqlite::SqliteError;
use tollgate_storage::StorageError;

/// A person who can log in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The public id, the `sub` of the user's tokens.
    pub id: String,
    /// The address, as [`User::normal_email`] writes it.
    pub email: String,
    /// What the user may do: scope names separated by single spaces.
    pub scopes: String,
    /// When the user was added.
    pub created_at: i64,
}

impl User {
    /// The one spelling under which an address is stored and looked up: trimmed, ASCII lower case.
    ///
    /// ```
    /// use tollgate_server::storage::User;
    /// assert_eq!(User::normal_email(" Ada@Example.com "), "ada@example.com");
    /// ```
    #[must_use]
    pub fn normal_email(email: &str) -> String {
        email.trim().to_ascii_lowercase()
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            email: row.get("email")?,
            scopes: row.get("scopes")?,
            created_at: row.get("created_at")?,
        })
    }
}

impl Storage {
    /// Adds a user with the PHC string of the password's hash.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`] when the id or the address is taken.
    pub fn add_user(&self, user: &User, password_hash: &str) -> Result<(), StorageError> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO users (id, email, password_hash, scopes, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((&user.id, &user.email, password_hash, &user.scopes, user.created_at))
                .map_err(|error| SqliteError::of_insert(error, "user"))?;
            Ok(())
        })
    }

    /// The user with that id.
    ///
    /// # Errors
    /// When the storage cannot be read.
    pub fn user_by_id(&self, id: &str) -> Result<Option<User>, StorageError> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT * FROM users WHERE id = ?1")?
                .query_row([id], User::from_row)
                .optional()?)
        })
    }

    /// The user with that address (in its normal spelling), and the PHC string of the password.
    ///
    /// # Errors
    /// When the storage cannot be read.
    pub fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StorageError> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT * FROM users WHERE email = ?1")?
                .query_row([email], |row| Ok((User::from_row(row)?, row.get("password_hash")?)))
                .optional()?)
        })
    }
}
