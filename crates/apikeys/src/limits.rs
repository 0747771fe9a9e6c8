//! Every limit of this crate, with its origin.

/// Shortest prefix or environment label, in bytes.
///
/// Our own choice: one letter is enough to read; none would leave `__` in a key.
pub const LABEL_MIN_BYTES: usize = 1;

/// Longest prefix or environment label, in bytes.
///
/// Our own choice: with both at the maximum a key has 84 characters, which fits every header and database column
/// that holds a bearer token.
pub const LABEL_MAX_BYTES: usize = 16;

/// Random bits in a native key.
///
/// The size of the digest: a digest cannot tell more bits apart, and fewer would need a justification.
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
/// Our own choice: above every key format in public use, and short enough that one lookup costs under ten blocks of
/// SHA-256.
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

/// Shards of a table that was given no capacity; a power of two.
///
/// Our own choice: empty shards take a few memory pages in all. With a million keys, rebuilding one takes milliseconds.
pub const SHARDS_WHEN_UNKNOWN: usize = if cfg!(tollgate_model) { 1 } else { 64 };

/// Most shards of a table; a power of two.
///
/// Our own choice: a lookup reads some bytes of a shard before its slots, and 256 times those bytes stay in the
/// first-level cache. Readers take no lock, so more shards would help writers alone.
pub const SHARDS_MAX: usize = 256;

/// Keys per shard above which a table gets more shards.
///
/// Our own choice: rebuilding a shard of this size takes a writer about a millisecond; readers do not wait.
pub const KEYS_PER_SHARD: usize = 16_384;

/// The greatest capacity that a table reserves.
///
/// Our own choice: ten times the largest number of keys that is measured. A table that reserves more memory than there
/// is would end the process at its first key.
pub const CAPACITY_MAX: usize = 100_000_000;

/// Keys in one cache line: the pointers to their entries with the states of the slots, and their tags.
pub const KEYS_PER_BUCKET: usize = 3;

/// Share of a shard's slots in use when the shard holds the keys it was sized for.
///
/// At 65 in 100, a key is in the first cache line searched in 88 of 100 cases, and takes 33 bytes in the slots.
pub const LOAD_WHEN_SIZED: (usize, usize) = (65, 100);

/// Share of slots in use, removed keys included, above which a shard is rebuilt.
pub const LOAD_WHEN_FULL: (usize, usize) = (90, 100);

/// Growth of a full shard's room, as a share of its keys.
///
/// Our own choice: a table that grows from empty moves each key twice on average.
pub const GROWTH: (usize, usize) = (1, 2);

/// Removed keys in a shard, as a share of its keys, above which the shard is rebuilt without them.
///
/// Our own choice: their memory is kept until then. Each removal or replacement moves at most sixteen other keys.
pub const REMOVED_KEPT: (usize, usize) = (1, 16);

/// Keys whose last use one thread's slot notes between two drains.
///
/// Our own choice: drained every second, enough for as many different keys per second and thread. A slot takes some 300
/// KiB.
pub const LAST_USES_PER_SEAT: usize = 4_096;
