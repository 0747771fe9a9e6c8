//! Secrets that are made for a request, until its answer is on the way.

use crate::accounts::AccountError;
use crate::app::App;
use crate::error::ServerError;
use std::cell::RefCell;
use std::sync::Arc;
use tokio::runtime::Handle;
use tollgate::KeyState;
use tollgate_storage::{Actor, Command, Door};

/// What a secret was made for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Made {
    /// A key, a client's secret or an opaque token of that id.
    Key(String),
    /// A login session.
    Session { user_id: String, id: String },
}

tokio::task_local! {
    static MADE: RefCell<Vec<Made>>;
}

/// Notes that a secret was made, so that it is withdrawn when nobody gets it.
pub(crate) fn note(made: Made) {
    // Outside of a request the caller has it.
    let _ = MADE.try_with(|noted| noted.borrow_mut().push(made));
}

/// Runs `work`; what it noted is withdrawn when it fails, or when nobody takes the result.
pub(crate) fn noting<T, E: From<ServerError>>(
    app: &Arc<App>,
    runtime: Handle,
    work: impl FnOnce() -> Result<T, E>,
) -> Undelivered<Result<T, E>> {
    let (result, made) =
        MADE.sync_scope(RefCell::default(), || (work(), MADE.with(|noted| std::mem::take(&mut *noted.borrow_mut()))));
    match result {
        Err(_) if app.withdraw(&made) => Undelivered::new(app, runtime, Err(ServerError::Withdrawn.into()), Vec::new()),
        Err(error) => Undelivered::new(app, runtime, Err(error), Vec::new()),
        Ok(answer) => Undelivered::new(app, runtime, Ok(answer), made),
    }
}

/// A result with the secrets that were made for it. When it is dropped, because the caller has gone or the time for the request is over, no
/// one can have them, and they are withdrawn.
pub(crate) struct Undelivered<T> {
    result: Option<T>,
    made: Vec<Made>,
    app: Arc<App>,
    runtime: Handle,
}

impl<T> Undelivered<T> {
    fn new(app: &Arc<App>, runtime: Handle, result: T, made: Vec<Made>) -> Self {
        Self { result: Some(result), made, app: Arc::clone(app), runtime }
    }

    /// For the answer, which is given without waiting for anything else.
    pub(crate) fn deliver(mut self) -> Option<T> {
        self.made.clear();
        self.result.take()
    }
}

impl<T> Drop for Undelivered<T> {
    fn drop(&mut self) {
        let made = std::mem::take(&mut self.made);
        if !made.is_empty() {
            let app = Arc::clone(&self.app);
            self.runtime.spawn_blocking(move || app.withdraw(&made));
        }
    }
}

impl App {
    /// Revokes the keys and ends the sessions of which the store knows; returns whether there was one. Waits for the disk.
    fn withdraw(&self, made: &[Made]) -> bool {
        let withdrawn = |made: &Made| match self.withdraw_one(made) {
            Ok(was_there) => was_there,
            Err(error) => {
                tracing::error!(code = error.code(), ?made, "what nobody got the secret of stays: {error}");
                true
            }
        };
        made.iter().filter(|made| withdrawn(made)).count() > 0
    }

    fn withdraw_one(&self, made: &Made) -> Result<bool, AccountError> {
        let (keys, service) = (&self.accounts.keys, Actor::unknown(Door::Service));
        let was_there = match made {
            Made::Key(id) => {
                let key = keys.wait(keys.store.key(id))?;
                let is_there = key.is_some_and(|key| key.record.state() != KeyState::Revoked);
                if is_there {
                    let revoke = Command::PutKeyInState { id: id.clone(), state: KeyState::Revoked };
                    keys.wait(keys.store.run(revoke.by(&service)?))?;
                }
                is_there
            }
            Made::Session { user_id, id } => {
                let sessions = keys.wait(self.accounts.store.login_sessions_of(user_id, i64::MIN))?;
                let is_there = sessions.iter().any(|session| session.id == *id);
                if is_there {
                    let users = self.accounts.users().by(service);
                    keys.wait(users.end_session(user_id, id))?;
                }
                is_there
            }
        };
        if was_there {
            tracing::warn!(?made, "withdrawn: its secret could not be given to whoever asked for it");
        }
        Ok(was_there)
    }
}
