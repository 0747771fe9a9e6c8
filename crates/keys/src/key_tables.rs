use std::collections::HashMap;

use crate::backend::PreparedKey;
use crate::limits::MAX_KEYS_WITH_TABLES;
use crate::thumbprint::Thumbprint;
use crate::verifying_key::VerifyingKey;

/// Gives all keys that can have tables theirs; or takes them away where there are more than [`MAX_KEYS_WITH_TABLES`].
///
/// One key that is there for two algorithms counts once and has one copy.
pub(crate) fn allot(keys: &mut [VerifyingKey]) {
    let mut prepared: HashMap<Thumbprint, Option<PreparedKey>> = HashMap::new();
    for key in keys.iter().filter(|key| key.prepared().has_tables().is_some()) {
        prepared.entry(*key.thumbprint()).or_default();
    }
    let wanted = prepared.len() <= MAX_KEYS_WITH_TABLES;
    for key in keys.iter().filter(|key| key.prepared().has_tables() == Some(wanted)) {
        prepared.insert(*key.thumbprint(), Some(key.prepared().clone()));
    }
    for key in keys.iter_mut().filter(|key| key.prepared().has_tables() == Some(!wanted)) {
        let prepared = prepared.entry(*key.thumbprint()).or_default();
        if prepared.is_none() {
            *prepared = key.prepared().with_tables(wanted);
        }
        if let Some(prepared) = prepared {
            *key = key.with_prepared(prepared.clone());
        }
    }
}
