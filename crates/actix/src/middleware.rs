use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::HeaderValue;
use actix_web::http::uri::Authority;
use actix_web::{Error, HttpMessage};
use tollgate::{
    Engine, Peer, PeerCertificate, Principal, PublicOrigin, Rejection, Request, RequestLine, Sources, TrustedProxies,
};
#[cfg(feature = "remote")]
use tollgate_remote::Verifier;

use crate::future::Answer;
use crate::rejected::Rejected;

/// Verifies the credential of every request by an [`Engine`]: a middleware, for [`App::wrap`](actix_web::App::wrap) or that of a scope.
///
/// A good credential leaves its [`Principal`] in the request's extensions, in the place of any that was there. Everything else is answered here with the status
/// and the challenge of the [`Rejection`], and the inner service does not see it. The [`Rejected`] is among the extensions of the
/// response, for middlewares that log.
///
/// The credential stands in Authorization, unless [`sources`](Self::sources) says otherwise. The client's address is that of the
/// connection, or the one that [trusted proxies](Self::trusted_proxies) name. So is its certificate, for tokens that are bound to one (RFC 8705): that of the
/// connection is the [`PeerCertificate`] that [`HttpServer::on_connect`](actix_web::HttpServer::on_connect) has put into the connection's data.
///
/// Clones are the same middleware.
#[derive(Clone)]
pub struct Auth {
    verifier: Decider,
    settings: Arc<Settings>,
}

#[cfg(feature = "remote")]
type Decider = Verifier;
#[cfg(not(feature = "remote"))]
type Decider = Arc<Engine>;

#[derive(Clone, Debug)]
struct Settings {
    #[cfg(feature = "remote")]
    waits: bool,
    optional: bool,
    realm: Option<Box<str>>,
    sources: Sources,
    trusted_proxies: TrustedProxies,
    public_origin: Option<PublicOrigin>,
}

impl Auth {
    /// Every request needs a credential that `engine`, or the engine in that `Arc`, accepts.
    #[must_use]
    pub fn new(engine: impl Into<Arc<Engine>>) -> Self {
        let engine = engine.into();
        #[cfg(feature = "remote")]
        let engine = Verifier::new(engine);
        Self::verifying_by(engine)
    }

    /// Every request needs a credential that `verifier` accepts. It waits, for a bounded time, where the verifier does: for keys that an
    /// issuer has just published, say. All else is decided at once.
    #[cfg(feature = "remote")]
    #[must_use]
    pub fn with_verifier(verifier: impl Into<Verifier>) -> Self {
        Self::verifying_by(verifier.into()).set(|settings| settings.waits = true)
    }

    fn verifying_by(verifier: Decider) -> Self {
        let settings = Settings {
            #[cfg(feature = "remote")]
            waits: false,
            optional: false,
            realm: None,
            sources: Sources::default(),
            trusted_proxies: TrustedProxies::none(),
            public_origin: None,
        };
        Auth { verifier, settings: Arc::new(settings) }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Lets a request without a credential pass, with no principal. A credential that is there has to be good.
    #[must_use]
    pub fn optional(self) -> Self {
        self.set(|settings| settings.optional = true)
    }

    /// Names `realm` in every challenge. What is no printable ASCII is shown as `?`.
    #[must_use]
    pub fn realm(self, realm: &str) -> Self {
        self.set(|settings| settings.realm = Some(realm.into()))
    }

    /// Takes credentials from `sources`, each of the kinds that its source takes, in place of the Authorization field.
    #[must_use]
    pub fn sources(self, sources: Sources) -> Self {
        self.set(|settings| settings.sources = sources)
    }

    /// Believes `proxies` about their client's address, and about its certificate where they [name one](TrustedProxies::client_certificate).
    #[must_use]
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.set(|settings| settings.trusted_proxies = proxies)
    }

    /// Says at which origin clients reach this server: what proofs of possession (DPoP, RFC 9449) are for. Without it no token that is
    /// bound to a key is accepted.
    #[must_use]
    pub fn public_origin(self, origin: PublicOrigin) -> Self {
        self.set(|settings| settings.public_origin = Some(origin))
    }

    fn engine(&self) -> &Engine {
        self.verifier.as_ref()
    }

