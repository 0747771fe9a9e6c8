//! The verified-token cache: a token that was verified once need not be decoded and verified again.
//!
//! The cache holds facts, not decisions: this text is a token that verified under this key, with these claims. The
//! engine checks time, the key's presence and revocation again on every hit. Only verified tokens are inserted, so
//! garbage evicts nothing. Failures are not cached. A hit compares the whole token.
//!
//! Each thread has a small direct-mapped table for each engine ([`front`]). Its entries have reference counts of their
//! own, so a hit there writes no memory that another thread reads. Behind it is one table shared by all threads
//! ([`back`]).

mod back;
mod config;
mod front;
mod registry;
mod statistics;

pub use config::CacheConfig;
pub use statistics::CacheStatistics;

pub(crate) use front::Fronts;
pub(crate) use registry::dropped;

use std::fmt;
use std::hash::BuildHasher;

use back::Back;
use registry::Registration;
use statistics::Statistics;

use crate::introspection::TokenDigest;
use crate::sync::RandomState;
use crate::token::Token;

/// The engine's judgement of a token that was found in the cache.
pub(crate) enum Judgement<R> {
    Good,
    /// Rejected on the cached facts.
    Rejected(R),
    /// The cached facts no longer hold: treated as a miss.
    Gone,
}

/// One engine's cache.
pub(crate) struct Cache {
    registration: Registration,
    secret: [u64; 2],
    config: CacheConfig,
    back: Back,
    statistics: Statistics,
}

impl Cache {
    pub(crate) fn new(config: CacheConfig) -> Self {
        let random = RandomState::new();
        Cache {
            registration: Registration::new(),
            secret: [random.hash_one(0), random.hash_one(1)],
            back: Back::new(config.bytes),
            config,
            statistics: Statistics::default(),
        }
    }

    /// Looks up the token whose whole text is `jws`, and judges it. A token older than the maximum age is a miss.
    pub(crate) fn find<R>(
        &self,
        fronts: &mut Fronts,
        jws: &[u8],
        now: i64,
        judge: impl Fn(&Token) -> Judgement<R>,
    ) -> Option<Result<Token, R>> {
        self.find_tagged(fronts, Tag::of(jws, self.secret)?, now, |token| token.jws() == jws, judge)
    }

    /// Looks up the token with this tag for which `is` holds, and judges it. A token older than the maximum age is a
    /// miss.
    #[inline]
    pub(crate) fn find_tagged<R>(
        &self,
        fronts: &mut Fronts,
        tag: Tag,
        now: i64,
        is: impl Fn(&Token) -> bool,
        judge: impl Fn(&Token) -> Judgement<R>,
    ) -> Option<Result<Token, R>> {
        let front = fronts.of(self);
        let is_it = |token: &Token| is(token) && self.is_young(token, now);
        let (token, is_front) = match front.find(tag, is_it) {
            Some(token) => (token, true),
            None => match self.back.find(tag, is_it) {
                Some(token) => (token, false),
                None => {
                    front.count_miss();
                    return None;
                }
            },
        };
        match judge(&token) {
            Judgement::Good if is_front => {
                front.count_hit();
                Some(Ok(token))
            }
            Judgement::Good => {
                front.offer(tag, &token);
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

    /// [`find`](Self::find) in the shared table only: this thread's entry is stale.
    #[cold]
    pub(crate) fn find_shared<R>(
        &self,
        fronts: &mut Fronts,
        jws: &[u8],
        now: i64,
        judge: impl Fn(&Token) -> Judgement<R>,
    ) -> Option<Result<Token, R>> {
        let tag = Tag::of(jws, self.secret)?;
        fronts.of(self).remove(tag);
        self.find_tagged(fronts, tag, now, |token| token.jws() == jws, judge)
    }

    /// Inserts a token that has just been verified.
    pub(crate) fn insert(&self, jws: &[u8], token: &Token) {
        if let Some(tag) = Tag::of(jws, self.secret) {
            self.back.insert(tag, token);
        }
    }

    /// Inserts a token that was not found by this tag.
    pub(crate) fn insert_tagged(&self, tag: Tag, token: &Token) {
        self.back.insert(tag, token);
    }

    pub(crate) fn statistics(&self) -> CacheStatistics {
        self.statistics.sum(self.back.evictions(), self.back.bytes())
    }

    /// Whether the token was verified at most the maximum age ago. A time of verification in the future was read from a
    /// clock that has been corrected since.
    #[inline]
    fn is_young(&self, token: &Token, now: i64) -> bool {
        (0..=i64::from(self.config.max_token_age)).contains(&now.saturating_sub(token.times().verified_at))
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The hash of a token for the tables: a keyed mix of its last bytes, the end of its signature, which are as good as
/// random. Tokens with one tag only displace each other, since a hit compares the whole token.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tag(u64);

impl Tag {
    fn of(jws: &[u8], secret: [u64; 2]) -> Option<Self> {
        let (rest, last) = jws.split_last_chunk::<8>()?;
        let (_, before) = rest.split_last_chunk::<8>()?;
        let [last, before] = [u64::from_le_bytes(*last), u64::from_le_bytes(*before)];
        let product = u128::from(last ^ secret[0]) * u128::from(before ^ secret[1]);
        Some(Tag((product >> 64) as u64 ^ product as u64))
    }

    /// The first bytes of a digest, which are as good as random.
    pub(crate) fn of_digest(digest: &TokenDigest) -> Self {
        let (first, _) = digest.as_bytes().split_first_chunk::<8>().expect("a digest is longer");
        Tag(u64::from_le_bytes(*first))
    }

    /// An index below `count`, which is at most 2^32, as good as random.
    fn index(self, count: usize) -> usize {
        (((self.0 >> 32) * count as u64) >> 32) as usize
    }
}
