//! ID tokens (OpenID Connect Core 1.0 section 2): made for clients, and recognised when a client sends one back as a hint.

use crate::app::App;
use crate::problem::Problem;
use crate::tokens::Minted;
use serde::Deserialize;
use serde_json::json;
use tollgate::jwt::base64url;
use zeroize::Zeroizing;

/// What an ID token tells a client.
pub(crate) struct IdToken<'a> {
    /// The client, its only audience.
    pub(crate) client_id: &'a str,
    pub(crate) user_id: &'a str,
    /// The login session.
    pub(crate) session_id: &'a str,
    /// When the user last gave the password before the grant, in seconds since the Unix epoch.
    pub(crate) authenticated_at: i64,
    /// The `nonce` of the authentication request; `None` where it had none, and in an ID token for a refresh token (section 12.2).
    pub(crate) nonce: Option<&'a str>,
}

impl App {
    /// The ID token beside that access token, which ends when it does. `now`: seconds since the Unix epoch.
    ///
    /// Its `typ` is JWT and its audience the client: no server takes it for an access token, since no client's id is a URI.
    pub(crate) fn id_token(
        &self,
        id_token: &IdToken<'_>,
        access: &Minted,
        now: i64,
    ) -> Result<Zeroizing<String>, Problem> {
        let IdToken { client_id, user_id, session_id, authenticated_at, nonce } = *id_token;
        let mut builder = self
            .tokens
            .builder()
            .subject(user_id)
            .audience(client_id)
            .lifetime(access.expires_at.saturating_sub(now))
            .claim("auth_time", authenticated_at.into())
            .claim("acr", ACR.into())
            .claim("amr", json!(AMR))
            .claim("at_hash", at_hash(&access.token).into())
            .claim("sid", session_id.into());
        if let Some(nonce) = nonce {
            builder = builder.claim("nonce", nonce.into());
        }
        Ok(Zeroizing::new(builder.mint_at(now)?))
    }
}

/// The left half of the access token's hash, SHA-256 as in the algorithm of the ID token (section 3.1.3.6).
fn at_hash(access_token: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, access_token.as_bytes());
    base64url::encode(&digest.as_ref()[..digest.as_ref().len() / 2])
}

/// Whom a verified ID token of this service is about.
pub(crate) struct Hint {
    pub(crate) user_id: String,
    pub(crate) session_id: String,
    pub(crate) client_id: String,
}

/// What an `id_token_hint` says, if it is an ID token of this service under a key that is still published. It may have expired (section
/// 3.1.2.1): it names a user, and proves nothing of a login.
pub(crate) fn verified_hint(app: &App, token: &str) -> Option<Hint> {
    // As of the time at which it was issued. The text is not trusted for more than that: what it says is read once it is verified.
    let issued_at = token.split('.').nth(1).and_then(issued_at)?;
    let principal = app.hints.verify_at(format!("Bearer {token}"), issued_at).ok()?;
    let client_id = principal.claim::<String>("aud").ok()??;
    let (user_id, session_id) = (principal.subject()?.to_owned(), principal.session_id()?.to_owned());
    // A session token has the service itself as its audience, and no `at_hash`.
    let is_id_token = client_id != app.origin && principal.claim::<String>("at_hash").ok()?.is_some();
    is_id_token.then_some(Hint { user_id, session_id, client_id })
}

fn issued_at(payload: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Times {
        iat: i64,
    }
    let mut json = Vec::new();
    base64url::decode(payload, &mut json).ok()?;
    serde_json::from_slice::<Times>(&json).ok().map(|times| times.iat)
}

/// The only way to log in, with the password (`acr`). A name of this project's own: none that is registered (RFC 6711) means a password alone.
pub(crate) const ACR: &str = "urn:tollgate:acr:password";

/// RFC 8176 section 2.
const AMR: [&str; 1] = ["pwd"];
