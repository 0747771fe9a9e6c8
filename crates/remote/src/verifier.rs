use std::fmt;
use std::sync::Arc;

use tollgate::{Engine, Principal, Rejection, Request};

use crate::verify_or_refresh::{after, is_worth_waiting};

/// An [`Engine`] that waits for remote data, for programs that can wait:
/// [`verify_or_refresh`](crate::verify_or_refresh) as a type. The tower layer uses it.
///
/// Owns the engine, and with it the key rings of the engine's issuers. Each ring keeps the task alive that refreshes
/// it. Clones share one verifier.
///
/// ```
/// use tollgate::{Engine, Issuer};
/// use tollgate_remote::{RemoteKeys, Verifier};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let keys = RemoteKeys::from_jwks_uri("http://localhost:8080/jwks.json").start()?;
/// let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys.key_ring());
/// let verifier = Verifier::new(Engine::builder().issuer(issuer).build()?);
/// assert_eq!(verifier.verify("Bearer not.a.token").await.unwrap_err().status(), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Engine>);

impl Verifier {
    /// Creates a verifier from `engine`, or from an engine in an `Arc`.
    #[must_use]
    pub fn new(engine: impl Into<Arc<Engine>>) -> Self {
        Verifier(engine.into())
    }

    /// The engine, which never waits.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.0
    }

    /// Verifies the value of an Authorization header: [`verify_request`](Self::verify_request) for a request without
    /// further data.
    ///
    /// # Errors
    /// The errors of [`Engine::verify`].
    pub async fn verify(&self, header: impl AsRef<[u8]>) -> Result<Principal, Rejection> {
        self.verify_request(&Request::new().authorization(header.as_ref())).await
    }

    /// Like [`Engine::verify_request`], but waits if missing data can be fetched, such as the keys of an issuer that
    /// has rotated them. The wait is bounded by [`MAX_REFRESH_WAIT`](crate::limits::MAX_REFRESH_WAIT).
    ///
    /// # Errors
    /// The errors of [`Engine::verify_request`].
    pub async fn verify_request(&self, request: &Request<'_>) -> Result<Principal, Rejection> {
        match self.0.verify_request(request) {
            Err(rejection) if is_worth_waiting(&rejection) => after(&self.0, request, rejection, None).await,
            decided => decided,
        }
    }

    /// Like [`Verifier::verify_request`], at the time `now` in seconds since the Unix epoch. Waits in real time.
    ///
    /// # Errors
    /// The errors of [`Engine::verify_request`].
    pub async fn verify_request_at(&self, request: &Request<'_>, now: i64) -> Result<Principal, Rejection> {
        match self.0.verify_request_at(request, now) {
            Err(rejection) if is_worth_waiting(&rejection) => after(&self.0, request, rejection, Some(now)).await,
            decided => decided,
        }
    }

    /// Whether [`verify_after`](Self::verify_after) may return another verdict. For callers that answer at once if they
    /// can.
    #[must_use]
    pub fn is_worth_waiting(&self, rejection: &Rejection) -> bool {
        is_worth_waiting(rejection)
    }

    /// The waiting part of [`verify_request`](Self::verify_request), for a request that the engine has just rejected
    /// with `rejection`.
    ///
    /// # Errors
    /// The errors of [`Engine::verify_request`]; `rejection` if there is nothing to wait for.
    pub async fn verify_after(&self, request: &Request<'_>, rejection: Rejection) -> Result<Principal, Rejection> {
        after(&self.0, request, rejection, None).await
    }
}

impl AsRef<Engine> for Verifier {
    fn as_ref(&self) -> &Engine {
        &self.0
    }
}

impl From<Engine> for Verifier {
    fn from(engine: Engine) -> Self {
        Verifier::new(engine)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.0).finish()
    }
}
