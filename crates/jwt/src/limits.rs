//! Every limit of this crate, with the origin of its value.

/// Longest accepted token, in bytes.
///
/// The largest header line that nginx (`large_client_header_buffers 4 8k`) and Apache (`LimitRequestFieldSize 8190`)
/// pass on by default. An ML-DSA-87 token with ordinary claims takes about 7 KiB and fits.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Deepest nesting of arrays and objects in a JSON document, the outermost object counted.
///
/// A header needs 3 (`jwk` inside the header, `x5c` inside that); RFC 9396 authorization details and the
/// nested role claims of common identity providers need 5.
pub const MAX_JSON_NESTING: usize = 16;

/// Most members in one JSON object.
///
/// The IANA registry lists about 110 claims; no profile uses more than 30 in one token. 256 leaves room for generated
/// role maps and keeps the check for duplicates short. [`ClaimLimits`](crate::ClaimLimits) changes the limit for
/// payloads.
pub const MAX_JSON_MEMBERS: usize = 256;

/// Most strings in an `aud`, `scope` or `scp` array; [`ClaimLimits`](crate::ClaimLimits) changes it.
///
/// Each entry is compared with the values that the verifier expects; most tokens have 1 to 20.
pub const MAX_LIST_ENTRIES: usize = 128;

/// Most claims found in one pass: [`ClaimNames`](crate::ClaimNames).
///
/// Their positions are on the stack, four bytes each. The configurations of common identity providers name under ten.
pub const MAX_CLAIM_NAMES: usize = 64;

/// Most bytes of a token's text that an error shows, escaped.
///
/// Our own choice: the names of issuers and keys in public use take under 130 bytes. With the longest sentence around
/// the excerpt, a message has at most 256 characters.
pub const MAX_EXCERPT_BYTES: usize = 160;
