use std::str;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64_simd::STANDARD;
use http::HeaderValue;
use serde_json::json;
use tokio::task;
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;
use zeroize::Zeroizing;

use crate::error::FetchError;
use crate::headers::HeaderSource;
use crate::limits::CLIENT_ASSERTION_AGE;

/// How this resource server authenticates at the endpoint.
#[derive(Clone)]
pub(super) enum Authentication {
    /// `client_secret_basic` (RFC 6749 section 2.3.1). The id is form-encoded.
    Basic { id: String, secret: HeaderSource },
    /// `private_key_jwt` (RFC 7523 section 2.2).
    PrivateKeyJwt { id: String, key: Arc<SigningKey>, audience: String },
    /// The connection's certificate (`tls_client_auth` and `self_signed_tls_client_auth`, RFC 8705 section 2). The id
    /// is form-encoded.
    Certificate { id: String },
}

/// The authentication in one request.
#[derive(Default)]
pub(super) struct Proof {
    /// The value of the Authorization field.
    pub(super) authorization: Option<HeaderValue>,
    /// The text to append to the form.
    pub(super) form: Zeroizing<String>,
}

impl Authentication {
    pub(super) fn basic(id: &str, secret: HeaderSource) -> Self {
        Authentication::Basic { id: form_encoded(id.as_bytes()).to_string(), secret }
    }

    pub(super) fn by_certificate(id: &str) -> Self {
        Authentication::Certificate { id: form_encoded(id.as_bytes()).to_string() }
    }

    pub(super) async fn prove(&self) -> Result<Proof, FetchError> {
        match self {
            Authentication::Basic { id, secret } => {
                let authorization = Some(basic(id, &read(secret).await?)?);
                Ok(Proof { authorization, ..Proof::default() })
            }
            Authentication::PrivateKeyJwt { id, key, audience } => {
                let assertion = assertion(id, key, audience).ok_or(FetchError::Interrupted)?;
                let form = ["&client_assertion_type=", ASSERTION_TYPE, "&client_assertion=", &assertion].concat();
                Ok(Proof { form: Zeroizing::new(form), ..Proof::default() })
            }
            Authentication::Certificate { id } => {
                Ok(Proof { form: Zeroizing::new(["&client_id=", id].concat()), ..Proof::default() })
            }
        }
    }
}

/// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, form-encoded.
const ASSERTION_TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

async fn read(secret: &HeaderSource) -> Result<Zeroizing<String>, FetchError> {
    match secret {
        HeaderSource::Value(secret) => Ok(secret.clone()),
        file => {
            let file = file.clone();
            task::spawn_blocking(move || file.read()).await.unwrap_or(Err(FetchError::Interrupted))
        }
    }
}

/// Form-encodes both before joining them.
fn basic(id: &str, secret: &str) -> Result<HeaderValue, FetchError> {
    let secret = form_encoded(secret.as_bytes());
    let joined = Zeroizing::new([id.as_bytes(), b":", secret.as_bytes()].concat());
    let encoded = Zeroizing::new(STANDARD.encode_to_string(&*joined));
    let value = Zeroizing::new(["Basic ", &encoded].concat());
    // Cannot fail: base64 is valid in a header.
    let mut value = HeaderValue::from_str(&value).map_err(|_| FetchError::Interrupted)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Signs a JWT that authenticates this client in one request (RFC 7523 section 3). None if the key cannot sign.
fn assertion(id: &str, key: &SigningKey, audience: &str) -> Option<Zeroizing<String>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let header = json!({ "alg": key.algorithm().name(), "kid": key.kid(), "typ": "JWT" });
    // Not a secret: the id only has to be different in every assertion.
    let jti = format!("{:032x}", fastrand::u128(..));
    let claims = json!({
        "iss": id, "sub": id, "aud": audience, "jti": jti, "iat": now, "exp": now + CLIENT_ASSERTION_AGE,
    });
    let input = [header, claims].map(|part| base64url::encode(part.to_string())).join(".");
    let signature = key.sign(input.as_bytes()).ok()?;
    Some(Zeroizing::new([&input, ".", &base64url::encode(signature)].concat()))
}

/// `application/x-www-form-urlencoded` (RFC 6749 appendix B).
pub(super) fn form_encoded(bytes: &[u8]) -> Zeroizing<String> {
    // Allocated at full size: reallocation would leave an unwiped copy.
    let mut encoded = Zeroizing::new(String::with_capacity(3 * bytes.len()));
    encoded.extend(form_urlencoded::byte_serialize(bytes));
    encoded
}
