use std::time::Duration;

use tollgate_keys::{KeyRefused, KeyReport};

use crate::error::{FetchError, SavedSetError};
use crate::schedule::Cause;

/// An event of a remote key set, for metrics and alarms. The crate also logs every event with `tracing`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// A fetch begins.
    FetchStarted {
        /// The cause.
        cause: Cause,
    },
    /// A URI failed. Other URIs may be tried next.
    FetchFailed {
        /// The URI.
        uri: &'e str,
        /// Why it failed.
        error: &'e FetchError,
    },
    /// A refresh succeeded.
    Refreshed {
        /// The duration of the refresh.
        took: Duration,
        /// The number of keys.
        keys: usize,
        /// Whether the keys have changed.
        changed: bool,
    },
    /// A refresh failed: no URI delivered a key set.
    RefreshFailed {
        /// The duration of the refresh.
        took: Duration,
        /// The number of failed refreshes in a row.
        failures: u32,
    },
    /// A key of the document was refused. Sent again only if the refused keys of a later document are different.
    KeyRefused {
        /// The key and the reason.
        report: &'e KeyReport,
    },
    /// Keys in use were withdrawn because a document contained their private part.
    KeysExposed {
        /// The number of keys.
        keys: usize,
    },
    /// The saved set is now in use.
    SavedSetUsed {
        /// The time since the provider confirmed the set.
        age: Duration,
        /// The number of keys.
        keys: usize,
    },
    /// The saved set was refused.
    SavedSetRefused {
        /// The reason.
        error: &'e SavedSetError,
    },
    /// The set could not be saved.
    NotSaved {
        /// The reason.
        error: &'e SavedSetError,
    },
    /// The outage grace has ended: every token of the issuer is rejected.
    FailedClosed,
}

/// Receives [`Event`]s. Closures are observers.
///
/// The task that refreshes the keys calls the observer, which must not block. An observer that panics is not called
/// again.
pub trait Observer: Send + Sync {
    /// `remote`: the name of the key set: [`RemoteKeys::name`](crate::RemoteKeys::name).
    fn observe(&self, remote: &str, event: &Event<'_>);
}

impl<F: Fn(&str, &Event<'_>) + Send + Sync> Observer for F {
    fn observe(&self, remote: &str, event: &Event<'_>) {
        self(remote, event);
    }
}

/// Logs `event`. Text from the provider is escaped.
pub(crate) fn log(remote: &str, event: &Event<'_>) {
    match event {
        Event::FetchStarted { cause } => tracing::debug!(remote, ?cause, "fetching keys"),
        Event::FetchFailed { uri, error } => {
            tracing::warn!(remote, uri, code = error.code(), %error, "keys not fetched");
        }
        Event::Refreshed { took, keys, changed: true } => tracing::info!(remote, keys, ?took, "keys changed"),
        Event::Refreshed { took, keys, changed: false } => tracing::debug!(remote, keys, ?took, "keys confirmed"),
        Event::RefreshFailed { took, failures } => tracing::warn!(remote, failures, ?took, "keys not refreshed"),
        Event::KeyRefused { report } => log_refused(remote, report),
        Event::KeysExposed { keys } => {
            tracing::error!(remote, keys, "the provider has published private keys that served: they are withdrawn");
        }
        Event::SavedSetUsed { age, keys } => tracing::warn!(remote, keys, ?age, "saved keys serve"),
        Event::SavedSetRefused { error } => tracing::warn!(remote, code = error.code(), %error, "saved keys not used"),
        Event::NotSaved { error } => tracing::warn!(remote, code = error.code(), %error, "keys not saved"),
        Event::FailedClosed => tracing::error!(remote, "the outage grace has ended: every token is rejected"),
    }
}

/// Logs an error if a secret was published, and information if a key is only not for signatures. `Display` of a report
/// is escaped and bounded.
fn log_refused(remote: &str, report: &KeyReport) {
    let code = report.refused.as_ref().map_or("", KeyRefused::code);
    match report.refused {
        Some(KeyRefused::PrivateKey | KeyRefused::SymmetricKeyInRemoteSet) => {
            tracing::error!(remote, code, %report, "the provider publishes a secret key: it must be replaced");
        }
        Some(
            KeyRefused::UnsupportedKeyType { .. }
            | KeyRefused::UnsupportedCurve { .. }
            | KeyRefused::UseIsNotSignature { .. }
            | KeyRefused::UseNotAccepted { .. },
        ) => {
            tracing::info!(remote, code, %report, "key ignored");
        }
        _ => tracing::warn!(remote, code, %report, "key refused"),
    }
}
