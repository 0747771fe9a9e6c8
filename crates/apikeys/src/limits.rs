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
/// Our own choice: 64 lock words fit in the first-level cache, and a writer meets a given reader once in 64 times.
pub const SHARDS_MIN: usize = 64;

/// Most shards of a table; a power of two.
///
/// Our own choice: 1,024 lock words of 128 bytes each stay in the second-level cache.
pub const SHARDS_MAX: usize = 1_024;

/// Keys a shard is meant to hold before there are more shards.
///
/// Measured: a shard of this size moves to twice its room in under a millisecond, the longest a reader of it can wait.
pub const KEYS_PER_SHARD: usize = 16_384;
