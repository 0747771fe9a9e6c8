//! The verified-token cache: what was found signed once need not be decoded and verified again.
//!
//! It holds facts, not decisions: this text is a token that verified under that key, with these claims. Time, the key's
//! presence and revocation are judged again on every hit, by whoever asks. Only verified tokens enter, so that garbage
//! evicts nothing; failures are not kept. A hit means equal bytes: the whole token is compared.
//!
//! Each thread has a small direct-mapped table of its own ([`front`]), whose entries have reference counts of their own,
//! so that a hit there writes no memory that another thread reads. Behind it is one table for all threads ([`back`]).

mod back;
mod config;
mod front;
mod statistics;

pub use config::CacheConfig;
pub use statistics::CacheStatistics;

pub(crate) use front::Fronts;

use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use back::Back;
use statistics::Statistics;

use crate::sync::RandomState;
use crate::token::Token;

/// The generations under which a token was last found good.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Stamp {
    pub(crate) keys: u64,
    pub(crate) revocations: u64,
}

/// What the engine says of a token that was found in the cache.
pub(crate) enum Judgement<R> {
    /// Good, and under these generations.
    Good(Stamp),
    /// Rejected, by the facts that the cache holds.
    Rejected(R),
    /// The facts do not hold any more: as if it had not been found.
    Gone,
}

/// One engine's cache.
pub(crate) struct Cache {
    /// Tells the threads' tables of this cache from those of others.
    id: u64,
    secret: [u64; 2],
    config: CacheConfig,
    back: Back,
    statistics: Arc<Statistics>,
}

impl Cache {
    pub(crate) fn new(config: CacheConfig) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let random = RandomState::new();
        Cache {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            secret: [random.hash_one(0), random.hash_one(1)],
            back: Back::new(config.bytes),
            config,
            statistics: Arc::default(),
        }
    }

    /// Looks for the token whose whole text is `jws`, and has it judged. One that has been here too long is not found.
    pub(crate) fn find<R>(
        &self,
        fronts: &mut Fronts,
        jws: &[u8],
        now: i64,
        judge: impl Fn(&Token, Stamp) -> Judgement<R>,
    ) -> Option<Result<Arc<Token>, R>> {
        let tag = self.tag(jws)?;
        let oldest = now.saturating_sub(i64::from(self.config.max_token_age));
        let front = fronts.of(self.id, &self.config, &self.statistics);
        let (token, stamp, is_front) = match front.find(tag, jws, oldest) {
            Some((token, stamp)) => (token, stamp, true),
            None => match self.back.find(tag, jws, oldest) {
                Some((token, stamp)) => (token, stamp, false),
                None => {
                    front.count_miss();
                    return None;
                }
            },
        };
        match judge(&token, stamp) {
            Judgement::Good(current) if is_front => {
                front.restamp(tag, current);
                front.count_hit();
                Some(Ok(token))
            }
            Judgement::Good(current) => {
                if current != stamp {
                    self.back.restamp(tag, &token, current);
                }
                front.offer(tag, &token, current);
                front.count_back_hit();
                Some(Ok(token))
            }
            Judgement::Rejected(rejection) => Some(Err(rejection)),
            Judgement::Gone => {
                front.remove(tag);
                self.back.remove(tag);
                front.count_miss();
                None
            }
        }
    }

    /// Keeps a token that has just been verified. `stamp` is from before its verification began.
    pub(crate) fn insert(&self, token: &Arc<Token>, stamp: Stamp) {
        if let Some(tag) = self.tag(token.jws()) {
            self.back.insert(tag, token, stamp);
        }
    }

    pub(crate) fn statistics(&self) -> CacheStatistics {
        self.statistics.sum(self.back.evictions(), self.back.bytes())
    }

    /// Where a token is looked for: a keyed mix of its last bytes, which are the end of its signature and so as good as
    /// random. That two tokens have one tag costs a comparison and no more.
    fn tag(&self, jws: &[u8]) -> Option<u64> {
        let (rest, last) = jws.split_last_chunk::<8>()?;
        let (_, before) = rest.split_last_chunk::<8>()?;
        let [last, before] = [u64::from_le_bytes(*last), u64::from_le_bytes(*before)];
        let product = u128::from(last ^ self.secret[0]) * u128::from(before ^ self.secret[1]);
        Some((product >> 64) as u64 ^ product as u64 | 1)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("config", &self.config).finish_non_exhaustive()
    }
}
