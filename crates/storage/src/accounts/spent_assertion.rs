/// A client's assertion that was accepted, and is accepted no second time (RFC 7523 section 3, `jti`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SpentAssertion {
    /// The client whose key has signed it.
    pub client_id: String,
    /// SHA-256 of its `jti`.
    pub digest: [u8; 32],
    /// Not accepted from then on for its age, in seconds since the Unix epoch: the record may be forgotten.
    pub expires_at: i64,
}
