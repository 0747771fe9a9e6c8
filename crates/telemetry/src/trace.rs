use tollgate::{PrincipalKind, Verification};

/// Writes `tracing` events of verifies: of each rejection at the level `INFO`, and of accepted credentials at `TRACE` if
/// [enabled](Trace::accepted).
///
/// The fields: `kind`, `issuer` (as configured, never from a token), `cache_hit`, and of a rejection `error.type`, its code,
/// and `status`. `error.type` and `enduser.id` are OpenTelemetry's names. With [personal data](Trace::personal_data) there
/// are also `detail`, which quotes the token, and `enduser.id`, the subject.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trace {
    personal_data: bool,
    accepted: bool,
}

const TARGET: &str = "tollgate::verify";

impl Trace {
    /// Events of rejections, without personal data. Their target is `tollgate::verify`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether events contain the subject, and the detail of a rejection, which may quote claims.
    #[must_use]
    pub fn personal_data(self, included: bool) -> Self {
        Trace { personal_data: included, ..self }
    }

    /// Whether accepted credentials are logged too.
    #[must_use]
    pub fn accepted(self, included: bool) -> Self {
        Trace { accepted: included, ..self }
    }

    /// Writes the event of a verify, as an [observer](tollgate::EngineBuilder::untimed_observer).
    #[inline]
    pub fn record(&self, seen: &Verification<'_>) {
        if self.accepted || seen.verdict().is_err() {
            self.write(seen);
        }
    }

    #[cold]
    fn write(self, seen: &Verification<'_>) {
        let (kind, issuer, cache_hit) = (seen.kind().map(PrincipalKind::as_str), seen.issuer(), seen.is_cache_hit());
        match seen.verdict() {
            Ok(principal) => {
                let subject = principal.subject().filter(|_| self.personal_data);
                tracing::trace!(target: TARGET, kind, issuer, cache_hit, "enduser.id" = subject, "accepted");
            }
            Err(rejection) => {
                let detail = self.personal_data.then(|| tracing::field::display(rejection));
                let (code, status) = (rejection.code(), rejection.status());
                tracing::info!(target: TARGET, kind, issuer, cache_hit, "error.type" = code, status, detail, "rejected");
            }
        }
    }
}
