//! The rest of a token's request, for sender-constrained tokens.

use serde_json::Value;

use crate::members::{Members, quoted};

/// The request around a token. A case without one is sent as `Bearer`, with nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SentWith {
    /// The authentication scheme: `DPoP` or `Bearer`.
    pub scheme: String,
    /// The request's method.
    pub method: String,
    /// Its URI, absolute.
    pub uri: String,
    /// The values of its DPoP fields (RFC 9449 section 4.1), in order.
    pub proofs: Vec<String>,
    /// The SHA-256 of the client certificate's DER.
    pub certificate: Option<[u8; 32]>,
}

impl SentWith {
    pub(crate) fn to_json(&self) -> String {
        let proofs: Vec<String> = self.proofs.iter().map(|proof| quoted(proof)).collect();
        let members = Members::default()
            .set("scheme", quoted(&self.scheme))
            .set("method", quoted(&self.method))
            .set("uri", quoted(&self.uri))
            .set("dpop", format!("[{}]", proofs.join(",")));
        match &self.certificate {
            Some(digest) => members.set("certificate_sha256", quoted(&hex(digest))),
            None => members,
        }
        .to_string()
    }

    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let text = |value: &Value| Some(value.as_str()?.to_owned());
        Some(SentWith {
            scheme: text(&value["scheme"])?,
            method: text(&value["method"])?,
            uri: text(&value["uri"])?,
            proofs: value["dpop"].as_array()?.iter().map(text).collect::<Option<_>>()?,
            certificate: match value.get("certificate_sha256") {
                None => None,
                Some(digest) => Some(from_hex(digest.as_str()?)?),
            },
        })
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes().chunks(2).map(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
    digits.collect::<Option<Vec<_>>>()?.try_into().ok()
}
