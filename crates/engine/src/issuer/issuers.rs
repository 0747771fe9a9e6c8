use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::Issuer;
use super::issuer_set::IssuerSet;
use super::named_issuers::{ConfiguredIssuer, NamedIssuers};
use crate::builder::BuildError;
use crate::sync::{ArcSwap, AtomicU64, Guard, Mutex};

/// The configured issuers, which can change while the engine runs, like the keys of a
/// [`KeyRing`](tollgate_keys::KeyRing).
///
/// Readers never wait: they see a whole set, the old or the new one.
pub(crate) struct Issuers {
    current: ArcSwap<IssuerSet>,
    /// A copy of the current set's generation, for readers that need nothing else.
    generation: AtomicU64,
    /// Held by writers, so that each changes the latest published set.
    writer: Mutex<()>,
}

impl Issuers {
    pub(crate) fn new(configured: Vec<Issuer>) -> Result<Self, BuildError> {
        let mut set = IssuerSet::default();
        set.insert(by_name(configured)?)?;
        let generation = AtomicU64::new(set.generation());
        Ok(Issuers { current: ArcSwap::new(Arc::new(set)), generation, writer: Mutex::new(()) })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.load().is_empty()
    }

    /// The current set. Hold it for one verification, not longer.
    pub(crate) fn load(&self) -> Guard<Arc<IssuerSet>> {
        self.current.load()
    }

    /// The number of changes so far. Much cheaper than a load.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The generation of the current set, if a token with this `iss`, which `issuer` has verified, would be checked by
    /// the same issuer now.
    #[cold]
    pub(crate) fn confirm(&self, issuer: &Arc<ConfiguredIssuer>, iss: Option<&str>) -> Option<u64> {
        let set = self.load();
        set.still_has(issuer, iss).then(|| set.generation())
    }

    pub(crate) fn add(&self, issuer: Issuer) -> Result<(), BuildError> {
        self.change(|set| {
            let name = issuer.settings().issuer();
            if set.has(name) {
                return Err(BuildError::IssuerExists { issuer: name.into() });
            }
            set.insert([NamedIssuers::new(name, std::slice::from_ref(&issuer))?])
        })
    }

    pub(crate) fn replace(&self, issuers: Vec<Issuer>) -> Result<(), BuildError> {
        let named = by_name(issuers)?;
        self.change(|set| set.insert(named))
    }

    pub(crate) fn remove(&self, name: &str) -> bool {
        self.change(|set| if set.remove(name) { Ok(()) } else { Err(()) }).is_ok()
    }

    /// Publishes a changed copy of the current set. An error changes nothing.
    fn change<E>(&self, change: impl FnOnce(&mut IssuerSet) -> Result<(), E>) -> Result<(), E> {
        // A panic under the lock leaves no half-changed set, since the set is replaced as a whole.
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut set = IssuerSet::clone(&self.current.load());
        change(&mut set)?;
        let generation = set.generation();
        self.current.store(Arc::new(set));
        // After the set, so that a reader of the new generation also sees the new set.
        self.generation.store(generation, Ordering::Release);
        Ok(())
    }
}

/// Groups the issuers by name, in the order of first appearance.
fn by_name(issuers: Vec<Issuer>) -> Result<Vec<NamedIssuers>, BuildError> {
    let (mut groups, mut indexes) = (Vec::<(String, Vec<Issuer>)>::new(), HashMap::<String, usize>::new());
    for issuer in issuers {
        let name = issuer.settings().issuer().to_owned();
        let index = *indexes.entry(name.clone()).or_insert(groups.len());
        if index == groups.len() {
            groups.push((name, Vec::new()));
        }
        groups[index].1.push(issuer);
    }
    groups.iter().map(|(name, issuers)| NamedIssuers::new(name, issuers)).collect()
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load().fmt(f)
    }
}
