use serde_json::{Map, Value, json};
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;

use crate::fixture::{AUDIENCE, ISSUER, NOW};

/// A token under construction, valid until it is changed. Everything about it can be changed.
#[derive(Clone)]
pub struct Draft {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    header_text: Option<String>,
    payload_text: Option<Vec<u8>>,
}

impl Draft {
    /// A token under `key` that an engine of [`fixture::issuer`](crate::issuer) accepts at [`NOW`].
    #[must_use]
    pub fn new(key: &SigningKey) -> Self {
        let header = json!({ "alg": key.algorithm().name(), "kid": key.kid(), "typ": "JWT" });
        let claims = json!({
            "iss": ISSUER, "sub": "user-1", "aud": AUDIENCE, "exp": NOW + 600, "iat": NOW, "jti": "token-1",
            "client_id": "client-1", "scope": "read:sites write:sites",
        });
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        Draft { header: object(header), claims: object(claims), header_text: None, payload_text: None }
    }

    /// Sets a header member.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a header member.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Sets a claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a claim.
    #[must_use]
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Replaces the header's whole text.
    #[must_use]
    pub fn header_text(mut self, text: impl Into<String>) -> Self {
        self.header_text = Some(text.into());
        self
    }

    /// Replaces the payload's whole text.
    #[must_use]
    pub fn payload_text(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.payload_text = Some(text.into());
        self
    }

    /// The claims as JSON text, for changes that [`Value`] cannot express.
    #[must_use]
    pub fn claims_json(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// The header as JSON text, for changes that [`Value`] cannot express.
    #[must_use]
    pub fn header_json(&self) -> String {
        Value::Object(self.header.clone()).to_string()
    }

    /// Header and payload, encoded and joined.
    #[must_use]
    pub fn signing_input(&self) -> String {
        let header = self.header_text.clone().unwrap_or_else(|| self.header_json());
        let payload = self.payload_text.clone().unwrap_or_else(|| self.claims_json().into_bytes());
        format!("{}.{}", base64url::encode(header), base64url::encode(payload))
    }

    /// The token, signed by `key`, whatever its header says.
    ///
    /// # Panics
    /// If the key cannot sign. Every test key can.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let signing_input = self.signing_input();
        let signature = key.sign(signing_input.as_bytes()).expect("a test key signs");
        format!("{signing_input}.{}", base64url::encode(signature))
    }

    /// The token with `signature` as its signature.
    #[must_use]
    pub fn with_signature(&self, signature: impl AsRef<[u8]>) -> String {
        format!("{}.{}", self.signing_input(), base64url::encode(signature.as_ref()))
    }
}
