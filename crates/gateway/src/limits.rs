//! How much of everything there may be.

/// The longest value of an identity field, in bytes. What proxies and servers take in all is 8 KiB and more (nginx:
/// `large_client_header_buffers`), and a principal's scopes alone may be as long as its token.
pub const MAX_IDENTITY_BYTES: usize = 4096;

/// The lifetime of an internal token that is given none, in seconds. A request takes less, and a server behind that waits for one more may
/// verify it again.
pub const DEFAULT_INTERNAL_TOKEN_SECONDS: i64 = 60;

/// The longest lifetime of an internal token, in seconds. Nobody revokes one: what is revoked counts at the gateway, at the next request.
pub const MAX_INTERNAL_TOKEN_SECONDS: i64 = 300;
