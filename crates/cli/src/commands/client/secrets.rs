//! The secrets of a client: the stored keys of kind `client-secret` whose subject is the client.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::Value;
use tollgate::{KeyKind, KeyState};
use tollgate_storage::{Client, KeyFilter, RedirectUri, StoredKey};

use crate::commands::{Outcome, Unknown};
use crate::error::{CommandError, warn};
use crate::limits::MAX_CLIENT_SECRETS;
use crate::store_options::Store;
use crate::stream::JsonLines;

/// The secrets of `client`, including revoked ones.
pub(super) fn secrets(store: &Store, client_id: &str) -> Result<Vec<StoredKey>, CommandError> {
    let (subject, kind) = (Some(client_id.to_owned()), Some(KeyKind::ClientSecret));
    let filter = KeyFilter { subject, kind, ..KeyFilter::default() };
    store.wait(store.keys(&filter, None, MAX_CLIENT_SECRETS))
}

/// The shown facts of a client.
#[derive(Serialize)]
pub(super) struct Shown<'c> {
    id: &'c str,
    name: Option<&'c str>,
    scopes: Vec<&'c str>,
    user_scopes: Vec<&'c str>,
    r#type: &'static str,
    grants: Vec<&'static str>,
    token_endpoint_auth_method: &'static str,
    operators_own: bool,
    require_pushed_authorization_requests: bool,
    dpop_bound_access_tokens: bool,
    tls_client_certificate_bound_access_tokens: bool,
    jwks: Option<Value>,
    /// Under the name of the client's metadata.
    #[serde(flatten)]
    certificate_subject: Option<BTreeMap<&'static str, &'c str>>,
    redirect_uris: &'c [RedirectUri],
    post_logout_redirect_uris: &'c [RedirectUri],
    backchannel_logout_uri: Option<&'c RedirectUri>,
    /// Seconds since the Unix epoch.
    created_at: i64,
    /// Empty for a client that authenticates otherwise.
    secrets: Vec<Secret<'c>>,
}

#[derive(Serialize)]
struct Secret<'c> {
    id: &'c str,
    state: &'static str,
    expires_at: Option<i64>,
}

impl<'c> Shown<'c> {
    pub(super) fn new(client: &'c Client, secrets: &'c [StoredKey]) -> Self {
        let settings = client.settings();
        let secret = |key: &'c StoredKey| Secret {
            id: key.record.id(),
            state: key.record.state().as_str(),
            expires_at: key.ends_at(),
        };
        Shown {
            id: client.id(),
            name: Some(client.name()).filter(|name| !name.is_empty()),
            scopes: client.scopes().split_ascii_whitespace().collect(),
            user_scopes: settings.user_scopes.split_ascii_whitespace().collect(),
            r#type: settings.kind.as_str(),
            grants: settings.grants.iter().map(|grant| grant.as_str()).collect(),
            token_endpoint_auth_method: settings.auth_method.as_str(),
            operators_own: settings.is_operators_own,
            require_pushed_authorization_requests: settings.requires_pushed_requests,
            dpop_bound_access_tokens: settings.is_dpop_bound,
            tls_client_certificate_bound_access_tokens: settings.is_certificate_bound,
            jwks: settings.jwks.as_ref().and_then(|jwks| serde_json::from_str(jwks.as_str()).ok()),
            certificate_subject: settings
                .certificate_subject
                .as_ref()
                .map(|subject| [(subject.name().as_str(), subject.value())].into()),
            redirect_uris: client.redirect_uris(),
            post_logout_redirect_uris: &settings.post_logout_redirect_uris,
            backchannel_logout_uri: settings.backchannel_logout_uri.as_ref(),
            created_at: client.created_at(),
            // Revoked secrets are shown by `tollgate api-key list`.
            secrets: secrets.iter().filter(|key| key.record.state() != KeyState::Revoked).map(secret).collect(),
        }
    }
}

/// Reports that the client does not exist.
pub(super) fn unknown(id: &str, json: bool, output: &mut JsonLines) -> io::Result<Outcome> {
    if json {
        output.write(&Unknown::new(id, "unknown-client", "is no client of this store"))?;
    } else {
        warn(&format!("{id} is no client of this store"));
    }
    Ok(Outcome::Rejected)
}