    /// Lets the request pass, with its principal, or not. Returns the nonce that the response is to tell the client.
    fn decide(&self, request: &ServiceRequest) -> Result<Option<HeaderValue>, Rejection> {
        request.extensions_mut().remove::<Principal>();
        let Some(presented) = self.presented(request)? else {
            return if self.settings.optional { Ok(None) } else { Err(Rejection::MissingCredential) };
        };
        let principal = self.engine().verify_request(&presented)?;
        let nonce = self.renewed_nonce(&presented);
        request.extensions_mut().insert(principal);
        Ok(nonce)
    }

    /// What the engine is told of a request; `None` where it has no credential.
    fn presented<'r>(&'r self, request: &'r ServiceRequest) -> Result<Option<Request<'r>>, Rejection> {
        let (settings, uri) = (&*self.settings, request.uri());
        let line = RequestLine {
            method: request.method().as_str(),
            authority: uri.authority().map(Authority::as_str),
            query: uri.query(),
        };
        let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let Some(presented) = settings.sources.find(line, fields)? else { return Ok(None) };
        let lines = |name| request.headers().get_all(name).map(HeaderValue::as_bytes);
        let presented = presented.sent_by(peer(request), &settings.trusted_proxies, lines)?.method(line.method);
        Ok(Some(match &settings.public_origin {
            Some(origin) => presented.uri_of(origin.as_str(), uri.path()),
            None => presented,
        }))
    }

    /// RFC 9449 section 8.2. It is base64url.
    fn renewed_nonce(&self, accepted: &Request<'_>) -> Option<HeaderValue> {
        self.engine().renewed_dpop_nonce(accepted).and_then(|nonce| HeaderValue::try_from(&*nonce).ok())
    }

    fn reject<B>(&self, request: ServiceRequest, rejection: Rejection) -> ServiceResponse<EitherBody<B>> {
        let rejected = Rejected(rejection);
        let mut response = rejected.response(self.settings.realm.as_deref());
        response.extensions_mut().insert(rejected);
        request.into_response(response).map_into_right_body()
    }
}

/// The other end of a request's connection.
fn peer(request: &ServiceRequest) -> Peer {
    let of_request = request.extensions().get::<PeerCertificate>().copied();
    let certificate = of_request.or_else(|| request.conn_data::<PeerCertificate>().copied());
    Peer { address: request.peer_addr().map(|peer| peer.ip()), certificate }
}

impl<S, B> Transform<S, ServiceRequest> for Auth
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = AuthService<S>;
    type InitError = ();
    type Future = Ready<Result<AuthService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(AuthService { inner: Rc::new(inner), auth: self.clone() }))
    }
}

/// The service that an [`Auth`] puts around another one.
pub struct AuthService<S> {
    inner: Rc<S>,
    auth: Auth,
}

impl<S, B> Service<ServiceRequest> for AuthService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Answer<S::Future, B>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match self.auth.decide(&request) {
            Ok(nonce) => Answer::Passed { answer: self.inner.call(request), nonce },
            #[cfg(feature = "remote")]
            Err(rejection) if self.auth.settings.waits && self.auth.verifier.is_worth_waiting(&rejection) => {
                let (auth, inner) = (self.auth.clone(), Rc::clone(&self.inner));
                Answer::Waiting { answer: Box::pin(wait(auth, inner, request, rejection)) }
            }
            Err(rejection) => Answer::Rejected { answer: Some(self.auth.reject(request, rejection)) },
        }
    }
}

/// The answer to a request that was rejected, once what it lacked was learned.
#[cfg(feature = "remote")]
async fn wait<S, B>(
    auth: Auth,
    inner: Rc<S>,
    request: ServiceRequest,
    rejection: Rejection,
) -> Result<ServiceResponse<EitherBody<B>>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let verdict = match auth.presented(&request) {
        Ok(Some(presented)) => {
            let verdict = auth.verifier.verify_after(&presented, rejection).await;
            verdict.map(|principal| (principal, auth.renewed_nonce(&presented)))
        }
        // Only a request with a credential was rejected in a way that is worth waiting.
        Ok(None) | Err(_) => Err(rejection),
    };
    match verdict {
        Ok((principal, nonce)) => {
            request.extensions_mut().insert(principal);
            Answer::<_, B>::Passed { answer: inner.call(request), nonce }.await
        }
        Err(rejection) => Ok(auth.reject(request, rejection)),
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for AuthService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService").field("auth", &self.auth).finish_non_exhaustive()
    }
}
