//! A token's first segment, encoded once per key.

use std::borrow::Cow;

use base64_simd::URL_SAFE_NO_PAD;
use tollgate_keys::Algorithm;

/// The default `typ` of a token (RFC 7519 section 5.1).
pub(crate) const JWT: &str = "JWT";
/// The `typ` of an RFC 9068 access token (section 2.1).
pub(crate) const ACCESS_TOKEN: &str = "at+jwt";

/// A key's encoded headers for the two common types.
pub(crate) struct HeaderSegments {
    jwt: String,
    access_token: String,
}

impl HeaderSegments {
    pub(crate) fn new(algorithm: Algorithm, kid: &str) -> Self {
        Self { jwt: encode(algorithm, kid, JWT), access_token: encode(algorithm, kid, ACCESS_TOKEN) }
    }

    /// The segment for `typ`. Encodes it now if `typ` is not one of the two.
    pub(crate) fn segment(&self, algorithm: Algorithm, kid: &str, typ: &str) -> Cow<'_, str> {
        match typ {
            JWT => Cow::Borrowed(&self.jwt),
            ACCESS_TOKEN => Cow::Borrowed(&self.access_token),
            _ => Cow::Owned(encode(algorithm, kid, typ)),
        }
    }
}

fn encode(algorithm: Algorithm, kid: &str, typ: &str) -> String {
    let header = format!(
        "{{\"typ\":{},\"alg\":\"{}\",\"kid\":{}}}",
        serde_json::Value::from(typ),
        algorithm.name(),
        serde_json::Value::from(kid),
    );
    URL_SAFE_NO_PAD.encode_to_string(header)
}
