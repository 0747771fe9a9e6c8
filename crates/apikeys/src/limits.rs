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
/// Our own choice: with fewer shards their sizes differ less, so each needs less spare room. One for the model check.
pub const SHARDS_MIN: usize = if cfg!(tollgate_model) { 1 } else { 16 };

/// Shards of a table of which nobody said how many keys it will have; a power of two.
///
/// Our own choice: empty ones take a few memory pages in all; with a million keys one is made anew within milliseconds.
pub const SHARDS_WHEN_UNKNOWN: usize = if cfg!(tollgate_model) { 1 } else { 64 };

/// Most shards of a table; a power of two.
///
/// Our own choice: what a look-up reads of a shard before its slots, 256 times, stays in the first-level cache. Readers
/// take no lock, so that more would help writers alone.
pub const SHARDS_MAX: usize = 256;

/// Keys a shard is meant to hold before there are more shards.
///
/// Our own choice: to make a shard of as many anew takes a writer about a millisecond; readers do not wait.
pub const KEYS_PER_SHARD: usize = 16_384;

/// The most keys that a table makes room for beforehand.
///
/// Our own choice: ten times the largest number of keys that is measured. A table that asks for more memory than there is
/// would end the process at its first key.
pub const CAPACITY_MAX: usize = 100_000_000;

/// Keys that lie in one cache line: pointers to their entries, each with the state of its slot, and their tags.
pub const KEYS_PER_BUCKET: usize = 3;

/// Of how many slots how many are in use in a shard that was made for its keys.
///
/// At 75 in 100 a key is in the first cache line where it is looked for in 83 of 100 cases, and takes 28 bytes there.
pub const LOAD_WHEN_SIZED: (usize, usize) = (65, 100);

/// Above what load, removed keys included, a shard is made anew.
pub const LOAD_WHEN_FULL: (usize, usize) = (90, 100);

/// By what part of its keys the room of a shard that is full grows.
///
/// Our own choice: a table that grows from nothing moves each key twice on average.
pub const GROWTH: (usize, usize) = (1, 2);

/// Above what part of the keys in a shard the removed ones in it are left behind.
///
/// Our own choice: their memory is kept until then, and each that is removed or replaced makes sixteen others move at most.
pub const REMOVED_KEPT: (usize, usize) = (1, 16);

/// Keys whose last use a thread's seat notes before it is drained.
///
/// Our own choice: drained each second, enough for as many different keys a second and thread; it takes some 300 KiB.
pub const LAST_USES_PER_SEAT: usize = 4_096;
