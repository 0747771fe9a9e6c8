use crate::error::Refusal;
use crate::limits::{MAX_CLIENT_KEYS, MAX_CLIENT_KEYS_BYTES};
use serde::{Deserialize, Serialize};
use tollgate::keys::KeySource;
use tollgate::{Algorithm, KeySet};

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

    /// The keys, ready to verify. An RSA key without `alg` admits RS256 and PS256.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), which has made the same checks.
    pub fn key_set(&self) -> Result<KeySet, Refusal> {
        const REFUSED: Refusal = Refusal::Field { field: "jwks" };
        if self.0.len() > MAX_CLIENT_KEYS_BYTES {
            return Err(REFUSED);
        }
        let builder = KeySet::builder().source(KeySource::Remote).algorithms(&[Algorithm::RS256, Algorithm::PS256]);
        let loaded = builder.jwks(self.0.as_bytes()).map_err(|_| REFUSED)?.build_with_reports();
        let is_whole = loaded.reports.iter().all(|report| report.refused.is_none());
        let is_good = is_whole && (1..=MAX_CLIENT_KEYS).contains(&loaded.reports.len());
        if is_good { Ok(loaded.set) } else { Err(REFUSED) }
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
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
