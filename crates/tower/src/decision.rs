use tollgate::{Principal, Rejection};

/// A layer's decision about a request, for its observer.
///
/// All layers may share an observer. Each layer that the request reaches calls it once: for a valid credential
/// without a required scope, first with [`Accepted`](Decision::Accepted) from the layer that verified it, then with
/// [`Rejected`](Decision::Rejected) from the layer that required the scope.
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
    /// The request passes, with this principal.
    Accepted(&'d Principal),
    /// The request passes without a principal, because of the layer's configuration: the path is public, for
    /// example.
    Anonymous,
    /// The request is rejected.
    Rejected(&'d Rejection),
    /// The request passes although it would be rejected, because the layer only
    /// [reports](crate::AuthLayer::danger_report_only).
    Tolerated(&'d Rejection),
}
