use serde_json::{Map, Value};
use tollgate::ConfirmationMethod;
use tollgate::jwt::base64url;

/// What a client has shown possession of, and the tokens that it gets are bound to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Confirmation {
    /// The thumbprint of the key of its DPoP proof (RFC 9449 section 6.1).
    pub(crate) key: Option<[u8; 32]>,
    /// The SHA-256 of its certificate (RFC 8705 section 3.1).
    pub(crate) certificate: Option<[u8; 32]>,
}

impl Confirmation {
    /// The thumbprint of the key, as `jkt` and `dpop_jkt` have it.
    pub(crate) fn jkt(&self) -> Option<String> {
        self.key.map(base64url::encode)
    }

    pub(crate) fn methods(&self) -> impl Iterator<Item = ConfirmationMethod> {
        let key = self.key.map(ConfirmationMethod::KeyThumbprint);
        key.into_iter().chain(self.certificate.map(ConfirmationMethod::CertificateThumbprint))
    }
}

/// The claim `cnf` (RFC 7800 section 3.1) of a token that is bound.
pub(crate) fn cnf(methods: impl Iterator<Item = ConfirmationMethod>) -> Option<Value> {
    let member =
        |method: ConfirmationMethod| (method.member().to_owned(), base64url::encode(method.thumbprint()).into());
    let members: Map<_, _> = methods.map(member).collect();
    (!members.is_empty()).then_some(members.into())
}

/// The `token_type`: DPoP for a token that is bound to a key (RFC 9449 section 5). A certificate alone leaves it a Bearer token (RFC
/// 8705 section 3).
pub(crate) fn token_type(mut methods: impl Iterator<Item = ConfirmationMethod>) -> &'static str {
    let is_bound_to_key = methods.any(|method| matches!(method, ConfirmationMethod::KeyThumbprint(_)));
    if is_bound_to_key { "DPoP" } else { "Bearer" }
}
