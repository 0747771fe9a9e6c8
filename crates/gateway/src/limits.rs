//! Every limit of this crate, with the origin of its value.

/// The longest value of an identity field, in bytes. Proxies and servers accept headers of at least 8 KiB in all (nginx:
/// `large_client_header_buffers`), and a principal's scopes alone may be as long as its token.
pub const MAX_IDENTITY_BYTES: usize = 4096;

/// The default lifetime of an internal token, in seconds. A request takes less, and a server behind the gateway that waits
/// for another one may verify the token again.
pub const DEFAULT_INTERNAL_TOKEN_SECONDS: i64 = 60;

/// The longest lifetime of an internal token, in seconds. Internal tokens cannot be revoked: a revocation takes effect at the
/// gateway, at the next request.
pub const MAX_INTERNAL_TOKEN_SECONDS: i64 = 300;
