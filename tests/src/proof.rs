use serde_json::{Map, Value, json};
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;
use tollgate_keys::sha256;

use crate::draft::Draft;
use crate::fixture::NOW;

/// A DPoP proof under construction (RFC 9449 section 4.2), valid until it is changed.
#[derive(Clone)]
pub struct ProofDraft {
    /// The members of the header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl ProofDraft {
    /// A proof by `key` for a request with `token`, made at [`NOW`].
    ///
    /// # Panics
    /// If the key is symmetric.
    #[must_use]
    pub fn new(key: &SigningKey, method: &str, uri: &str, token: &str) -> Self {
        let jwk: Value = serde_json::from_str(&key.public_jwk().expect("a public key")).expect("JSON");
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        ProofDraft {
            header: object(json!({ "typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": jwk })),
            claims: object(json!({
                "jti": "proof-1", "htm": method, "htu": uri, "iat": NOW, "ath": base64url::encode(sha256(token.as_bytes())),
            })),
        }
    }

    /// Sets a header member.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Sets a claim, or removes it if `value` is null.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        match value.into() {
            Value::Null => drop(self.claims.remove(name)),
            value => drop(self.claims.insert(name.to_owned(), value)),
        }
        self
    }

    /// The proof, signed by `key`, whatever its header says.
    ///
    /// # Panics
    /// If the key cannot sign. Every test key can.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let part = |members: &Map<String, Value>| base64url::encode(Value::Object(members.clone()).to_string());
        let signing_input = format!("{}.{}", part(&self.header), part(&self.claims));
        let signature = key.sign(signing_input.as_bytes()).expect("a test key signs");
        format!("{signing_input}.{}", base64url::encode(signature))
    }
}

impl Draft {
    /// Binds the token to `key` (RFC 9449 section 6.1).
    #[must_use]
    pub fn bound_to(self, key: &SigningKey) -> Self {
        self.claim("cnf", json!({ "jkt": base64url::encode(key.verifying_key().thumbprint()) }))
    }
}
