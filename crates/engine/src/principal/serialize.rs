use serde::ser::{Serialize, SerializeStruct, Serializer};

use tollgate_keys::Algorithm;

use super::Principal;

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Only tokens of an issuer have an audience.
        let audience = self.issuer().is_some().then_some(List(|| self.audience()));
        let mut members = serializer.serialize_struct("Principal", 13)?;
        members.serialize_field("kind", self.kind().as_str())?;
        members.serialize_field("issuer", &self.issuer())?;
        members.serialize_field("subject", &self.subject())?;
        members.serialize_field("audience", &audience)?;
        members.serialize_field("scopes", &self.scopes())?;
        members.serialize_field("client_id", &self.client_id())?;
        members.serialize_field("credential_id", &self.credential_id())?;
        members.serialize_field("session_id", &self.session_id())?;
        members.serialize_field("key_id", &self.key_id())?;
        members.serialize_field("algorithm", &self.algorithm().map(Algorithm::name))?;
        members.serialize_field("issued_at", &self.issued_at())?;
        members.serialize_field("not_before", &self.not_before())?;
        members.serialize_field("expires_at", &self.expires_at())?;
        members.end()
    }
}

/// A sequence that is iterated when it is serialised.
struct List<F>(F);

impl<'a, F: Fn() -> I, I: Iterator<Item = &'a str>> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}
