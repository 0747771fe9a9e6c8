use std::error::Error;
use std::io;

use http::Request;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use crate::connector::{ConnectError, Connector};
use crate::endpoint::PlainHttp;
use crate::error::FetchError;
use crate::http_client::{HttpClient, ResponseBody, Sending};
use crate::limits::{IDLE_CONNECTION_AGE, MAX_RESPONSE_HEAD_BYTES};

/// The built-in client. Follows no redirect and stores no cookie.
#[derive(Debug)]
pub(crate) struct HyperClient {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
}

impl HyperClient {
    /// `idle`: how many idle connections are kept for later requests.
    pub(crate) fn new(tls: ClientConfig, proxy: Option<Matcher>, plain_http: PlainHttp, idle: usize) -> Self {
        // The URIs of plain HTTP were vetted before; the connector checks the addresses that they resolve to.
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(idle)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_CONNECTION_AGE)
            .http1_max_buf_size(MAX_RESPONSE_HEAD_BYTES)
            .build(connector.wrap_connector(Connector::new(proxy, plain_http)));
        HyperClient { client }
    }
}

impl HttpClient for HyperClient {
    fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        let sending = self.client.request(request.map(Full::new));
        Box::pin(async move { Ok(sending.await.map_err(|error| failure(&error))?.map(ResponseBody::new)) })
    }
}

fn failure(error: &hyper_util::client::legacy::Error) -> FetchError {
    let known = causes(error).find_map(|cause| {
        if let Some(failure) = cause.downcast_ref::<rustls::Error>() {
            return Some(FetchError::Tls { reason: failure.to_string() });
        }
        match cause.downcast_ref::<ConnectError>()? {
            ConnectError::Tcp(_) => None,
            ConnectError::Proxy { reason } => Some(FetchError::Proxy { reason: reason.clone() }),
            ConnectError::PlainHttp { allowed: PlainHttp::ToThisMachine } => Some(FetchError::NotLoopback),
            ConnectError::PlainHttp { allowed: PlainHttp::InPrivateNetworks } => Some(FetchError::NotPrivate),
        }
    });
    known.unwrap_or(if error.is_connect() { FetchError::Connect } else { FetchError::Interrupted })
}

/// `error` and its causes.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let below = |error: &&'e (dyn Error + 'static)| -> Option<&'e (dyn Error + 'static)> {
        let error: &'e (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            // An io::Error does not return the error that it wraps as its source.
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    };
    std::iter::successors(Some(error), below)
}
