use tollgate_jwt::CertificateNames;

use crate::key_uses::SIGNATURE;

/// A key's purpose according to one JWK.
///
/// A key that occurs several times in a set, under the same `kid`, has the distinct purposes of all its occurrences.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct KeyPurpose {
    pub(crate) key_use: Option<Box<str>>,
    pub(crate) issuer: Option<Box<str>>,
    /// Further names of the key, besides its `kid`.
    pub(crate) certificate: CertificateNames<Box<str>>,
}

impl KeyPurpose {
    /// `use` (RFC 7517 section 4.2).
    #[must_use]
    pub fn key_use(&self) -> Option<&str> {
        self.key_use.as_deref()
    }

    /// `issuer`, which no RFC defines: the issuer whose tokens the key signs. Microsoft Entra's common key set has it.
    /// The value is a full name, or a template such as `https://login.microsoftonline.com/{tenantid}/v2.0`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether the purpose is narrower than all tokens that the key's owner signs.
    pub(crate) fn is_special(&self) -> bool {
        self.issuer.is_some() || self.key_use.as_deref().is_some_and(|key_use| key_use != SIGNATURE)
    }
}
