//! The audit log: whom a change is asked for by, and what there is to read.

use crate::app::App;
use crate::client_address::ClientAddress;
use crate::error::ServerError;
use crate::store::StoreUrl;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::collections::BTreeMap;
use std::sync::Arc;
use tollgate::Principal;
use tollgate_storage::{Actor, AuditFilter, AuditLog, AuditRecord, Door, StorageError};

/// The audit records of a store, whichever of its databases they are in.
///
/// ```
/// use tollgate_service::{AuditTrail, NewUser, StoreUrl, Users};
/// use tollgate_storage::AuditFilter;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let store = StoreUrl::from(folder);
/// Users::open(&store).await?.add(&NewUser::new("ada@example.com", "the-analytical-engine", "read:sites")?).await?;
/// let records = AuditTrail::open(&store).await?.page(&AuditFilter::default(), None, 10).await?;
/// assert_eq!(records[0].action, "user.add");
/// # Ok(())
/// # }
/// ```
pub struct AuditTrail {
    logs: Vec<Arc<dyn AuditLog>>,
}

impl AuditTrail {
    /// Opens the databases that are there.
    ///
    /// # Errors
    /// As [`StoreUrl::open_accounts`].
    pub async fn open(url: &StoreUrl) -> Result<Self, ServerError> {
        let mut logs: Vec<Arc<dyn AuditLog>> = vec![url.open_keys().await?];
        if url.has_other_accounts() {
            logs.push(url.open_accounts().await?);
        }
        Ok(Self { logs })
    }

    /// The records that pass `filter`, in the order of their ids, which is that in which they were made, after the id `after`; at
    /// most `max`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn page(
        &self,
        filter: &AuditFilter,
        after: Option<&str>,
        max: usize,
    ) -> Result<Vec<AuditRecord>, StorageError> {
        let mut records = BTreeMap::new();
        for log in &self.logs {
            let page = log.audit(filter, after, max).await?;
            records.extend(page.into_iter().map(|record| (record.id.clone(), record)));
        }
        Ok(records.into_values().take(max).collect())
    }
}

tokio::task_local! {
    static CALLER: Actor;
}

/// Whom the request that is being answered comes from; outside of one the service itself.
pub(crate) fn caller() -> Actor {
    CALLER.try_with(Clone::clone).unwrap_or_else(|_| Actor::unknown(Door::Service))
}

/// As [`caller`], who has shown by that credential to be the subject.
pub(crate) fn caller_as(subject: &str, credential: Option<String>) -> Actor {
    Actor { subject: Some(subject.to_owned()), credential, ..caller() }
}

/// Has `work` done for that caller.
pub(crate) fn on_behalf_of<T>(caller: Actor, work: impl FnOnce() -> T) -> T {
    CALLER.sync_scope(caller, work)
}

/// Notes the caller of a request, for whatever is done to answer it. It stands inside of what authenticates.
pub(crate) async fn note_caller(
    State(_): State<Arc<App>>,
    address: ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    let principal = request.extensions().get::<Principal>();
    let caller = Actor {
        door: Door::Http,
        subject: principal.and_then(Principal::subject).map(str::to_owned),
        credential: principal.map(credential),
        address: Some(address.counted().to_string()),
    };
    CALLER.scope(caller, next.run(request)).await
}

/// Its kind, and its id or that of the session that it came of.
fn credential(principal: &Principal) -> String {
    let id = principal.session_id().or_else(|| principal.credential_id()).unwrap_or_default();
    format!("{} {id}", principal.kind().as_str())
}
