//! A token before it is signed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::key::Key;
use crate::members::{Members, quoted};
use crate::policy::{AUDIENCE, ISSUER, NOW};

/// A valid token, of which every part can be changed.
#[derive(Clone)]
pub(crate) struct Draft {
    header: Members,
    claims: Members,
    header_text: Option<Vec<u8>>,
    payload: Option<Vec<u8>>,
}

impl Draft {
    pub(crate) fn new(key: &Key) -> Self {
        let header = Members::default().set("alg", quoted(key.algorithm.name)).set("kid", quoted(&key.kid));
        let claims = Members::default()
            .set("iss", quoted(ISSUER))
            .set("sub", quoted("user-1"))
            .set("aud", quoted(AUDIENCE))
            .set("exp", (NOW + 600).to_string());
        Self::of(header, claims)
    }

    /// With these members of the header and of the payload.
    pub(crate) fn of(header: Members, claims: Members) -> Self {
        Draft { header, claims, header_text: None, payload: None }
    }

    /// Sets a header member to this raw JSON.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.header = self.header.set(name, value);
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header = self.header.without(name);
        self
    }

    /// Sets a claim to this raw JSON.
    pub(crate) fn claim(mut self, name: &str, value: impl Into<String>) -> Self {
        self.claims = self.claims.set(name, value);
        self
    }

    pub(crate) fn without_claim(mut self, name: &str) -> Self {
        self.claims = self.claims.without(name);
        self
    }

    /// Replaces the header's whole text.
    pub(crate) fn header_text(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.header_text = Some(text.into());
        self
    }

    /// Replaces the payload.
    pub(crate) fn payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.payload = Some(payload.into());
        self
    }

    pub(crate) fn header_json(&self) -> String {
        self.header.to_string()
    }

    pub(crate) fn claims_json(&self) -> String {
        self.claims.to_string()
    }

    /// The payload's bytes.
    pub(crate) fn payload_bytes(&self) -> Vec<u8> {
        self.payload.clone().unwrap_or_else(|| self.claims_json().into_bytes())
    }

    /// Header and payload, encoded and joined.
    pub(crate) fn signing_input(&self) -> String {
        let header = self.header_text.clone().unwrap_or_else(|| self.header_json().into_bytes());
        format!("{}.{}", base64url(header), base64url(self.payload_bytes()))
    }

    /// The token, signed by `key`, whatever its header names.
    pub(crate) fn sign(&self, key: &Key) -> String {
        sign(&self.signing_input(), key)
    }

    /// The token with `signature`.
    pub(crate) fn with_signature(&self, signature: impl AsRef<[u8]>) -> String {
        format!("{}.{}", self.signing_input(), base64url(signature))
    }
}

/// `signing_input` and its signature.
pub(crate) fn sign(signing_input: &str, key: &Key) -> String {
    format!("{signing_input}.{}", base64url(key.sign(signing_input.as_bytes())))
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}
