use std::sync::Arc;

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, ORIGIN};
use http::uri::Authority;
use http::{HeaderValue, Method, request};
use tollgate::{
    AcceptedCredentials, Engine, Principal, PublicOrigin, Rejection, Request, RequestLine, Source, Sources,
    TrustedProxies,
};
use tower_layer::Layer;

use crate::client_address::peer;
use crate::decision::Decision;
use crate::error::LayerError;
use crate::origin::public_origin;
use crate::public_paths::PublicPaths;
use crate::resource_metadata::ResourceMetadata;
use crate::response::{EmptyBody, Responder};
use crate::service::{Admit, Guard};
use crate::swappable::{EngineSource, SwappableEngine};

/// Verifies the credential of every request with an [`Engine`].
///
/// The [`Principal`] of a valid credential is put into the request's extensions. Any earlier principal is removed,
/// so that services behind this layer only see this engine's. All other requests are rejected here and do not reach
/// the inner service.
///
/// The credential is the value of the `Authorization` field, or is in one of the other
/// [`sources`](AuthLayer::sources) of the layer. A request with more than one credential is answered with 400 (RFC
/// 6750 section 2): two such fields, or one of them together with `access_token` in the query. A token in the query
/// alone is not accepted as a credential (RFC 6750 section 2.3 warns of it), nor is one in the body, which is not
/// read.
///
/// Fields with credentials are marked [sensitive](http::HeaderValue::set_sensitive), so that `Debug` does not show
/// them.
///
/// Keys with [allowed addresses](tollgate::KeyRecord::allowed_addresses) are accepted only from those. The client's
/// address is that of the connection, axum's `ConnectInfo<SocketAddr>` (feature `axum`) or a
/// [`PeerAddress`](crate::PeerAddress), or the one that [trusted proxies](AuthLayer::trusted_proxies) name. Without
/// an address such keys are rejected: with axum, serve
/// `router.into_make_service_with_connect_info::<SocketAddr>()`.
///
/// The layer of an engine, or of a [swappable one](AuthLayer::swappable), decides immediately: the first tokens
/// under a newly published key are rejected. With the feature `remote`, the layer of a `Verifier`
/// (`AuthLayer::with_verifier`) waits for the key instead.
///
/// CORS preflights have no credential: put the layer that answers them outside this one, or let them
/// [pass](AuthLayer::pass_preflights).
///
/// ```
/// use tollgate::{ApiKeyTable, Engine, KeyFormat};
/// use tollgate_tower::{AuthLayer, JsonBody};
///
/// let engine = Engine::builder().api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live")?)).build()?;
/// let layer = AuthLayer::new(engine)
///     .realm("sites")?
///     .public_paths(["/healthz", "/.well-known/*"])?
///     .api_key_header("x-api-key")?
///     .respond_with(JsonBody)
///     .observe(|decision, request| eprintln!("{}: {decision:?}", request.uri.path()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AuthLayer<A = EmptyBody, V = Arc<Engine>> {
    /// The verifier: an engine or a swappable one, which decide immediately, or a `Verifier`, which may wait.
    pub(crate) verifier: V,
    optional: bool,
    public_paths: PublicPaths,
    passes_preflights: bool,
    sources: Sources,
    accepted: AcceptedCredentials,
    trusted_proxies: TrustedProxies,
    public_origins: Arc<[PublicOrigin]>,
    pub(crate) responder: Responder<A>,
}

impl AuthLayer {
    /// Requires a credential that `engine`, or the engine in that `Arc`, accepts.
    #[must_use]
    pub fn new(engine: impl Into<Arc<Engine>>) -> Self {
        Self::verifying_by(engine.into())
    }
}

impl<V> AuthLayer<EmptyBody, V> {
    pub(crate) fn verifying_by(verifier: V) -> Self {
        AuthLayer {
            verifier,
            optional: false,
            public_paths: PublicPaths::default(),
            passes_preflights: false,
            sources: Sources::default(),
            accepted: AcceptedCredentials::ALL,
            trusted_proxies: TrustedProxies::none(),
            public_origins: Arc::default(),
            responder: Responder::default(),
        }
    }
}

