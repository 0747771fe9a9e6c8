/// An authorization request that a client has pushed (RFC 9126).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PushedRequest {
    /// SHA-256 of its `request_uri`.
    pub digest: [u8; 32],
    /// The client that has pushed it, and alone may use it.
    pub client_id: String,
    /// Its parameters, as `application/x-www-form-urlencoded`.
    pub parameters: String,
    /// Not accepted from then on, in seconds since the Unix epoch.
    pub expires_at: i64,
}
