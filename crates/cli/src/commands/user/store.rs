//! The store of users, for commands that only wait while it works.

use tokio::runtime::Runtime;
use tollgate_service::{AccountError, Users};
use tollgate_storage::accounts::User;
use tollgate_storage::{Refusal, StorageError};

use crate::error::CommandError;
use crate::remote;
use crate::store_options::{StoreOption, operator, url};

pub(in crate::commands) struct UserStore {
    pub(in crate::commands) users: Users,
    runtime: Runtime,
    store: String,
}

impl UserStore {
    /// Opens the store, and creates it if it is missing.
    pub(in crate::commands) fn open(option: &StoreOption) -> Result<Self, CommandError> {
        let url = url(&option.name().ok_or(CommandError::NoStore)?)?;
        let runtime = remote::runtime().map_err(CommandError::Runtime)?;
        let users = runtime.block_on(Users::open(&url))?.by(operator());
        Ok(UserStore { users, runtime, store: url.to_string() })
    }

    pub(in crate::commands) fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, AccountError>>,
    ) -> Result<T, CommandError> {
        self.wait_for(answer).map_err(|error| self.failed(error))
    }

    /// Waits for a result whose error the caller handles.
    pub(in crate::commands) fn wait_for<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// Like [`wait`](Self::wait); `None` if the store has no record of that name.
    pub(in crate::commands) fn found<T>(
        &self,
        answer: impl Future<Output = Result<T, AccountError>>,
    ) -> Result<Option<T>, CommandError> {
        match self.runtime.block_on(answer) {
            Ok(found) => Ok(Some(found)),
            Err(AccountError::Store(StorageError::Refused(Refusal::NotFound { .. }))) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// The store's error, with the store's name.
    pub(in crate::commands) fn failed(&self, error: AccountError) -> CommandError {
        match error {
            AccountError::Store(source) => CommandError::Store { store: self.store.clone(), source },
            error => error.into(),
        }
    }

    /// The user with that address or id.
    pub(in crate::commands) fn find(&self, name: &str) -> Result<Option<User>, CommandError> {
        self.wait(self.users.find(name))
    }
}
