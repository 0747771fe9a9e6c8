//! The store of users, for commands that have nothing else to do while it works.

use tokio::runtime::Runtime;
use tollgate_service::{AccountError, Users};
use tollgate_storage::accounts::User;

use crate::error::CommandError;
use crate::remote;
use crate::store_options::{StoreOption, url};

pub(super) struct UserStore {
    pub(super) users: Users,
    runtime: Runtime,
    store: String,
}

impl UserStore {
    /// Opens the store, and makes it when it is missing.
    pub(super) fn open(option: &StoreOption) -> Result<Self, CommandError> {
        let url = url(&option.name().ok_or(CommandError::NoStore)?)?;
        let runtime = remote::runtime().map_err(CommandError::Runtime)?;
        let users = runtime.block_on(Users::open(&url))?;
        Ok(UserStore { users, runtime, store: url.to_string() })
    }

    pub(super) fn wait<T>(&self, answer: impl Future<Output = Result<T, AccountError>>) -> Result<T, CommandError> {
        self.runtime.block_on(answer).map_err(|error| match error {
            AccountError::Store(source) => CommandError::Store { store: self.store.clone(), source },
            error => error.into(),
        })
    }

    /// The user of that address or id.
    pub(super) fn find(&self, name: &str) -> Result<Option<User>, CommandError> {
        self.wait(self.users.find(name))
    }
}
