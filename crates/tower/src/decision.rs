use tollgate::{Principal, Rejection};

/// What a layer decided about a request: what its observer is told.
///
/// All layers may have the same observer. It is told once by each layer that the request reaches: with a good credential that
/// lacks a scope, first [`Accepted`](Decision::Accepted) by the layer that verified it, then
/// [`Rejected`](Decision::Rejected) by the one that required the scope.
///
/// ```
/// use http::request;
/// use tollgate::{ApiKeyTable, Engine, KeyFormat};
/// use tollgate_tower::{AuthLayer, Decision, Require};
///
/// fn log(decision: Decision<'_>, request: &request::Parts) {
///     let path = request.uri.path();
///     match decision {
///         Decision::Accepted(principal) => println!("{path}: {:?}", principal.subject()),
///         Decision::Rejected(rejection) => println!("{path}: {} {rejection}", rejection.code()),
///         _ => {}
///     }
/// }
///
/// let engine = Engine::builder().api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live")?)).build()?;
/// let (layer, require) = (AuthLayer::new(engine).observe(log), Require::scopes(["read:sites"])?.observe(log));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Decision<'d> {
    /// It passes, with this principal.
    Accepted(&'d Principal),
    /// It passes with no principal, as the layer is configured: the path is public, say.
    Anonymous,
    /// It is answered here.
    Rejected(&'d Rejection),
    /// It passes because the layer only [reports](crate::AuthLayer::danger_report_only); otherwise it would not.
    Tolerated(&'d Rejection),
}
