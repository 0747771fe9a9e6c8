/// The `jti` of an assertion (RFC 7523 section 3) or of a DPoP proof (RFC 9449 section 11.1) that was accepted, and is accepted
/// no second time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SpentJti {
    /// Whose it is, and whose share of the records it takes: the client, or the key of a client that anybody can be.
    pub owner: String,
    /// The SHA-256 of what is unique among those of the owner.
    pub digest: [u8; 32],
    /// Not accepted from then on for its age, in seconds since the Unix epoch: the record may be forgotten.
    pub expires_at: i64,
}
