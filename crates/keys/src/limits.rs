//! Every limit of this crate, with the origin of its value.

/// Largest key file or key set document that is parsed, in bytes.
///
/// The largest public JWKS in use (Microsoft's common endpoint, about 20 keys with their certificates) takes about
/// 40 KiB; 1 MiB holds [`MAX_KEYS`] ordinary keys.
pub const MAX_KEY_FILE_BYTES: usize = 1024 * 1024;

/// Most keys in one set.
///
/// Identity providers publish 1 to 20. A set with one key per tenant fits. The limit keeps the time to vet a hostile
/// document under a second.
pub const MAX_KEYS: usize = 1024;

/// Most keys in one set that get tables (features `ed25519-tables` and `ecdsa-tables`): the first ones that were added.
///
/// A key's tables take 55 KiB (Ed25519), 145 KiB (P-256) or 330 KiB (P-384), so the tables of one set stay below 21
/// MiB. Identity providers publish 1 to 20 keys. A set above this limit has one key per tenant, and its tables would
/// not stay in a processor's caches.
pub const MAX_KEYS_WITH_TABLES: usize = 64;

/// Longest `kid`, in bytes.
///
/// RFC 7517 section 4.5 sets no limit. A certificate's distinguished name, the longest kind in use, stays below.
pub const MAX_KEY_ID_BYTES: usize = 1024;

/// Most keys that one token without a matching `kid` is tried against.
///
/// A rotation publishes two keys of one algorithm, a hasty one three. A higher limit would let a sender of garbage
/// choose how many signatures are checked.
pub const MAX_KEYS_TRIED_WITHOUT_KID: usize = 4;

/// Smallest RSA modulus, in bits (RFC 7518 section 3.3: "A key of size 2048 bits or larger MUST be used").
pub const MIN_RSA_MODULUS_BITS: usize = 2048;

/// Largest RSA modulus, in bits.
///
/// The limit of ring and aws-lc-rs. A check under such a key takes 0.36 ms with ring and 0.26 ms with aws-lc-rs. Under
/// the slowest key that is accepted, with the exponent 2^33 - 1, a check takes 1.15 ms and 0.68 ms.
pub const MAX_RSA_MODULUS_BITS: usize = 8192;

/// Largest RSA public exponent, in bits.
///
/// 65537 has 17. ring accepts up to 33, for the sake of Windows CryptoAPI's 2^32 + 1; a longer exponent makes a check
/// slow.
pub const MAX_RSA_EXPONENT_BITS: usize = 33;

/// Longest HMAC secret, in bytes.
///
/// A secret longer than a block of the hash (64 or 128 bytes) is hashed first (RFC 2104 section 2) and gains nothing.
pub const MAX_HMAC_SECRET_BYTES: usize = 4096;

/// Most refused keys that the message of a [`NoUsableKey`](crate::NoUsableKey) names, so that it fits one line of a
/// log.
pub const MAX_REFUSED_KEYS_SHOWN: usize = 4;
