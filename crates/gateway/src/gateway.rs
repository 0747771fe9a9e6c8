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

/// Answers proxies: whether a request may pass, and who its caller is.
///
/// The path of the authorization request determines how the proxy describes the client's request:
///
/// | path | method, host and URI of the client's request | for |
/// |---|---|---|
/// | `/nginx` | `X-Original-Method`, `X-Original-Host`, `X-Original-URI` | nginx, which must be configured to set them |
/// | `/forward` | `X-Forwarded-Method`, `X-Forwarded-Host`, `X-Forwarded-Uri` | Caddy, Traefik |
/// | `/envoy/...` | those of the authorization request, without `/envoy` | Envoy over HTTP |
///
/// All other fields are those of the client's request. A request with a missing or repeated description is denied, and so is
/// a path that two servers could read differently.
///
/// The answer 200 lets the request pass and has all identity fields. Any other answer is for the client, except that nginx,
/// which only understands 401 and 403, gets 403 instead of 400.
#[derive(Debug)]
pub struct Gateway {
    rules: Vec<(Rule, Layers)>,
    identity: Arc<IdentityFields>,
}

/// The layers that a request must pass.
#[derive(Debug)]
enum Layers {
    Public,
    Known(Box<WaitingGuard<CallerService, JsonBody>>),
    Required(Box<WaitingGuard<Guard<CallerService, Require<JsonBody>>, JsonBody>>),
}

impl Gateway {
    /// A gateway that accepts the credentials of `verifier`, which may be an engine.
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

    /// Answers an authorization request of the proxy at `peer`. Its body is not read.
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

    /// Answers whether the request `asked` may pass, which has `headers` and was received by the proxy at `peer`. The
    /// status 200 lets it pass.
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
        let layers = self.rules.iter().find(|(rule, _)| rule.covers(&original)).map(|(_, layers)| layers);
        let answer = match layers {
            None => return denial(StatusCode::FORBIDDEN, "no-rule", &"no rule covers the request"),
            Some(Layers::Public) => Ok(self.identity.pass(None)),
            Some(Layers::Known(guard)) => guard.clone().call(request).await,
            Some(Layers::Required(guard)) => guard.clone().call(request).await,
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
            // If a field were left out, the client's own would remain.
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

/// A denial that does not depend on the credential.
fn denial(status: StatusCode, code: &'static str, detail: &dyn fmt::Display) -> Response<String> {
    tracing::info!(code, %detail, "denied");
    let mut answer = Response::new(format!(r#"{{"error":"{code}"}}"#));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// The service behind all layers, which answers with the identity fields.
#[derive(Clone, Debug)]
struct CallerService(Arc<IdentityFields>);

impl Service<Request<()>> for CallerService {
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
    /// Adds a rule after the existing ones.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Sets the identity fields. The default is `X-Auth-Request-User` (the subject), `X-Auth-Request-Issuer`,
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

    /// Adds a signed token about the caller. For the token alone, give [`identity`](Self::identity) no fields.
    #[must_use]
    pub fn internal_token(mut self, token: InternalToken) -> Self {
        self.identity.set_token(token);
        self
    }

    /// Like [`AuthLayer::realm`].
    ///
    /// # Errors
    /// Those of [`AuthLayer::realm`].
    pub fn realm(mut self, realm: &str) -> Result<Self, GatewayError> {
        self.layer = self.layer.realm(realm)?;
        self.realm = Some(realm.to_owned());
        Ok(self)
    }

    /// Like [`AuthLayer::trusted_proxies`]: the fields with which the asking proxies name their client's address and
    /// certificate.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.layer = self.layer.trusted_proxies(proxies);
        self
    }

    /// Like [`AuthLayer::public_origins`]: the origins of proofs of possession. Of several, the request's host selects
    /// one.
    ///
    /// # Errors
    /// Those of [`AuthLayer::public_origins`].
    pub fn public_origins<'o>(mut self, origins: impl IntoIterator<Item = &'o str>) -> Result<Self, GatewayError> {
        self.layer = self.layer.public_origins(origins)?;
        Ok(self)
    }

    /// Like [`AuthLayer::api_key_header`].
    ///
    /// # Errors
    /// Those of [`AuthLayer::api_key_header`].
    pub fn api_key_header(mut self, name: &str) -> Result<Self, GatewayError> {
        self.layer = self.layer.api_key_header(name)?;
        Ok(self)
    }

    /// The gateway.
    ///
    /// # Errors
    /// [`GatewayError::NoRules`]; [`GatewayError::Unreachable`] if an earlier rule matches all requests of a rule;
    /// [`GatewayError::FieldTwice`] if an identity field has the name of the internal token's field.
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
        let service = CallerService(Arc::clone(&identity));
        let layers_of = |access: &Access| -> Result<Layers, GatewayError> {
            Ok(match access {
                Access::Public => Layers::Public,
                Access::Known => Layers::Known(Box::new(layer.layer(service.clone()))),
                Access::Required(require) => {
                    let require = require.clone().respond_with(JsonBody).observe(log);
                    let require = match &self.realm {
                        Some(realm) => require.realm(realm)?,
                        None => require,
                    };
                    Layers::Required(Box::new(layer.layer(require.layer(service.clone()))))
                }
            })
        };
        let rules = self.rules.into_iter().map(|rule| layers_of(&rule.access).map(|layers| (rule, layers)));
        Ok(Gateway { rules: rules.collect::<Result<_, _>>()?, identity })
    }
}

fn log(decision: Decision<'_>, _: &request::Parts) {
    if let Decision::Rejected(rejection) = decision {
        tracing::info!(code = rejection.code(), detail = %rejection, "denied");
    }
}
