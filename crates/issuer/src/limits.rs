//! Every limit and default of this crate, with its origin.

/// The default lifetime of a token, in seconds: one hour.
///
/// The `expires_in` of RFC 6749 section 5.1's example, and the upper end of what RFC 9068 deployments use.
pub const DEFAULT_LIFETIME_SECONDS: i64 = 3_600;

/// How long a key stays published after it has stopped signing, in seconds: twenty-five hours.
///
/// Covers a token of one day, the longest that the reference service issues, signed just before the rotation. The extra
/// hour covers the leeway of verifiers (at most 300 s) and clock differences.
pub const DEFAULT_OVERLAP_SECONDS: i64 = 90_000;

/// The latest time in a claim, in seconds since the Unix epoch: 2^53 - 1.
///
/// The largest integer that every JSON implementation reads exactly (RFC 8259 section 6).
pub const MAX_TIME_SECONDS: i64 = (1 << 53) - 1;

/// Random bytes in a generated `jti`: 128 bits.
///
/// RFC 7519 section 4.1.7 requires a negligible probability of collision. With 128 bits it is 2^-33 for 2^48 tokens.
pub const JTI_BYTES: usize = 16;

/// The longest `kid` of a signing key, in bytes.
///
/// Every token contains the `kid`. A SHA-512 thumbprint in hexadecimal is 128 bytes; twice that leaves room for a
/// path-like name.
pub const MAX_KID_BYTES: usize = 256;

/// The longest private JWK, private JWKS entry or PKCS#8 document that is parsed, in bytes.
///
/// ring signs with RSA keys up to 4096 bits, whose private JWK is about 3.2 KiB and whose PEM is about 3.3 KiB.
pub const MAX_PRIVATE_KEY_BYTES: usize = 16 * 1024;

/// The most keys that one rotation publishes: the signing, the announced and the retired ones.
///
/// One rotation per day with [`DEFAULT_OVERLAP_SECONDS`] keeps four keys. Sixteen leaves room and keeps the published
/// JWKS under 8 KiB.
pub const MAX_PUBLISHED_KEYS: usize = 16;

/// The modulus of a generated RSA key, in bits.
///
/// RFC 7518 section 3.3 requires at least 2048; the verifier's cost grows with the square of the length.
pub const GENERATED_RSA_BITS: usize = 2_048;
