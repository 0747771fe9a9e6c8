//! How much of everything there may be.

/// The longest value of an identity field, in bytes. What proxies and servers take in all is 8 KiB and more (nginx:
/// `large_client_header_buffers`), and a principal's scopes alone may be as long as its token.
pub const MAX_IDENTITY_BYTES: usize = 4096;
