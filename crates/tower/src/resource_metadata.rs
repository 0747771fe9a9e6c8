use serde_json::{Map, Value};
use tollgate::PublicOrigin;

use crate::error::LayerError;

/// The metadata of a protected resource (RFC 9728): its authorization servers, its scopes and more, for clients
/// that configure themselves.
///
/// [`AuthLayer::resource_metadata`](crate::AuthLayer::resource_metadata) names its URL in challenges. With the
/// feature `axum`, `route` serves it. Another server answers GET at [`path`](Self::path) with
/// [`to_json`](Self::to_json), as `application/json`.
///
/// ```
/// use tollgate_tower::ResourceMetadata;
///
/// let metadata = ResourceMetadata::new("https://api.example.com/v1")?
///     .authorization_servers(["https://auth.example.com/"])
///     .scopes(["read:sites", "write:sites"])
///     .member("resource_name", "The sites of example.com");
/// assert_eq!(metadata.url(), "https://api.example.com/.well-known/oauth-protected-resource/v1");
/// # Ok::<(), tollgate_tower::LayerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResourceMetadata {
    resource: Box<str>,
    url: Box<str>,
    /// The position of the path in `url`.
    path: usize,
    members: Map<String, Value>,
}

impl ResourceMetadata {
    /// The metadata of `resource`, the server's URL for its clients and usually the audience of its tokens. It
    /// states that tokens are accepted only in header fields (`bearer_methods_supported`).
    ///
    /// # Errors
    /// [`LayerError::InvalidResource`] if it is not a URL with `https` (or `http`, for trials on one machine)
    /// and without query and fragment.
    pub fn new(resource: &str) -> Result<Self, LayerError> {
        let invalid = || LayerError::InvalidResource { resource: resource.into() };
        let after_scheme = resource.find("://").ok_or_else(invalid)? + "://".len();
        let end = resource[after_scheme..].find('/').map_or(resource.len(), |slash| after_scheme + slash);
        let (origin, path) = resource.split_at(end);
        let is_path = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&byte));
        if origin.parse::<PublicOrigin>().is_err() || !is_path {
            return Err(invalid());
        }
        // RFC 9728 section 3.1: a slash directly after the host is removed before a path is appended.
        let url = [origin, WELL_KNOWN, if path == "/" { "" } else { path }].concat();
        let members = Map::from_iter([("bearer_methods_supported".to_owned(), vec!["header"].into())]);
        Ok(ResourceMetadata { resource: resource.into(), url: url.into(), path: end, members })
    }

    /// Adds the issuers of its tokens (`authorization_servers`).
    #[must_use]
    pub fn authorization_servers<S: Into<String>>(self, issuers: impl IntoIterator<Item = S>) -> Self {
        self.member("authorization_servers", texts(issuers))
    }

    /// Adds the scopes that clients may request (`scopes_supported`).
    #[must_use]
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.member("scopes_supported", texts(scopes))
    }

    /// Adds another member (RFC 9728 section 2), such as `resource_documentation` or
    /// `dpop_bound_access_tokens_required`. `resource` cannot be changed.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The URL of the metadata.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of [`url`](Self::url).
    #[must_use]
    pub fn path(&self) -> &str {
        &self.url[self.path..]
    }

    /// The document.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut members = self.members.clone();
        members.insert("resource".to_owned(), (*self.resource).into());
        Value::Object(members).to_string()
    }

    /// A router that serves the metadata, to be merged with the service's. Pages of any origin may read it.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use tollgate_tower::ResourceMetadata;
    ///
    /// let metadata = ResourceMetadata::new("https://api.example.com/")?
    ///     .authorization_servers(["https://auth.example.com/"]);
    /// let app: Router = Router::new().route("/sites", get(|| async { "sites" })).merge(metadata.route());
    /// # Ok::<(), tollgate_tower::LayerError>(())
    /// ```
    #[cfg(feature = "axum")]
    pub fn route<S: Clone + Send + Sync + 'static>(&self) -> axum::Router<S> {
        use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
        let document = self.to_json();
        let answer = move || {
            let fields = [(CONTENT_TYPE, "application/json"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
            std::future::ready((fields, document.clone()))
        };
        axum::Router::new().route(self.path(), axum::routing::get(answer))
    }
}

/// RFC 9728 section 3.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

fn texts<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}
