use std::collections::HashMap;
use std::sync::Arc;

use super::named_issuers::NamedIssuers;
use crate::sync::RandomState;

/// The number of shards. A change copies one shard and the list of all: with 10,000 names about 160 entries and 64
/// pointers.
const SHARDS: usize = 64;

type Shard = HashMap<Arc<str>, Arc<NamedIssuers>, RandomState>;

/// The issuers with full names. Clones share the unchanged shards.
#[derive(Clone, Debug)]
pub(super) struct NameTable {
    shards: Vec<Arc<Shard>>,
    length: usize,
}

impl Default for NameTable {
    fn default() -> Self {
        NameTable { shards: vec![Arc::default(); SHARDS], length: 0 }
    }
}

impl NameTable {
    #[inline]
    pub(super) fn find(&self, name: &str) -> Option<&Arc<NamedIssuers>> {
        self.shards[shard(name)].get(name)
    }

    /// Replaces issuers with the same name, or adds these.
    pub(super) fn insert(&mut self, named: Arc<NamedIssuers>) {
        let shard = Arc::make_mut(&mut self.shards[shard(&named.name)]);
        self.length += usize::from(shard.insert(named.name.clone(), named).is_none());
    }

    /// Returns whether there were any.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let is_there = self.find(name).is_some();
        if is_there {
            Arc::make_mut(&mut self.shards[shard(name)]).remove(name);
            self.length -= 1;
        }
        is_there
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<NamedIssuers>> {
        self.shards.iter().flat_map(|shard| shard.values())
    }
}

/// Need not resist chosen names: the operator chooses them, and each shard is a hash table of its own.
fn shard(name: &str) -> usize {
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let sum = words.iter().fold(0, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte))) as usize % SHARDS
}
