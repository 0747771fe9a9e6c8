//! Every limit and default of this crate, with where its value comes from.

/// The lifetime of a token whose maker names none, in seconds: one hour.
///
/// The `expires_in` of RFC 6749 section 5.1's example, and the upper end of what RFC 9068 deployments use.
pub const DEFAULT_LIFETIME_SECONDS: i64 = 3_600;

/// How long a key stays published after it stopped signing, in seconds: twenty-five hours.
///
/// A token of one day, the longest that the reference service hands out, signed the moment before the rotation, with an
/// hour for the leeway of verifiers (at most 300 s) and for clocks that differ.
pub const DEFAULT_OVERLAP_SECONDS: i64 = 90_000;

/// The latest time that a claim may carry, in seconds since the Unix epoch: 2^53 - 1.
///
/// The largest integer that every JSON implementation reads exactly (RFC 8259 section 6).
pub const MAX_TIME_SECONDS: i64 = (1 << 53) - 1;

/// Random bytes in a `jti` that the minter makes: 128 bits.
///
/// RFC 7519 section 4.1.7 asks for a negligible probability of collision; at 128 bits that holds for 2^48 tokens with
/// 2^-33.
pub const JTI_BYTES: usize = 16;

/// The longest `kid` that a signing key may carry, in bytes.
///
/// It travels in every token; a SHA-512 thumbprint in hexadecimal is 128 bytes, twice that leaves room for a path-like
/// name.
pub const MAX_KID_BYTES: usize = 256;

/// The longest private JWK, private JWKS entry or PKCS#8 document that is read, in bytes.
///
/// ring signs with RSA keys up to 4096 bits, whose private JWK is about 3.2 KiB and whose PEM is about 3.3 KiB.
pub const MAX_PRIVATE_KEY_BYTES: usize = 16 * 1024;

/// The most keys that one rotation publishes: the signer, the announced one and the retired ones.
///
/// A rotation a day with [`DEFAULT_OVERLAP_SECONDS`] keeps four; sixteen leaves room and keeps the published JWKS under
/// 8 KiB.
pub const MAX_PUBLISHED_KEYS: usize = 16;

/// The modulus of a generated RSA key, in bits.
///
/// RFC 7518 section 3.3 asks for at least 2048; the verifier's cost grows with the square of the length.
pub const GENERATED_RSA_BITS: usize = 2_048;
