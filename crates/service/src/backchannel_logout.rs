//! Tells clients that a login has ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! Whatever ends a login session, in this process, another one or on the command line, writes a notice for each of its clients in the same
//! transaction. Of the processes of a store the one that claims a notice sends it. A process that ends meanwhile leaves it to the next attempt
//! of any: a client may be told twice, and is told at least once unless it fails [`MAX_LOGOUT_ATTEMPTS`] times.

use crate::app::App;
use crate::error::ServerError;
use crate::ids::now;
use crate::limits::{
    LOGOUT_POLL_INTERVAL, LOGOUT_RETRY_SECONDS, LOGOUT_TIMEOUT, LOGOUT_TOKEN_TTL_SECONDS, MAX_LOGOUT_ATTEMPTS,
    MAX_LOGOUT_REQUESTS,
};
use axum::body::Bytes;
use axum::http::{Request, header};
use metrics::counter;
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;
use tollgate_remote::HttpClient;
use tollgate_storage::StorageError;
use tollgate_storage::accounts::LogoutNotice;
use tollgate_telemetry::names::BACKCHANNEL_LOGOUTS;

/// Sends the notices of this store, until it is dropped.
pub(crate) async fn run(app: Arc<App>) {
    let client = match tollgate_remote::built_in_client() {
        Ok(client) => client,
        Err(error) => return tracing::error!("no client is told of logouts: {error}"),
    };
    let mut timer = tokio::time::interval(LOGOUT_POLL_INTERVAL);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        if let Err(error) = send_due(&app, &client).await {
            tracing::warn!(code = error.code(), "clients could not be told of logouts: {error}");
        }
    }
}

/// Sends what is due, each client's by itself, and returns when each has succeeded or failed.
async fn send_due(app: &Arc<App>, client: &Arc<dyn HttpClient>) -> Result<(), StorageError> {
    let store = &app.accounts.store;
    let notices =
        store.claim_logout_notices(now(), LOGOUT_RETRY_SECONDS, MAX_LOGOUT_ATTEMPTS, MAX_LOGOUT_REQUESTS).await?;
    let mut sending = JoinSet::new();
    for notice in notices {
        sending.spawn(send(Arc::clone(app), Arc::clone(client), notice));
    }
    while sending.join_next().await.is_some() {}
    Ok(())
}

async fn send(app: Arc<App>, client: Arc<dyn HttpClient>, notice: LogoutNotice) {
    let outcome = match deliver(&app, &*client, &notice).await {
        Ok(Delivery::NotWanted) => None,
        Ok(Delivery::Done) => Some("delivered"),
        Err(reason) => {
            let is_last = notice.attempt >= MAX_LOGOUT_ATTEMPTS;
            let (client_id, attempt) = (&notice.client_id, notice.attempt);
            tracing::warn!(?client_id, attempt, is_last, "a client was not told of a logout: {reason}");
            Some(if is_last { "given-up" } else { "failed" })
        }
    };
    if let Some(outcome) = outcome {
        counter!(BACKCHANNEL_LOGOUTS, "outcome" => outcome).increment(1);
    }
    if outcome != Some("failed")
        && let Err(error) = app.accounts.store.forget_logout_notice(&notice).await
    {
        tracing::warn!(code = error.code(), "a client may be told of a logout again: {error}");
    }
}

enum Delivery {
    Done,
    /// The client is gone, or has registered no URI.
    NotWanted,
}

/// Section 2.5. The error is for the log.
async fn deliver(app: &App, client: &dyn HttpClient, notice: &LogoutNotice) -> Result<Delivery, String> {
    let registered = app.accounts.keys.store.client(&notice.client_id).await.map_err(|error| error.to_string())?;
    let uri = registered.and_then(|client| client.settings().backchannel_logout_uri.clone());
    let Some(uri) = uri else { return Ok(Delivery::NotWanted) };
    if !may_be_told(&app.origin, uri.as_str()) {
        return Err("its backchannel_logout_uri is not https".to_owned());
    }
    let token = app.logout_token(notice, now()).map_err(|error| error.to_string())?;
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
    let request = Request::post(uri.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body))
        .map_err(|error| error.to_string())?;
    let answer = tokio::time::timeout(LOGOUT_TIMEOUT, client.send(request)).await;
    let answer = answer.map_err(|_| "no answer in time".to_owned())?.map_err(|error| error.to_string())?;
    // Section 2.8: 200; frameworks answer 204 to an empty body.
    match answer.status().as_u16() {
        200 | 204 => Ok(Delivery::Done),
        status => Err(format!("the answer has the status {status}")),
    }
}

/// Plain HTTP is for a service and clients on one machine, such as the demo's.
fn may_be_told(origin: &str, uri: &str) -> bool {
    uri.starts_with("https:") || origin.starts_with("http:")
}

impl App {
    /// The logout token for that client (section 2.4), with a `typ` and an audience by which no server takes it for another token.
    fn logout_token(&self, notice: &LogoutNotice, now: i64) -> Result<String, ServerError> {
        let builder = self.tokens.builder().typ("logout+jwt").lifetime(LOGOUT_TOKEN_TTL_SECONDS);
        let builder = builder.subject(notice.user_id.as_str()).audience(notice.client_id.as_str());
        let builder = builder.claim("sid", notice.session_id.as_str().into());
        let events = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
        Ok(builder.claim("events", events).mint_at(now)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 2.2: the URI SHOULD use https.
    #[test]
    fn a_public_service_sends_logout_tokens_by_https_alone() {
        for (origin, uri, expected) in [
            ("https://auth.example", "https://rp.example/logout", true),
            ("https://auth.example", "http://127.0.0.1:9000/logout", false),
            ("http://127.0.0.1:8080", "http://127.0.0.1:9000/logout", true),
        ] {
            assert_eq!(may_be_told(origin, uri), expected, "{origin} {uri}");
        }
    }
}
