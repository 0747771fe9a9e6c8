//! Every limit of this crate, with the origin of its value. Those of the crates below are in their `limits`.

/// Longest value of an Authorization header that is looked at, in bytes; [`EngineBuilder::max_header_bytes`]
/// changes it.
///
/// The largest header line that nginx (`large_client_header_buffers 4 8k`) and Apache
/// (`LimitRequestFieldSize 8190`) pass on by default.
///
/// [`EngineBuilder::max_header_bytes`]: crate::EngineBuilder::max_header_bytes
pub const DEFAULT_MAX_HEADER_BYTES: usize = 8 * 1024;

/// The most that [`EngineBuilder::max_header_bytes`](crate::EngineBuilder::max_header_bytes) takes, in bytes:
/// what hyper and Node.js accept for all headers together is well below.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Clock skew that is forgiven at `exp` and `nbf`, in seconds; [`Issuer::leeway`](crate::Issuer::leeway)
/// changes it. RFC 7519 section 4.1.4: "usually no more than a few minutes".
pub const DEFAULT_LEEWAY: u32 = 60;

/// The most that [`Issuer::leeway`](crate::Issuer::leeway) takes, in seconds.
pub const MAX_LEEWAY: u32 = 300;
