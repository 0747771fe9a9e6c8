use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request};
use tollgate::{Principal, TrustedProxies};
use tollgate_remote::Verifier;
use tollgate_tower::{AuthLayer, Decision, EmptyBody, Guard, JsonBody, Require, WaitingGuard};
use tower_layer::Layer;
use tower_service::Service;

use crate::error::GatewayError;
use crate::identity::{Identity, IdentityFields};
use crate::internal_token::InternalToken;
use crate::question::{Convention, Original, Undecidable};
use crate::rule::{Access, Rule};

/// Answers proxies: whether a request may pass, and who sends it.
///
/// How a proxy says which request it asks about is decided by the path that it asks at:
///
/// | at | the request's method, host and URI are | for |
/// |---|---|---|
/// | `/nginx` | `X-Original-Method`, `X-Original-Host`, `X-Original-URI` | nginx, which is told to set them |
/// | `/forward` | `X-Forwarded-Method`, `X-Forwarded-Host`, `X-Forwarded-Uri` | Caddy, Traefik |
/// | `/envoy/...` | the question's own, without `/envoy` | Envoy over HTTP |
///
/// All other fields are the request's own. What is not said, or twice, is denied, and so is a path that two servers could read differently.
///
/// An answer of 200 lets the request pass and has all identity fields; any other is what the client is to be answered with, but
/// that nginx, which knows 401 and 403 alone, is told 403 in place of 400.
#[derive(Debug)]
pub struct Gateway {
    doors: Vec<(Rule, Door)>,
    identity: Arc<IdentityFields>,
}

/// What is before a request that may pass.
#[derive(Debug)]
enum Door {
    Public,
    Known(Box<WaitingGuard<Passing, JsonBody>>),
    Required(Box<WaitingGuard<Guard<Passing, Require<JsonBody>>, JsonBody>>),
}

impl Gateway {
    /// A gateway that lets pass what `verifier`, or an engine, accepts.
    pub fn builder(verifier: impl Into<Verifier>) -> GatewayBuilder {
        GatewayBuilder {
            layer: AuthLayer::with_verifier(verifier),
            realm: None,
            rules: Vec::new(),
            identity: IdentityFields::default(),
        }
    }

    /// The keys that verify [internal tokens](GatewayBuilder::internal_token), as a JWKS. [`serve`](crate::serve) publishes it.
    #[must_use]
    pub fn jwks(&self) -> Option<Arc<str>> {
        self.identity.token().map(InternalToken::jwks)
    }

    /// Answers the question of the proxy at `peer`. The question's body is not read.
    pub async fn answer<B>(&self, question: Request<B>, peer: IpAddr) -> Response<String> {
        let (question, _) = question.into_parts();
        let Some(convention) = Convention::of(question.uri.path()) else {
            return denial(StatusCode::NOT_FOUND, "no-such-convention", &"ask at /nginx, /forward or /envoy/");
        };
        let original = Original::of(convention, &question);
        let mut answer = self.decide(original, question.headers.clone(), peer).await;
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = answer.status();
        if convention == Convention::Nginx && status.is_client_error() && status != StatusCode::UNAUTHORIZED {
            *answer.status_mut() = StatusCode::FORBIDDEN;
        }
        count(convention.as_str(), answer.status());
        answer
    }

    /// Answers whether the request `asked` may pass, which has `headers` and was received by the proxy at `peer`. A status of 200 lets it pass.
    pub(crate) async fn decide(
        &self,
        asked: Result<Original<'_>, Undecidable>,
        headers: HeaderMap,
        peer: IpAddr,
    ) -> Response<String> {
        let asked = asked.and_then(|original| Ok((original.request(headers, peer)?, original)));
        let (request, original) = match asked {
            Ok(asked) => asked,
            Err(undecidable) => return denial(StatusCode::FORBIDDEN, "undecidable", &undecidable),
        };
        let door = self.doors.iter().find(|(rule, _)| rule.covers(&original)).map(|(_, door)| door);
        let answer = match door {
            None => return denial(StatusCode::FORBIDDEN, "no-rule", &"no rule covers the request"),
            Some(Door::Public) => Ok(self.identity.pass(None)),
            Some(Door::Known(guard)) => guard.clone().call(request).await,
            Some(Door::Required(guard)) => guard.clone().call(request).await,
        };
        answer.unwrap_or_else(|never: Infallible| match never {})
    }
}

impl IdentityFields {
    /// The answer that lets a request of `principal` pass.
    fn pass(&self, principal: Option<&Principal>) -> Response<String> {
        let mut answer = Response::new(String::new());
        match self.write(principal, answer.headers_mut()) {
            Ok(()) => answer,
            // A field left out would be the client's own.
            Err(error) => denial(StatusCode::FORBIDDEN, "identity-not-a-field-value", &error),
        }
    }
}

