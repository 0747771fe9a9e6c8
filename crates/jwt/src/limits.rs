//! Every limit of this crate, with the origin of its value.

/// Longest token that is looked at, in bytes.
///
/// The largest header line that nginx (`large_client_header_buffers 4 8k`) and Apache
/// (`LimitRequestFieldSize 8190`) pass on by default. An ML-DSA-87 token of ordinary claims takes
/// about 7 KiB and fits.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Deepest nesting of arrays and objects in a JSON document, the outermost object counted.
///
/// A header needs 3 (`jwk` inside the header, `x5c` inside that); RFC 9396 authorization details and the
/// nested role claims of common identity providers need 5.
pub const MAX_JSON_NESTING: usize = 16;

/// Most members in one JSON object.
///
/// The IANA registry lists about 110 claims; no profile uses more than 30 in one token. 256 leaves room for
/// generated role maps and keeps the check for duplicates short.
pub const MAX_JSON_MEMBERS: usize = 256;

/// Most strings in an `aud` or `scp` array.
///
/// Every one of them is compared with what the verifier expects; tokens seen in practice carry 1 to 20.
pub const MAX_LIST_ENTRIES: usize = 128;
