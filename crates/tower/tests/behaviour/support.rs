//! An engine with a few keys, and a service that names its caller.

use std::convert::Infallible;
use std::sync::Arc;

use http::request::Builder;
use http::{Request, Response, request};
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Principal, Rejection};
use tollgate_tower::Decision;
use tower::{Layer, Service, ServiceExt, service_fn};

pub(crate) const NOW: i64 = 1_763_827_200;

pub(crate) struct Fixture {
    pub(crate) engine: Arc<Engine>,
    /// Of `user_7`, with the scopes `read:sites` and `read:users`.
    pub(crate) key: String,
    /// Expired at [`NOW`].
    pub(crate) expired: String,
    /// Of `user_9`, only from 192.0.2.0/24.
    pub(crate) bound: String,
    /// The Authorization value of the client `reporter`.
    pub(crate) client: String,
    /// The Authorization value of an opaque access token of `user_7`.
    pub(crate) access_token: String,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let format = KeyFormat::new("tg", "test").unwrap();
        let [key, expired, bound, secret, token] = std::array::from_fn(|_| ApiKey::generate(&format).unwrap());
        let table = ApiKeyTable::new(format);
        let record = KeyRecord::api_key("key_1", "user_7").scopes(["read:sites", "read:users"]);
        table.insert(&key, record);
        table.insert(&expired, KeyRecord::api_key("key_2", "user_8").expires_at(NOW));
        let here = ["192.0.2.0/24".parse().unwrap()];
        table.insert(&bound, KeyRecord::api_key("key_3", "user_9").allowed_addresses(here));
        table.insert(&token, KeyRecord::access_token("token_1", "user_7"));
        table.insert(&secret, KeyRecord::client_secret("secret_1", "reporter"));
        let engine = Engine::builder().api_keys(table).clock(|| NOW).build().unwrap();
        let text = |key: &ApiKey| key.as_str().to_owned();
        let credentials =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("reporter:{}", secret.as_str()));
        Fixture {
            engine: Arc::new(engine),
            key: text(&key),
            expired: text(&expired),
            bound: text(&bound),
            client: format!("Basic {credentials}"),
            access_token: format!("Bearer {}", token.as_str()),
        }
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }
}

/// The response of the service behind `layer`.
pub(crate) async fn answer<L>(layer: &L, request: Builder) -> Response<String>
where
    L: Layer<WhoAmI>,
    L::Service: Service<Request<()>, Response = Response<String>, Error = Infallible>,
{
    layer.layer(service_fn(who_am_i)).oneshot(request.body(()).unwrap()).await.unwrap()
}

type WhoAmI = tower::util::ServiceFn<fn(Request<()>) -> std::future::Ready<Result<Response<String>, Infallible>>>;

fn who_am_i(request: Request<()>) -> std::future::Ready<Result<Response<String>, Infallible>> {
    std::future::ready(Ok(Response::new(subject(&request))))
}

pub(crate) fn subject<B>(request: &Request<B>) -> String {
    let principal = request.extensions().get::<Principal>();
    principal.and_then(Principal::subject).unwrap_or("nobody").to_owned()
}

/// An observer of rejections only.
pub(crate) fn rejections(
    observe: impl Fn(&Rejection, &request::Parts) + Send + Sync + 'static,
) -> impl Fn(Decision<'_>, &request::Parts) + Send + Sync + 'static {
    move |decision, request| {
        if let Decision::Rejected(rejection) = decision {
            observe(rejection, request);
        }
    }
}

pub(crate) fn challenge<B>(response: &Response<B>) -> &str {
    response.headers()["www-authenticate"].to_str().unwrap()
}
