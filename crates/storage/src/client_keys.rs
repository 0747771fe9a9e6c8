use crate::error::Refusal;
use crate::limits::{MAX_CLIENT_KEYS, MAX_CLIENT_KEYS_BYTES};
use base64_simd::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tollgate::jwt::base64url;
use tollgate::keys::{KeySource, Loaded, PublicKey, sha256};
use tollgate::{Algorithm, KeySet};
use x509_cert::der::pem;

/// The public keys of a client: its `jwks` (RFC 7591 section 2), a JWK set (RFC 7517 section 5).
///
/// Every key of the set is usable for signatures: `tollgate-keys` has vetted each. A set with a private or a
/// symmetric key is refused, because its registration would reveal the client's secret.
///
/// ```
/// use tollgate_storage::ClientKeys;
///
/// let key = r#"{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// assert!(!ClientKeys::new(format!(r#"{{"keys":[{key}]}}"#))?.key_set()?.is_empty());
/// assert!(ClientKeys::new(r#"{"keys":[]}"#).is_err());
/// assert!(ClientKeys::new(r#"{"keys":[{"kty":"oct","alg":"HS256","k":"c2VjcmV0"}]}"#).is_err());
/// # Ok::<(), tollgate_storage::Refusal>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientKeys(String);

impl ClientKeys {
    /// The keys of a JWK set, given as JSON text of at most [`MAX_CLIENT_KEYS_BYTES`].
    ///
    /// # Errors
    /// [`Refusal::Field`] of `jwks` if the text is not a JWK set, has no key or more than [`MAX_CLIENT_KEYS`],
    /// or an unusable key.
    pub fn new(jwks: impl Into<String>) -> Result<Self, Refusal> {
        let keys = Self(jwks.into());
        keys.key_set()?;
        Ok(keys)
    }

    /// The keys of the certificates in a PEM text (RFC 7468), each with its certificate (`x5c`).
    ///
    /// # Errors
    /// [`Refusal::Field`] of `jwks` if something else is in it, or the set is one that [`new`](Self::new) refuses.
    pub fn of_certificates(pem: &str) -> Result<Self, Refusal> {
        let keys: Vec<Value> = pem
            .split_inclusive(END)
            .filter(|block| !block.trim().is_empty())
            .map(jwk_of)
            .collect::<Option<_>>()
            .ok_or(REFUSED)?;
        Self::new(json!({ "keys": keys }).to_string())
    }

    /// The keys, ready to verify. An RSA key without `alg` admits RS256 and PS256.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), which has made the same checks.
    pub fn key_set(&self) -> Result<KeySet, Refusal> {
        self.load().map(|loaded| loaded.set)
    }

    /// The SHA-256 of the certificate of each key: of the first in its `x5c` (RFC 7517 section 4.7), or its `x5t#S256`.
    ///
    /// # Errors
    /// [`Refusal::Field`] of `jwks` if a key has neither, if they contradict each other, or if the certificate is not of
    /// that key.
    pub fn certificates(&self) -> Result<Vec<[u8; 32]>, Refusal> {
        let jwks: Value = serde_json::from_str(&self.0).map_err(|_| REFUSED)?;
        let jwks = jwks["keys"].as_array().ok_or(REFUSED)?;
        let reports = self.load()?.reports;
        let digests = jwks.iter().zip(reports).map(|(jwk, report)| certificate(jwk, report.thumbprint?));
        digests.collect::<Option<_>>().ok_or(REFUSED)
    }

    fn load(&self) -> Result<Loaded, Refusal> {
        if self.0.len() > MAX_CLIENT_KEYS_BYTES {
            return Err(REFUSED);
        }
        let builder = KeySet::builder().source(KeySource::Remote).algorithms(&[Algorithm::RS256, Algorithm::PS256]);
        let loaded = builder.jwks(self.0.as_bytes()).map_err(|_| REFUSED)?.build_with_reports();
        let is_whole = loaded.reports.iter().all(|report| report.refused.is_none());
        let is_good = is_whole && (1..=MAX_CLIENT_KEYS).contains(&loaded.reports.len());
        if is_good { Ok(loaded) } else { Err(REFUSED) }
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const REFUSED: Refusal = Refusal::Field { field: "jwks" };

const END: &str = "-----END CERTIFICATE-----";

/// The JWK of the key of a certificate, with the certificate.
fn jwk_of(block: &str) -> Option<Value> {
    let (label, certificate) = pem::decode_vec(block.trim().as_bytes()).ok()?;
    let key = PublicKey::from_certificate(&certificate).ok().filter(|_| label == "CERTIFICATE")?;
    let mut jwk: Value = serde_json::from_str(key.to_jwk()).ok()?;
    jwk["x5c"] = json!([STANDARD.encode_to_string(certificate)]);
    Some(jwk)
}

/// The SHA-256 of the certificate of a JWK with that thumbprint.
fn certificate(jwk: &Value, thumbprint: [u8; 32]) -> Option<[u8; 32]> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let named = match &jwk["x5t#S256"] {
        Value::Null => None,
        digest => {
            let mut bytes = [0; 32];
            base64url::decode_exactly(&text(digest)?, &mut bytes).ok()?;
            Some(bytes)
        }
    };
    let contained = match &jwk["x5c"] {
        Value::Null => None,
        chain => {
            let certificate = STANDARD.decode_to_vec(text(chain.get(0)?)?).ok()?;
            PublicKey::from_certificate(&certificate).ok().filter(|key| *key.thumbprint() == thumbprint)?;
            Some(sha256(&certificate))
        }
    };
    match (named, contained) {
        (Some(named), Some(contained)) if named != contained => None,
        (named, contained) => contained.or(named),
    }
}

impl TryFrom<String> for ClientKeys {
    type Error = Refusal;

    fn try_from(jwks: String) -> Result<Self, Refusal> {
        Self::new(jwks)
    }
}

impl From<ClientKeys> for String {
    fn from(keys: ClientKeys) -> Self {
        keys.0
    }
}