#[cfg(feature = "metrics")]
pub(crate) fn count(convention: &'static str, status: StatusCode) {
    let labels = [("convention", convention.to_owned()), ("status", status.as_str().to_owned())];
    metrics::counter!("tollgate_gateway_answers_total", &labels).increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn count(_: &'static str, _: StatusCode) {}

/// A denial that is no question of the credential.
fn denial(status: StatusCode, code: &'static str, detail: &dyn fmt::Display) -> Response<String> {
    tracing::info!(code, %detail, "denied");
    let mut answer = Response::new(format!(r#"{{"error":"{code}"}}"#));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// The service behind every door: says who is passing.
#[derive(Clone, Debug)]
struct Passing(Arc<IdentityFields>);

impl Service<Request<()>> for Passing {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        std::future::ready(Ok(self.0.pass(request.extensions().get::<Principal>())))
    }
}

/// Describes a [`Gateway`].
#[derive(Clone, Debug)]
pub struct GatewayBuilder {
    layer: AuthLayer<EmptyBody, Verifier>,
    realm: Option<String>,
    rules: Vec<Rule>,
    identity: IdentityFields,
}

impl GatewayBuilder {
    /// Adds a rule after those there are.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Says who is passing in these fields alone. Otherwise in `X-Auth-Request-User` (the subject), `X-Auth-Request-Issuer`,
    /// `X-Auth-Request-Client`, `X-Auth-Request-Scopes` and `X-Auth-Request-Kind`.
    ///
    /// # Errors
    /// [`GatewayError::InvalidField`], [`GatewayError::FieldTwice`].
    pub fn identity<N: AsRef<str>>(
        mut self,
        fields: impl IntoIterator<Item = (N, Identity)>,
    ) -> Result<Self, GatewayError> {
        self.identity.clear();
        for (name, identity) in fields {
            self.identity.add(name.as_ref(), identity)?;
        }
        Ok(self)
    }

    /// Says who is passing in a signed token too. Where its field alone is to say it, [`identity`](Self::identity) takes no fields.
    #[must_use]
    pub fn internal_token(mut self, token: InternalToken) -> Self {
        self.identity.set_token(token);
        self
    }

    /// As [`AuthLayer::realm`].
    ///
    /// # Errors
    /// As there.
    pub fn realm(mut self, realm: &str) -> Result<Self, GatewayError> {
        self.layer = self.layer.realm(realm)?;
        self.realm = Some(realm.to_owned());
        Ok(self)
    }

    /// As [`AuthLayer::trusted_proxies`]: what the proxies that ask say of their client's address and certificate.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.layer = self.layer.trusted_proxies(proxies);
        self
    }

    /// As [`AuthLayer::public_origins`]: what proofs of possession are for. Of several the request's host chooses.
    ///
    /// # Errors
    /// As there.
    pub fn public_origins<'o>(mut self, origins: impl IntoIterator<Item = &'o str>) -> Result<Self, GatewayError> {
        self.layer = self.layer.public_origins(origins)?;
        Ok(self)
    }

    /// As [`AuthLayer::api_key_header`].
    ///
    /// # Errors
    /// As there.
    pub fn api_key_header(mut self, name: &str) -> Result<Self, GatewayError> {
        self.layer = self.layer.api_key_header(name)?;
        Ok(self)
    }

    /// The gateway.
    ///
    /// # Errors
    /// [`GatewayError::NoRules`], [`GatewayError::Unreachable`] for a rule that a rule before it covers whole, and [`GatewayError::FieldTwice`] where
    /// an identity field has the name of the internal token's.
    pub fn build(self) -> Result<Gateway, GatewayError> {
        if self.rules.is_empty() {
            return Err(GatewayError::NoRules);
        }
        for (index, rule) in self.rules.iter().enumerate() {
            if self.rules[..index].iter().any(|before| before.includes(rule)) {
                return Err(GatewayError::Unreachable { path: rule.name() });
            }
        }
        self.identity.check()?;
        let identity = Arc::new(self.identity);
        let layer = self.layer.respond_with(JsonBody).observe(log);
        let passing = Passing(Arc::clone(&identity));
        let door = |access: &Access| -> Result<Door, GatewayError> {
            Ok(match access {
                Access::Public => Door::Public,
                Access::Known => Door::Known(Box::new(layer.layer(passing.clone()))),
                Access::Required(require) => {
                    let require = require.clone().respond_with(JsonBody).observe(log);
                    let require = match &self.realm {
                        Some(realm) => require.realm(realm)?,
                        None => require,
                    };
                    Door::Required(Box::new(layer.layer(require.layer(passing.clone()))))
                }
            })
        };
        let doors = self.rules.into_iter().map(|rule| door(&rule.access).map(|door| (rule, door)));
        Ok(Gateway { doors: doors.collect::<Result<_, _>>()?, identity })
    }
}

fn log(decision: Decision<'_>, _: &request::Parts) {
    if let Decision::Rejected(rejection) = decision {
        tracing::info!(code = rejection.code(), detail = %rejection, "denied");
    }
}
