//! Every bound of this crate, with where its value comes from.

/// Shortest prefix or environment label, in bytes.
///
/// Our own choice: one letter is enough to read, none would leave `__` in a key.
pub const LABEL_MIN_BYTES: usize = 1;

/// Longest prefix or environment label, in bytes.
///
/// Our own choice: with both at the maximum a key has 84 characters, which fits every header and database column
/// that holds a bearer token.
pub const LABEL_MAX_BYTES: usize = 16;

/// Random bits in a native key.
///
/// The size of the digest: more could not be told apart, less would be a choice to defend.
pub const KEY_ENTROPY_BITS: usize = 256;

/// Base62 characters that hold 256 bits: the least `n` with `62^n >= 2^256`.
pub const BODY_CHARACTERS: usize = 43;

/// Base62 characters that hold a CRC-32: the least `n` with `62^n >= 2^32`.
pub const CHECKSUM_CHARACTERS: usize = 6;

/// Shortest foreign key, in bytes.
///
/// 128 bits if every byte is random: nothing shorter can be a secret that is looked up without a user name.
pub const FOREIGN_MIN_BYTES: usize = 16;

/// Longest foreign key, in bytes.
///
/// Our own choice: above every key format in public use, and short enough that one lookup costs under ten blocks of SHA-256.
pub const FOREIGN_MAX_BYTES: usize = 512;

/// Least estimated entropy of a foreign key that is taken without `danger`, in bits.
///
/// NIST SP 800-63B section 5.1.2.2: look-up secrets of at least 112 bits may be stored under a fast hash.
pub const FOREIGN_MIN_ESTIMATED_BITS: u32 = 112;

/// Shortest pepper, in bytes.
///
/// RFC 2104 section 3: a key shorter than the hash's output weakens HMAC.
pub const PEPPER_MIN_BYTES: usize = 32;

/// Fewest shards of a table; a power of two.
///
/// Our own choice: the fewer, the more alike they fill, and the less room has to be left in each.
pub const SHARDS_MIN: usize = 16;

/// Shards of a table of which nobody said how many keys it will have; a power of two.
///
/// Our own choice: empty ones take a few memory pages in all; with a million keys one is moved within a millisecond.
pub const SHARDS_WHEN_UNKNOWN: usize = 64;

/// Most shards of a table; a power of two.
///
/// Our own choice: what a look-up reads of a shard before its slots, 256 times, stays in the first-level cache. Readers
/// take no lock, so that more would help writers alone.
pub const SHARDS_MAX: usize = 256;

/// Keys a shard is meant to hold before there are more shards.
///
/// Our own choice: to move as many to a larger shard takes a writer well under a millisecond; readers do not wait.
pub const KEYS_PER_SHARD: usize = 16_384;

/// Of how many slots how many are in use in a shard that was made for its keys.
///
/// Measured: at 85 in 100 a key that is there is found in the first four slots in 8 of 10 cases, and a key takes 77 bytes.
pub const LOAD_WHEN_SIZED: (usize, usize) = (85, 100);

/// Above what load a shard moves to a larger array.
pub const LOAD_WHEN_FULL: (usize, usize) = (90, 100);

/// By what part of its keys the room of a shard grows.
pub const GROWTH: (usize, usize) = (1, 4);

/// Slots behind the last home of a shard.
///
/// How far a key lies from its home is distributed as the queue of a server with that load: more than 64 has a
/// probability under 10^-6 at the highest load, and if it comes to that, the shard grows.
pub const SLOTS_BEHIND: usize = 64;

/// Slots that a look-up reads at once.
pub const SLOTS_READ_AT_ONCE: usize = 4;

/// Keys of which the memory is fetched together where many are inserted.
///
/// Our own choice: more than the ten or so accesses that a processor waits for at once, few enough to stay in its
/// first-level cache.
pub const KEYS_FETCHED_AT_ONCE: usize = 32;

/// Keys whose last use a thread's seat notes before it is drained.
///
/// Our own choice: drained each second, enough for as many different keys a second and thread; it takes some 300 KiB.
pub const LAST_USES_PER_SEAT: usize = 4_096;
