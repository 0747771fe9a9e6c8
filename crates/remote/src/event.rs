use std::time::Duration;

use tollgate_keys::{KeyRefused, KeyReport};

use crate::error::{FetchError, SavedSetError};
use crate::schedule::Cause;

/// What happens to a remote key set, for metrics and alarms. The crate logs each of them with `tracing` too.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// A fetch begins.
    FetchStarted {
        /// Why.
        cause: Cause,
    },
    /// A URI did not deliver. Others may be tried after it.
    FetchFailed {
        /// What was fetched.
        uri: &'e str,
        /// Why it failed.
        error: &'e FetchError,
    },
    /// A refresh has ended well.
    Refreshed {
        /// How long it took.
        took: Duration,
        /// How many keys there are.
        keys: usize,
        /// Whether they are others than before.
        changed: bool,
    },
    /// A refresh has ended without a key set: no URI delivered.
    RefreshFailed {
        /// How long it took.
        took: Duration,
        /// How many have failed in a row.
        failures: u32,
    },
    /// A key of the document may not be used. Told again only when a document has other such keys than the one before.
    KeyRefused {
        /// Which, and why.
        report: &'e KeyReport,
    },
    /// Keys that served were withdrawn, for a document has shown their private part.
    KeysExposed {
        /// How many.
        keys: usize,
    },
    /// The set that was saved serves.
    SavedSetUsed {
        /// How long ago the provider confirmed it.
        age: Duration,
        /// How many keys there are.
        keys: usize,
    },
    /// The saved set cannot be used.
    SavedSetRefused {
        /// Why not.
        error: &'e SavedSetError,
    },
    /// The set cannot be saved.
    NotSaved {
        /// Why not.
        error: &'e SavedSetError,
    },
    /// The outage grace has ended: every token of the issuer is rejected.
    FailedClosed,
}

/// Whoever is to know of [`Event`]s. Closures are observers.
///
/// It is called by the task that refreshes the keys, and must not block. One that panics is not called again.
pub trait Observer: Send + Sync {
    /// `remote`: the name of the key set, as [`RemoteKeys::name`](crate::RemoteKeys::name) says it.
    fn observe(&self, remote: &str, event: &Event<'_>);
}

impl<F: Fn(&str, &Event<'_>) + Send + Sync> Observer for F {
    fn observe(&self, remote: &str, event: &Event<'_>) {
        self(remote, event);
    }
}

/// Writes `event` to the log. What came from the provider is escaped.
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

/// Loud where a secret was published; calm where a key is merely not one for signatures. `Display` of a report is escaped and
/// bounded.
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
