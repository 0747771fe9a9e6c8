use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use tollgate::jwt::UnverifiedText;
use tollgate::{Engine, KeyRing, Principal, Rejection, Request, Unavailable};

use crate::limits::MAX_REFRESH_WAIT;

/// Like [`Engine::verify_request`], but waits for remote data. If the token may be signed by a key that is not loaded
/// yet ([`Rejection::missing_key`]), waits for the issuer's keys. If an opaque token is unknown, or the issuer has to
/// confirm a JWT ([`Rejection::unasked_issuer`]), asks the issuer. So the first token under a new key is accepted, and
/// so is a token that its issuer declares active.
///
/// Waits only for a fetch that is in progress or may start soon ([`Clocks::cool_down`](crate::Clocks::cool_down)), at
/// most [`MAX_REFRESH_WAIT`], and together with all other calls that wait for this issuer. All other credentials, and
/// tokens whose key is known to be missing, are decided as fast as by [`Engine::verify_request`]. Without
/// [`RemoteKeys`](crate::RemoteKeys) for the issuer, the call waits for no keys. [`Verifier`](crate::Verifier) is the
/// same as a type.
///
/// # Errors
/// The errors of [`Engine::verify_request`].
///
/// ```
/// use tollgate::{Engine, Issuer, Request};
/// use tollgate_remote::{RemoteKeys, verify_or_refresh};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let keys = RemoteKeys::from_jwks_uri("http://localhost:8080/jwks.json").start()?;
/// let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys.key_ring());
/// let engine = Engine::builder().issuer(issuer).build()?;
/// assert_eq!(verify_or_refresh(&engine, &Request::new()).await.unwrap_err().code(), "missing-credential");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn verify_or_refresh(engine: &Engine, request: &Request<'_>) -> Result<Principal, Rejection> {
    match engine.verify_request(request) {
        Err(rejection) if is_worth_waiting(&rejection) => after(engine, request, rejection, None).await,
        decided => decided,
    }
}

/// Whether [`after`] may return another verdict.
pub(crate) fn is_worth_waiting(rejection: &Rejection) -> bool {
    rejection.missing_key().is_some()
        || rejection.unasked_issuer().is_some()
        || rejection.missing_status_list().is_some()
}

/// The verdict on a rejected request after fetching the missing data. `now`: the time of the verdict; by default the
/// time of the engine's clock.
pub(crate) async fn after(
    engine: &Engine,
    request: &Request<'_>,
    rejection: Rejection,
    now: Option<i64>,
) -> Result<Principal, Rejection> {
    let mut verdict = Err(rejection);
    // In this order: a token's status is checked after its signature is verified, and its issuer is asked when all else
    // is valid.
    if let Some(rejection) = rejected_for(&verdict, |rejection| rejection.missing_key().is_some()) {
        verdict = refreshed(engine, request, rejection, now).await;
    }
    if let Some(rejection) = rejected_for(&verdict, |rejection| rejection.missing_status_list().is_some()) {
        verdict = listed(engine, request, rejection, now).await;
    }
    if rejected_for(&verdict, |rejection| rejection.unasked_issuer().is_some()).is_some() {
        verdict = introspected(engine, request, now).await;
    }
    verdict
}

fn rejected_for(verdict: &Result<Principal, Rejection>, reason: impl Fn(&Rejection) -> bool) -> Option<Rejection> {
    verdict.as_ref().err().filter(|rejection| reason(rejection)).cloned()
}

/// Fetches the status list that a token refers to.
async fn listed(
    engine: &Engine,
    request: &Request<'_>,
    rejection: Rejection,
    now: Option<i64>,
) -> Result<Principal, Rejection> {
    let Some((issuer, list)) = rejection.missing_status_list() else {
        return Err(rejection);
    };
    match list.fetch().await {
        Ok(()) => verify(engine, request, now),
        Err(reason) => Err(Unavailable::no_answer(Arc::clone(issuer), reason).into()),
    }
}

pub(crate) fn verify(engine: &Engine, request: &Request<'_>, now: Option<i64>) -> Result<Principal, Rejection> {
    now.map_or_else(|| engine.verify_request(request), |now| engine.verify_request_at(request, now))
}

/// Asks the token's issuer about it.
async fn introspected(engine: &Engine, request: &Request<'_>, now: Option<i64>) -> Result<Principal, Rejection> {
    let unknown = now.map_or_else(|| engine.unknown_token(request), |now| engine.unknown_token_at(request, now));
    let Some(token) = unknown else {
        // Another request has asked meanwhile, or the token's state has changed.
        return verify(engine, request, now);
    };
    match token.introspector().introspect(token.text()).await {
        Ok(response) => {
            let answer = token.answered(response);
            verify(engine, &request.introspected(&answer), now)
        }
        Err(failure) => Err(token.not_answered(failure)),
    }
}

async fn refreshed(
    engine: &Engine,
    request: &Request<'_>,
    rejection: Rejection,
    now: Option<i64>,
) -> Result<Principal, Rejection> {
    let key_ring = engine.key_ring_of(request).ok();
    let Some(refresher) = key_ring.as_ref().and_then(KeyRing::refresher) else {
        return Err(rejection);
    };
    let (deadline, mut rejection) = (Instant::now() + MAX_REFRESH_WAIT, rejection);
    // A fetch in progress may have started before the key was published: then wait for the next one.
    for _ in 0..2 {
        let kid = rejection.missing_key().and_then(|missing| missing.kid.cloned());
        // From here on, the end of a fetch is noticed. Without a fetch to wait for, nothing is verified again.
        let Some(refreshed) = refresher.refreshed(kid.as_ref().map(UnverifiedText::as_str)) else {
            return Err(rejection);
        };
        rejection = match verify(engine, request, now) {
            Err(rejection) if rejection.missing_key().is_some() => rejection,
            decided => return decided,
        };
        if timeout_at(deadline, refreshed).await != Ok(true) {
            return Err(rejection);
        }
    }
    verify(engine, request, now)
}
