//! The sites of users: what the protected example route lists.

use super::Users;
use crate::accounts::{AccountError, check, is_text};
use crate::ids::now;
use crate::limits::{MAX_NAME_BYTES, MAX_PARAMETER_BYTES, MAX_SITES_PER_USER};
use http::Uri;
use tollgate_storage::accounts::Site;
use tollgate_storage::{Refusal, StorageError, new_key_id};

impl Users {
    /// Adds a site to the user's. `name`: 1 to 100 bytes; `url`: an absolute `http` or `https` URL of at most 2,048 bytes.
    ///
    /// # Errors
    /// [`AccountError::Invalid`]; [`Refusal::NotFound`] when there is no such user; [`Refusal::TooMany`] when the user has 1,000 sites.
    pub async fn add_site(&self, user_id: &str, name: &str, url: &str) -> Result<Site, AccountError> {
        check("name", is_text(name, MAX_NAME_BYTES))?;
        check("url", is_web_url(url))?;
        let (owner, name, url) = (user_id.to_owned(), name.to_owned(), url.to_owned());
        let site = Site { id: new_key_id("site")?, user_id: owner, name, url, created_at: now() };
        let record = self.record("site.add", &site.id)?.concerning(user_id);
        let added = match self.known(user_id).await {
            Ok(_) => self.accounts.add_site(&site, MAX_SITES_PER_USER, &record).await,
            Err(unknown) => Err(unknown),
        };
        self.told(added, record).await?;
        Ok(site)
    }

    /// The user's sites, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sites(&self, user_id: &str) -> Result<Vec<Site>, AccountError> {
        Ok(self.accounts.sites_of(user_id, MAX_SITES_PER_USER).await?)
    }

    /// Gives a site of the user another name: 1 to 100 bytes.
    ///
    /// # Errors
    /// [`AccountError::Invalid`]; [`Refusal::NotFound`] when the user has no such site.
    pub async fn rename_site(&self, user_id: &str, id: &str, name: &str) -> Result<(), AccountError> {
        check("name", is_text(name, MAX_NAME_BYTES))?;
        let record = self.record("site.rename", id)?.concerning(user_id);
        let renamed = self.accounts.rename_site(user_id, id, name, &record).await;
        self.told(found(renamed), record).await
    }

    /// Removes a site of the user.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when the user has no such site.
    pub async fn remove_site(&self, user_id: &str, id: &str) -> Result<(), AccountError> {
        let record = self.record("site.remove", id)?.concerning(user_id);
        let removed = self.accounts.remove_site(user_id, id, &record).await;
        self.told(found(removed), record).await
    }
}

fn found(changed: Result<bool, StorageError>) -> Result<(), StorageError> {
    if changed? { Ok(()) } else { Err(Refusal::NotFound { what: "site" }.into()) }
}

/// No other scheme: what shows the sites makes links of their URLs.
fn is_web_url(url: &str) -> bool {
    let parsed = if is_text(url, MAX_PARAMETER_BYTES) { url.parse::<Uri>().ok() } else { None };
    parsed.is_some_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some())
}
