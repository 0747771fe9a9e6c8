use std::error::Error;
use std::io;

use deadpool_postgres::PoolError;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tollgate_storage::StorageError;

use crate::limits::{READ_TIMEOUT, READ_TRIES};

/// The reason why one attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Retryable: nothing was done.
    Again(StorageError),
    /// The answer to the commit was lost.
    Unknown,
    /// Not retryable. Nothing was done.
    Final(StorageError),
}

impl Failure {
    pub(crate) fn timed_out() -> Self {
        Failure::Again(StorageError::failed(io::Error::from(io::ErrorKind::TimedOut)))
    }

    pub(crate) fn into_error(self) -> StorageError {
        match self {
            Failure::Again(error) | Failure::Final(error) => error,
            Failure::Unknown => StorageError::OutcomeUnknown,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        if is_passing(&error) { Failure::Again(of_server(error)) } else { Failure::Final(of_server(error)) }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => Failure::Again(StorageError::Busy),
            other => Failure::Final(StorageError::failed(other)),
        }
    }
}

/// The error of a command itself: a refusal, or the error of one of its statements.
impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Failed(source) => match source.downcast::<tokio_postgres::Error>() {
                Ok(error) => (*error).into(),
                Err(source) => Failure::Final(StorageError::Failed(source)),
            },
            StorageError::Busy => Failure::Again(StorageError::Busy),
            other => Failure::Final(other),
        }
    }
}

/// Whether a retry may succeed: the connection is lost, the server starts, stops or was demoted, or others hold a lock.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    let Some(state) = error.code() else {
        // An error of the connection, or its end.
        return error.source().is_none_or(<dyn Error>::is::<io::Error>);
    };
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::DATABASE_DROPPED,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::UNIQUE_VIOLATION,
    ]
    .contains(state)
        || state.code().starts_with("08")
}

/// `Busy` if others hold a lock.
pub(crate) fn of_server(error: tokio_postgres::Error) -> StorageError {
    match error.code() {
        Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::TOO_MANY_CONNECTIONS) => StorageError::Busy,
        _ => StorageError::failed(error),
    }
}

/// A look-up with a deadline. It is tried again if its connection turns out to be lost.
pub(crate) async fn timed<T, F: Future<Output = Result<T, Failure>>>(
    look_up: impl Fn() -> F,
) -> Result<T, StorageError> {
    let mut tries = 1..=READ_TRIES;
    let looked_up = timeout(READ_TIMEOUT, async {
        loop {
            tries.next();
            match look_up().await {
                Err(Failure::Again(_)) if !tries.is_empty() => {}
                outcome => return outcome,
            }
        }
    });
    looked_up.await.unwrap_or_else(|_| Err(Failure::timed_out())).map_err(Failure::into_error)
}
