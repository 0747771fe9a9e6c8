use std::collections::HashMap;

use crate::backend::PreparedKey;
use crate::limits::MAX_KEYS_WITH_TABLES;
use crate::thumbprint::Thumbprint;
use crate::verifying_key::VerifyingKey;

/// Gives tables to the first [`MAX_KEYS_WITH_TABLES`] keys that can have them, and removes the tables of the others.
///
/// A key that is used for two algorithms counts once and has one copy of the tables.
pub(crate) fn allot(keys: &mut [VerifyingKey]) {
    let mut allotments: HashMap<Thumbprint, Allotment> = HashMap::new();
    for key in keys.iter().filter(|key| key.prepared().has_tables().is_some()) {
        let is_wanted = allotments.len() < MAX_KEYS_WITH_TABLES;
        let allotment = allotments.entry(*key.thumbprint()).or_insert(Allotment { is_wanted, prepared: None });
        if key.prepared().has_tables() == Some(allotment.is_wanted) {
            allotment.prepared = Some(key.prepared().clone());
        }
    }
    for key in keys {
        if let Some(allotment) = allotments.get_mut(key.thumbprint())
            && key.prepared().has_tables() == Some(!allotment.is_wanted)
        {
            if allotment.prepared.is_none() {
                allotment.prepared = key.prepared().with_tables(allotment.is_wanted);
            }
            if let Some(prepared) = &allotment.prepared {
                *key = key.with_prepared(prepared.clone());
            }
        }
    }
}

/// The decision about one key.
struct Allotment {
    /// Whether the key gets tables.
    is_wanted: bool,
    /// The key in its new form, once prepared.
    prepared: Option<PreparedKey>,
}
