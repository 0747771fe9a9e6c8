use super::Storage;
use tollgate_sqlite::SqliteError;
use tollgate_storage::StorageError;

/// A site of a user: what the protected example route lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Site {
    /// The public id.
    pub id: String,
    /// The user it belongs to.
    pub user_id: String,
    /// A name for people.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// When it was added.
    pub created_at: i64,
}

impl Storage {
    /// Adds a site.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`] when the id is taken or the user is unknown.
    pub fn add_site(&self, site: &Site) -> Result<(), StorageError> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO sites (id, user_id, name, url, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((&site.id, &site.user_id, &site.name, &site.url, site.created_at))
                .map_err(|error| SqliteError::of_insert(error, "site"))?;
            Ok(())
        })
    }

    /// The user's sites, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the storage cannot be read.
    pub fn sites_of(&self, user_id: &str, limit: u32) -> Result<Vec<Site>, StorageError> {
        self.read(|connection| {
            let sites = connection
                .prepare_cached(
                    "SELECT id, user_id, name, url, created_at FROM sites
                     WHERE user_id = ?1 ORDER BY created_at, id LIMIT ?2",
                )?
                .query_map((user_id, limit), |row| {
                    Ok(Site {
                        id: row.get(0)?,
                        user_id: row.get(1)?,
                        name: row.get(2)?,
                        url: row.get(3)?,
                        created_at: row.get(4)?,
                    })
                })?
                .collect::<Result<_, _>>()?;
            Ok(sites)
        })
    }
}
