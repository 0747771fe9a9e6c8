//! Token status lists (draft-ietf-oauth-status-list): one bit, or a few, for each token of an issuer, which tell
//! whether it is still valid. Verifiers read the lists here; they are fetched and checked outside the engine.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};

use tollgate_jwt::json::{Number, Value};

use crate::clock::Now;
use crate::issuer::LocatedClaims;
use crate::limits::{MAX_STATUS_LIST_URI_BYTES, MAX_STATUS_LISTS};
use crate::rejection::Rejection;
use crate::sync::{ArcSwap, AtomicBool, Mutex};
use crate::unavailable::Unavailable;

/// The status lists that an issuer's tokens may refer to, for [`Issuer::status_lists`](crate::Issuer::status_lists).
/// Clones share the same lists.
///
/// A token refers to a list by `status.status_list.uri`, and to its entry by `idx`. The reference is followed only
/// after the signature, and only to URIs that are configured for the issuer. Only a status of 0 is valid. If the list
/// is missing or outdated, the token cannot be judged: 503.
#[derive(Clone)]
pub struct StatusLists(Arc<Shared>);

struct Shared {
    prefixes: Box<[Box<str>]>,
    is_required: bool,
    lists: ArcSwap<Lists>,
    /// Held by writers, so that each changes the latest published lists.
    writer: Mutex<()>,
    fetcher: Arc<dyn StatusListFetcher>,
}

#[derive(Clone, Default)]
struct Lists {
    /// The index in `lists` for each URI.
    by_uri: HashMap<Box<str>, u32>,
    lists: Vec<Arc<StatusList>>,
}

/// The statuses of one list at some time.
pub struct StatusList {
    bits: u8,
    bytes: Box<[u8]>,
    fresh_until: i64,
    /// Whether a status was looked up in the list. Written once, so that readers share its memory.
    is_used: AtomicBool,
}

/// A weak reference to [`StatusLists`], for a task that keeps them fresh only while they are in use.
#[derive(Clone)]
pub struct WeakStatusLists(Weak<Shared>);

/// Fetches lists and publishes them. `tollgate-remote` has an implementation; an engine never calls it itself.
pub trait StatusListFetcher: Send + Sync {
    /// Fetches the list at `uri`, checks it and [publishes](StatusLists::publish) it. `now`: the time of the check, in
    /// seconds since the Unix epoch. The error says why it failed. Many calls send a bounded number of requests.
    fn fetch<'r>(&'r self, lists: &'r StatusLists, uri: &'r str, now: i64) -> StatusListFetch<'r>;
}

/// A pending fetch: see [`StatusListFetcher::fetch`]. The error is for the server's own log.
pub type StatusListFetch<'r> = Pin<Box<dyn Future<Output = Result<(), Box<str>>> + Send + 'r>>;

/// A list that is missing or outdated, for a token that is otherwise valid.
#[derive(Clone)]
pub struct MissingStatusList {
    lists: StatusLists,
    uri: Box<str>,
    now: i64,
}

impl StatusLists {
    /// Lists whose URIs begin with one of `prefixes`, fetched by `fetcher`. A prefix that does not end in `/` allows
    /// only that one URI.
    #[must_use]
    pub fn new<P: Into<Box<str>>>(prefixes: impl IntoIterator<Item = P>, fetcher: Arc<dyn StatusListFetcher>) -> Self {
        Self::make(prefixes.into_iter().map(Into::into).collect(), false, fetcher)
    }

    /// Like [`new`](Self::new), but rejects tokens that refer to no list.
    #[must_use]
    pub fn required<P: Into<Box<str>>>(
        prefixes: impl IntoIterator<Item = P>,
        fetcher: Arc<dyn StatusListFetcher>,
    ) -> Self {
        Self::make(prefixes.into_iter().map(Into::into).collect(), true, fetcher)
    }

    fn make(prefixes: Box<[Box<str>]>, is_required: bool, fetcher: Arc<dyn StatusListFetcher>) -> Self {
        let lists = ArcSwap::new(Arc::default());
        StatusLists(Arc::new(Shared { prefixes, is_required, lists, writer: Mutex::new(()), fetcher }))
    }

    /// Replaces the list at `uri`, or adds it. When this has returned, no verify that starts later uses the previous
    /// one. Returns whether there was room: there are at most [`MAX_STATUS_LISTS`].
    pub fn publish(&self, uri: &str, list: StatusList) -> bool {
        // A panic under the lock leaves no half-changed lists, since they are replaced as a whole.
        let _writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lists = Lists::clone(&self.0.lists.load());
        match lists.by_uri.get(uri) {
            Some(place) => lists.lists[*place as usize] = Arc::new(list),
            None if lists.lists.len() >= MAX_STATUS_LISTS => return false,
            None => {
                lists.by_uri.insert(uri.into(), lists.lists.len() as u32);
                lists.lists.push(Arc::new(list));
            }
        }
        self.0.lists.store(Arc::new(lists));
        true
    }

    /// Whether a status was looked up in the list at `uri` since it was published.
    #[must_use]
    pub fn is_used(&self, uri: &str) -> bool {
        let lists = self.0.lists.load();
        let list = lists.by_uri.get(uri).map(|place| &lists.lists[*place as usize]);
        list.is_some_and(|list| list.is_used.load(Ordering::Relaxed))
    }

    /// A weak reference to the same lists.
    #[must_use]
    pub fn downgrade(&self) -> WeakStatusLists {
        WeakStatusLists(Arc::downgrade(&self.0))
    }