impl<A, V> AuthLayer<A, V> {
    /// Lets a request without a credential pass, without a principal.
    ///
    /// An existing credential must be valid: an invalid one is rejected, and so is an empty `Authorization`
    /// field.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Lets requests for `paths` pass without a principal. Their credentials are not read.
    ///
    /// An entry is a path, as in `/healthz`, or everything below a path, as in `/assets/*`, which matches
    /// `/assets/` and longer, not `/assets`. It applies to every method, or to those listed before it, as in
    /// `GET /docs/*` or `GET,POST /login`; GET includes HEAD.
    ///
    /// The request's path as this layer sees it (a nesting router may have removed a prefix) is compared byte
    /// for byte: letter case and a trailing slash matter, nothing is decoded or normalised. The part after a
    /// public prefix must be unambiguous, so that nobody can reach a protected route through a server that
    /// normalises: with a `.`, `..` or empty segment, `%`, `;` or `\` in it, the path is not public.
    ///
    /// # Errors
    /// [`LayerError::InvalidPublicPath`] if a path does not begin with `/`, contains `?`, `#` or one of the
    /// above, has a `*` other than in a final `/*`, or is `/*`, which would protect nothing; or if a method is
    /// invalid.
    pub fn public_paths<'a>(mut self, paths: impl IntoIterator<Item = &'a str>) -> Result<Self, LayerError> {
        for path in paths {
            self.public_paths.add(path)?;
        }
        Ok(self)
    }

    /// Lets CORS preflights pass, without a principal, to an inner layer that answers them: requests with the
    /// method OPTIONS, an `Origin` and an `Access-Control-Request-Method`. A layer that answers them outside
    /// this one does not need this, and lets pages of other origins read the reason for a rejection.
    #[must_use]
    pub fn pass_preflights(mut self) -> Self {
        self.passes_preflights = true;
        self
    }

    /// Also reads API keys from the field `name`, like [`Engine::verify_api_key`]: a further
    /// [source](Source::api_key_field).
    ///
    /// # Errors
    /// [`LayerError::InvalidHeaderName`] if `name` is not a field name, or is `Authorization`.
    pub fn api_key_header(mut self, name: &str) -> Result<Self, LayerError> {
        let source = Source::api_key_field(name).map_err(|_| LayerError::InvalidHeaderName { name: name.into() })?;
        self.sources = self.sources.and(source);
        Ok(self)
    }

    /// Reads credentials only from `sources`, with the kinds of each source, instead of the Authorization field
    /// and any earlier source. A request with more than one credential is rejected.
    ///
    /// ```
    /// use tollgate::{AcceptedCredentials, ApiKeyTable, Engine, KeyFormat, PrincipalKind, Source, Sources};
    /// use tollgate_tower::AuthLayer;
    ///
    /// let engine = Engine::builder().api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live")?)).build()?;
    /// // `Authorization: Token <key>`, all other schemes of Authorization, and a cookie.
    /// let layer = AuthLayer::new(engine).sources(Sources::new([
    ///     Source::scheme("Token")?.accept(AcceptedCredentials::only([PrincipalKind::ApiKey])),
    ///     Source::authorization(),
    ///     Source::cookie("__Host-session")?,
    /// ]))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LayerError::NothingAccepted`] without a source, or with a source whose kinds the engine does not
    /// accept.
    pub fn sources(self, sources: Sources) -> Result<Self, LayerError>
    where
        V: EngineSource,
    {
        AuthLayer { sources, ..self }.checked()
    }

    /// Accepts only the kinds of credentials in `accepted` that the engine accepts too.
    ///
    /// ```
    /// use tollgate::{AcceptedCredentials, ApiKeyTable, Engine, KeyFormat, PrincipalKind};
    /// use tollgate_tower::AuthLayer;
    ///
    /// let engine = Engine::builder().api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live")?)).build()?;
    /// let keys_alone = AuthLayer::new(engine).accept(AcceptedCredentials::only([PrincipalKind::ApiKey]))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LayerError::NothingAccepted`] if the engine, or a [source](AuthLayer::sources), accepts none of them,
    /// so that every such request would be rejected.
    pub fn accept(self, accepted: AcceptedCredentials) -> Result<Self, LayerError>
    where
        V: EngineSource,
    {
        AuthLayer { accepted, ..self }.checked()
    }

    fn checked(self) -> Result<Self, LayerError>
    where
        V: EngineSource,
    {
        let accepted = self.verifier.with_engine(Engine::accepted).and(self.accepted);
        let is_useless = |source: &Source| accepted.and(source.accepted()).is_empty();
        let takes_nothing = self.sources.iter().next().is_none() || self.sources.iter().any(is_useless);
        if takes_nothing { Err(LayerError::NothingAccepted) } else { Ok(self) }
    }

    /// Trusts `proxies` for their client's address, and for its certificate if they [name
    /// one](TrustedProxies::client_certificate). By default both are those of the connection
    /// ([`PeerAddress`](crate::PeerAddress), [`PeerCertificate`](crate::PeerCertificate)).
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// Sets the origins of this server for its clients, such as `https://api.example.com`. A proof of
    /// possession (DPoP, RFC 9449) is for a request's absolute URI, which consists of one of these and the
    /// path. Without origins no token that is bound to a key is accepted (`uri-required`).
    ///
    /// Of several origins the `Host` field selects one, or the fields of trusted proxies: `X-Forwarded-Host`
    /// and `X-Forwarded-Proto`, or `Forwarded` if the proxies name their client [in
    /// that](TrustedProxies::field). A nesting router must be axum's (feature `axum`), so that the whole path
    /// is known.
    ///
    /// ```
    /// use tollgate::{ApiKeyTable, Engine, KeyFormat};
    /// use tollgate_tower::AuthLayer;
    ///
    /// let engine = Engine::builder().api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live")?)).build()?;
    /// let layer = AuthLayer::new(engine).public_origins(["https://api.example.com"])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LayerError::InvalidOrigin`] if one is not an origin.
    pub fn public_origins<'o>(mut self, origins: impl IntoIterator<Item = &'o str>) -> Result<Self, LayerError> {
        let parse = |text: &str| text.parse().map_err(|_| LayerError::InvalidOrigin { origin: text.into() });
        self.public_origins = origins.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Names `realm` in every challenge (RFC 9110 section 11.5).
    ///
    /// # Errors
    /// [`LayerError::InvalidRealm`] if it is not printable ASCII. Quotes and backslashes are escaped.
    pub fn realm(mut self, realm: &str) -> Result<Self, LayerError> {
        self.responder.set_realm(realm)?;
        Ok(self)
    }

    /// Names the metadata of this protected resource in every challenge (RFC 9728 section 5.1), and lets requests for it pass.
    #[must_use]
    pub fn resource_metadata(mut self, metadata: &ResourceMetadata) -> Self {
        self.responder.set_resource_metadata(metadata.url());
        self.public_paths.add_document(metadata.path());
        self
    }

    /// Answers rejections with `respond`: [`JsonBody`](crate::JsonBody), or a [function](crate::Respond) of
    /// your own, which determines status, fields and body. The default is the [standard
    /// response](crate::Respond) without a body.
    #[must_use]
    pub fn respond_with<T>(self, respond: T) -> AuthLayer<T, V> {
        AuthLayer {
            verifier: self.verifier,
            optional: self.optional,
            public_paths: self.public_paths,
            passes_preflights: self.passes_preflights,
            sources: self.sources,
            accepted: self.accepted,
            trusted_proxies: self.trusted_proxies,
            public_origins: self.public_origins,
            responder: self.responder.with(respond),
        }
    }

    /// Calls `observer` with each [`Decision`] of this layer and the request's head, before the request passes
    /// or is rejected, for logs and metrics.
    ///
    /// The observer cannot change the decision. A panic of the observer unwinds to the caller; the request does
    /// not pass.
    #[must_use]
    pub fn observe(mut self, observer: impl Fn(Decision<'_>, &request::Parts) + Send + Sync + 'static) -> Self {
        self.responder.set_observer(observer);
        self
    }

    /// Rejects nothing: requests that would be rejected pass without a principal, and the observer is
    /// [called](Decision::Tolerated). For a trial, to find out which clients would be rejected.
    #[must_use]
    pub fn danger_report_only(mut self) -> Self {
        self.responder.set_report_only();
        self
    }
}

impl<S, A: Clone> Layer<S> for AuthLayer<A> {
    type Service = Guard<S, Self>;

    fn layer(&self, inner: S) -> Self::Service {
        Guard::new(inner, self)
    }
}

impl<S, A: Clone> Layer<S> for AuthLayer<A, SwappableEngine> {
    type Service = Guard<S, Self>;

    fn layer(&self, inner: S) -> Self::Service {
        Guard::new(inner, self)
    }
}

impl<A, V: EngineSource> Admit for AuthLayer<A, V> {
    type Answer = A;

    fn admit(&self, request: &mut request::Parts) -> Result<Option<HeaderValue>, Rejection> {
        self.decide(request)
    }

    fn responder(&self) -> &Responder<A> {
        &self.responder
    }
}

impl<A, V: EngineSource> AuthLayer<A, V> {
    /// Decides whether the request passes, and adds its principal. Returns the nonce for the response.
    pub(crate) fn decide(&self, request: &mut request::Parts) -> Result<Option<HeaderValue>, Rejection> {
        // An outer layer's principal may be from another engine and another credential.
        request.extensions.remove::<Principal>();
        self.mark_sensitive(request);
        if self.public_paths.contain(&request.method, request.uri.path()) {
            return Ok(None);
        }
        if self.passes_preflights && is_preflight(request) {
            return Ok(None);
        }
        let Some(presented) = self.presented(request)? else {
            return if self.optional { Ok(None) } else { Err(Rejection::MissingCredential) };
        };
        let (principal, nonce) = self.verifier.with_engine(|engine| {
            let principal = engine.verify_request(&presented)?;
            Ok::<_, Rejection>((principal, renewed_nonce(engine, &presented)))
        })?;
        request.extensions.insert(principal);
        Ok(nonce)
    }
}

impl<A, V> AuthLayer<A, V> {
    /// The engine's view of a request; `None` without a credential.
    pub(crate) fn presented<'r>(&'r self, request: &'r request::Parts) -> Result<Option<Request<'r>>, Rejection> {
        let line = RequestLine {
            method: request.method.as_str(),
            authority: request.uri.authority().map(Authority::as_str),
            query: request.uri.query(),
        };
        let fields = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let Some(presented) = self.sources.find(line, fields)? else { return Ok(None) };
        let lines = |name| request.headers.get_all(name).iter().map(HeaderValue::as_bytes);
        let presented = presented.sent_by(peer(&request.extensions), &self.trusted_proxies, lines)?;
        let presented = presented.accept(self.accepted).method(request.method.as_str());
        Ok(Some(match public_origin(&self.public_origins, request, &self.trusted_proxies) {
            Some(origin) => presented.uri_of(origin.as_str(), path(request)),
            None => presented,
        }))
    }

    fn mark_sensitive(&self, request: &mut request::Parts) {
        for (name, value) in &mut request.headers {
            if name == AUTHORIZATION || name == DPOP || self.sources.may_hold(name.as_str()) {
                value.set_sensitive(true);
            }
        }
    }
}

/// A CORS-preflight request, as defined by the Fetch standard.
fn is_preflight(request: &request::Parts) -> bool {
    request.method == Method::OPTIONS
        && request.headers.contains_key(ORIGIN)
        && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// RFC 9449 section 8.2. It is base64url.
pub(crate) fn renewed_nonce(engine: &Engine, accepted: &Request<'_>) -> Option<HeaderValue> {
    engine.renewed_dpop_nonce(accepted).and_then(|nonce| HeaderValue::try_from(&*nonce).ok())
}

/// A proof of possession (RFC 9449 section 4.1).
const DPOP: &str = "dpop";

/// The path that the client sent, even if a router has removed a prefix.
fn path(request: &request::Parts) -> &str {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(uri)) = request.extensions.get() {
        return uri.path();
    }
    request.uri.path()
}
