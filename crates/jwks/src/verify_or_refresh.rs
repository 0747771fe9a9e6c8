use tokio::time::timeout;
use tollgate::{Engine, Principal, Rejection, Request};

use crate::limits::MAX_REFRESH_WAIT;

/// [`Engine::verify_request`], which waits for the issuer's keys where the token names one that is not there yet: the
/// first token under a new key is accepted.
///
/// It waits only for a fetch that is under way or may begin now ([`Clocks::cool_down`](crate::Clocks::cool_down)), at
/// most [`MAX_REFRESH_WAIT`], and together with everybody else who waits for this issuer. Every other credential is
/// decided as fast as by [`Engine::verify_request`], and one whose key is known not to exist is too. For issuers without
/// [`RemoteKeys`](crate::RemoteKeys) it is [`Engine::verify_request`].
///
/// # Errors
/// As [`Engine::verify_request`].
///
/// ```
/// use tollgate::{Engine, Issuer, Request};
/// use tollgate_jwks::verify_or_refresh;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com");
/// let engine = Engine::builder().issuer(issuer).build()?;
/// assert_eq!(verify_or_refresh(&engine, &Request::new()).await.unwrap_err().code(), "missing-credential");
/// # Ok::<(), tollgate::BuildError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn verify_or_refresh(engine: &Engine, request: &Request<'_>) -> Result<Principal, Rejection> {
    match engine.verify_request(request) {
        Err(Rejection::UnknownKey { .. }) => {
            let refreshed = timeout(MAX_REFRESH_WAIT, refreshed(engine, request));
            refreshed.await.unwrap_or(None).unwrap_or_else(|| engine.verify_request(request))
        }
        decided => decided,
    }
}

/// Waits until the verdict changes. None: it will not soon.
async fn refreshed(engine: &Engine, request: &Request<'_>) -> Option<Result<Principal, Rejection>> {
    let refresher = engine.key_ring_of(request).ok()?.refresher()?;
    let kid = engine.key_id_of(request).ok()?;
    // A fetch that was under way may have begun before the key was published: then the next one is waited for.
    for _ in 0..2 {
        // From here on no fetch ends unnoticed.
        let refreshed = refresher.refreshed(kid.as_deref());
        match engine.verify_request(request) {
            Err(Rejection::UnknownKey { .. }) => {}
            decided => return Some(decided),
        }
        if !refreshed.await {
            return None;
        }
    }
    None
}
