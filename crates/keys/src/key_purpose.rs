use tollgate_jwt::CertificateNames;

use crate::key_uses::SIGNATURE;

/// What one JWK says that its key is for.
///
/// A key that is in a set several times, as the same key under the same `kid`, has one of each.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct KeyPurpose {
    pub(crate) key_use: Option<Box<str>>,
    pub(crate) issuer: Option<Box<str>>,
    /// Further names of the key, beside its `kid`.
    pub(crate) certificate: CertificateNames<Box<str>>,
}

impl KeyPurpose {
    /// `use` (RFC 7517 section 4.2).
    #[must_use]
    pub fn key_use(&self) -> Option<&str> {
        self.key_use.as_deref()
    }

    /// `issuer`, which no RFC has: the one whose tokens the key signs, as Microsoft Entra's common key set says it. It is a full
    /// name, or a template such as `https://login.microsoftonline.com/{tenantid}/v2.0`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether it is for less than every token that the key's owner signs.
    pub(crate) fn is_special(&self) -> bool {
        self.issuer.is_some() || self.key_use.as_deref().is_some_and(|key_use| key_use != SIGNATURE)
    }
}
