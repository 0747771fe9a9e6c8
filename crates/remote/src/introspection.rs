//! Introspection of opaque tokens by their authorization servers (RFC 7662).

mod authentication;
mod builder;
mod client;
mod flights;
mod settings;
mod statistics;

pub use builder::IntrospectionBuilder;
pub use settings::IntrospectionSettings;
pub use statistics::IntrospectionStatistics;

use std::fmt;
use std::sync::Arc;

use tollgate::{Introspecting, Introspector};

use flights::Flights;

/// The introspection endpoint of one authorization server: for
/// [`OpaqueIssuer::introspector`](tollgate::OpaqueIssuer::introspector).
///
/// Concurrent calls for one token share one request. All requests together stay within the
/// [budget](IntrospectionBuilder::requests_per_second), and each has a [timeout](IntrospectionBuilder::timeout).
/// Without a usable answer, the caller's request gets a 503, and nothing is cached. Clones share one endpoint.
///
/// ```
/// use tollgate::{Engine, OpaqueIssuer};
/// use tollgate_remote::{HeaderSource, Introspection, Verifier};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let endpoint = Introspection::at("http://localhost:8080/introspect")
///     .client_secret("resource-server", HeaderSource::value("its secret"))
///     .start()?;
/// let issuer = OpaqueIssuer::new("https://as.example/")
///     .token_prefix("ory_at_")
///     .audience("https://api.example")
///     .introspector(endpoint);
/// let verifier = Verifier::new(Engine::builder().opaque_issuer(issuer).build()?);
/// // Nothing listens at this address.
/// assert_eq!(verifier.verify("Bearer ory_at_1").await.unwrap_err().status(), 503);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Introspection(Arc<Flights>);

impl Introspection {
    /// Configures the endpoint at `uri`: `https:`, or `http:` to a loopback address.
    pub fn at(uri: &str) -> IntrospectionBuilder {
        IntrospectionBuilder::new(IntrospectionSettings {
            endpoint: uri.to_owned(),
            ..IntrospectionSettings::default()
        })
    }

    /// Configures the endpoint from `settings`, which may come from a configuration file.
    pub fn from_settings(settings: IntrospectionSettings) -> IntrospectionBuilder {
        IntrospectionBuilder::new(settings)
    }

    /// Counters of the requests so far.
    #[must_use]
    pub fn statistics(&self) -> IntrospectionStatistics {
        self.0.statistics()
    }
}

impl Introspector for Introspection {
    fn introspect<'r>(&'r self, token: &'r str) -> Introspecting<'r> {
        Box::pin(self.0.ask(token))
    }
}

impl From<Introspection> for Arc<dyn Introspector> {
    fn from(introspection: Introspection) -> Self {
        Arc::new(introspection)
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection").field("endpoint", &self.0.endpoint()).finish_non_exhaustive()
    }
}