    /// The entry that a token refers to, or the rejection of the token.
    pub(crate) fn refer(
        &self,
        claims: &LocatedClaims<'_, '_>,
        issuer: &Arc<str>,
        now: Now,
    ) -> Result<StatusReference, Rejection> {
        let status = match claims.claims.get("status") {
            None if self.0.is_required => return Err(Rejection::MissingClaim { name: "status".into() }),
            None => return Ok(StatusReference::NONE),
            Some(status) => status,
        };
        let (uri, index) = self.read(status).ok_or_else(|| Rejection::InvalidClaim {
            claim: "status".parse().expect("a name"),
            expected: "a status_list with an idx and with a uri that the issuer is configured to have",
            issuer: issuer.clone(),
        })?;
        match self.0.lists.load().by_uri.get(uri) {
            Some(list) => Ok(StatusReference { list: *list, index }),
            None => Err(self.missing(uri, issuer, now)),
        }
    }

    fn read<'s>(&self, status: Value<'_, 's>) -> Option<(&'s str, u32)> {
        let list = status.as_object()?.get("status_list")?.as_object()?;
        let uri = list.get("uri")?.as_str()?;
        let index = match list.get("idx")? {
            Value::Number(Number::Unsigned(index)) => u32::try_from(index).ok()?,
            _ => return None,
        };
        let is_within = |prefix: &str| if prefix.ends_with('/') { uri.starts_with(prefix) } else { uri == prefix };
        let is_plain = uri.len() <= MAX_STATUS_LIST_URI_BYTES && uri.bytes().all(|byte| byte.is_ascii_graphic());
        let leaves = ["..", "\\", "#", "%"].iter().any(|part| uri.contains(part));
        (is_plain && !leaves && self.0.prefixes.iter().any(|prefix| is_within(prefix))).then_some((uri, index))
    }

    /// Checks that the status that a token refers to is valid now.
    pub(crate) fn check(&self, reference: StatusReference, issuer: &Arc<str>, now: Now) -> Result<(), Rejection> {
        if reference == StatusReference::NONE {
            return Ok(());
        }
        let lists = self.0.lists.load();
        // An index is never reused.
        let list = &lists.lists[reference.list as usize];
        if now.latest >= list.fresh_until {
            let uri = lists.by_uri.iter().find(|(_, place)| **place == reference.list).map_or("", |(uri, _)| uri);
            return Err(self.missing(uri, issuer, now));
        }
        if !list.is_used.load(Ordering::Relaxed) {
            list.is_used.store(true, Ordering::Relaxed);
        }
        match list.status(reference.index) {
            Some(0) => Ok(()),
            status => Err(Rejection::InvalidStatus { status, issuer: issuer.clone() }),
        }
    }

    #[cold]
    fn missing(&self, uri: &str, issuer: &Arc<str>, now: Now) -> Rejection {
        let list = MissingStatusList { lists: self.clone(), uri: uri.into(), now: now.latest };
        Unavailable::NoStatusList { issuer: issuer.clone(), list }.into()
    }
}

impl StatusList {
    /// `bytes`: the inflated statuses of `bits` bits each, from the least significant bit of each byte on.
    /// `fresh_until`: the time from which the list is outdated, in seconds since the Unix epoch. `None` unless `bits`
    /// is 1, 2, 4 or 8.
    #[must_use]
    pub fn new(bits: u8, bytes: impl Into<Box<[u8]>>, fresh_until: i64) -> Option<Self> {
        let list = || StatusList { bits, bytes: bytes.into(), fresh_until, is_used: AtomicBool::new(false) };
        matches!(bits, 1 | 2 | 4 | 8).then(list)
    }

    /// The time from which the list is outdated, in seconds since the Unix epoch.
    #[must_use]
    pub fn fresh_until(&self) -> i64 {
        self.fresh_until
    }

    /// The status at `index`; `None` past the end.
    #[must_use]
    pub fn status(&self, index: u32) -> Option<u8> {
        let per_byte = 8 / u32::from(self.bits);
        let byte = *self.bytes.get((index / per_byte) as usize)?;
        let shifted = byte >> (index % per_byte * u32::from(self.bits));
        Some(shifted & (u8::MAX >> (8 - self.bits)))
    }
}

impl WeakStatusLists {
    /// The lists, unless they have been dropped.
    #[must_use]
    pub fn upgrade(&self) -> Option<StatusLists> {
        self.0.upgrade().map(StatusLists)
    }
}

/// The list and the entry that a token refers to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct StatusReference {
    list: u32,
    index: u32,
}

impl StatusReference {
    pub(crate) const NONE: Self = StatusReference { list: u32::MAX, index: 0 };
}

impl MissingStatusList {
    /// The URI of the list.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Fetches the list. For callers that can wait.
    ///
    /// # Errors
    /// Why it could not be fetched.
    pub async fn fetch(&self) -> Result<(), Box<str>> {
        self.lists.0.fetcher.fetch(&self.lists, &self.uri, self.now).await
    }
}

impl PartialEq for MissingStatusList {
    fn eq(&self, other: &Self) -> bool {
        self.uri == other.uri
    }
}

impl Eq for MissingStatusList {}

impl fmt::Debug for MissingStatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MissingStatusList").field(&self.uri).finish()
    }
}

impl fmt::Debug for StatusLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusLists").field("prefixes", &self.0.prefixes).finish_non_exhaustive()
    }
}

impl fmt::Debug for WeakStatusLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakStatusLists")
    }
}

impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusList").field("bits", &self.bits).field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}
