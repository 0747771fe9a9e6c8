use http::request;
use metrics::counter;
use tollgate_tower::Decision;

use crate::names::DECISIONS;
use crate::registry::Metrics;

impl Metrics {
    /// Counts the decisions of any number of layers, for [`AuthLayer::observe`](tollgate_tower::AuthLayer::observe) and
    /// [`Require::observe`](tollgate_tower::Require::observe). Call it when the recorder is installed.
    ///
    /// The metrics of an engine have more detail on each credential. These also count decisions without an engine: scopes
    /// that a `Require` finds missing, requests to public paths, and requests that pass because a layer [only
    /// reports](tollgate_tower::AuthLayer::danger_report_only).
    pub fn decision_observer(&self) -> impl Fn(Decision<'_>, &request::Parts) + Clone + Send + Sync + 'static + use<> {
        // An accepted request only costs an addition.
        let accepted = counter!(DECISIONS, "decision" => "accepted");
        let anonymous = counter!(DECISIONS, "decision" => "anonymous");
        move |decision, _| {
            let (decision, code) = match decision {
                Decision::Accepted(_) => return accepted.increment(1),
                Decision::Anonymous => return anonymous.increment(1),
                Decision::Rejected(rejection) => ("rejected", rejection.code()),
                Decision::Tolerated(rejection) => ("tolerated", rejection.code()),
                _ => return,
            };
            counter!(DECISIONS, "decision" => decision, "error.type" => code).increment(1);
        }
    }
}
