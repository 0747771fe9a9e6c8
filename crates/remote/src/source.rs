use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use hyper::body::Bytes;
use tokio::task;
use tokio::time::Instant;

use crate::clocks::Clocks;
use crate::endpoint::Endpoint;
use crate::error::FetchError;
use crate::fetcher::{Answer, Conditions, Fetcher, Times};
use crate::key_document::{Vetted, Vetting};
use crate::metadata::Metadata;
use crate::schedule::Cause;

/// The origin of one issuer's keys.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// The key document itself.
    Document(Endpoint),
    Metadata(Metadata),
}

/// Fetches a key set from its origin, or from its failover URIs.
pub(crate) struct Source {
    pub(crate) fetcher: Fetcher,
    pub(crate) vetting: Arc<Vetting>,
    pub(crate) clocks: Clocks,
    pub(crate) origin: Origin,
    pub(crate) failovers: Vec<Endpoint>,
    /// The `jwks_uri` in the metadata, and when it was read.
    pub(crate) located: Option<(Endpoint, Instant)>,
    /// Confirms the current set in a conditional request.
    pub(crate) validator: Option<Validator>,
}

/// The `ETag` of a document, valid only for the URI of the document.
#[derive(Debug)]
pub(crate) struct Validator {
    endpoint: Endpoint,
    etag: HeaderValue,
    max_age: Option<Duration>,
}

/// The result of a successful refresh.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The document and its keys, at least one of them usable. None: the current set is still published.
    pub(crate) document: Option<(Bytes, Vetted)>,
    pub(crate) times: Times,
}

/// A URI that failed.
#[derive(Debug)]
pub(crate) struct FailedAttempt {
    pub(crate) uri: String,
    pub(crate) error: FetchError,
    /// The refused document, which may have exposed private keys.
    pub(crate) vetted: Option<Vetted>,
}

impl Origin {
    /// The configured endpoint, or that of the configured issuer's metadata.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        match self {
            Origin::Document(endpoint) => endpoint,
            Origin::Metadata(metadata) => &metadata.endpoint,
        }
    }
}

impl Source {
    /// The most requests of a refresh.
    pub(crate) fn requests(origin: &Origin, failovers: usize) -> u32 {
        let of_origin = match origin {
            Origin::Document(_) => 1,
            Origin::Metadata(_) => 2,
        };
        of_origin + u32::try_from(failovers).unwrap_or(u32::MAX / 2)
    }

    /// Tries one URI after the other. Also returns the failed attempts before a success.
    pub(crate) async fn fetch(&mut self, cause: Cause) -> (Option<Fetched>, Vec<FailedAttempt>) {
        let mut failed = Vec::new();
        match self.locate(cause).await {
            Ok(endpoint) => {
                let located = endpoint.clone();
                match self.attempt(&located, cause).await {
                    Ok(fetched) => return (Some(fetched), failed),
                    Err(attempt) => {
                        // The keys may have moved: read the metadata before the next attempt.
                        self.located = self.located.take().filter(|_| attempt.error.is_outage());
                        failed.push(attempt);
                    }
                }
            }
            Err(attempt) => failed.push(attempt),
        }
        for failover in self.failovers.clone() {
            match self.attempt(&failover, cause).await {
                Ok(fetched) => return (Some(fetched), failed),
                Err(attempt) => failed.push(attempt),
            }
        }
        (None, failed)
    }

    /// Returns the `jwks_uri`. Every refresh reads the metadata, so that moved keys are found within the revocation
    /// bound. If the metadata cannot be reached, the last `jwks_uri` is used for the outage grace.
    async fn locate(&mut self, cause: Cause) -> Result<Endpoint, FailedAttempt> {
        let metadata = match &self.origin {
            Origin::Document(endpoint) => return Ok(endpoint.clone()),
            Origin::Metadata(metadata) => metadata,
        };
        let known = |at_most: Duration| {
            self.located.as_ref().filter(|(_, at)| at.elapsed() <= at_most).map(|(endpoint, _)| endpoint.clone())
        };
        if cause == Cause::UnknownKey
            && let Some(endpoint) = known(self.clocks.revocation_bound)
        {
            return Ok(endpoint);
        }
        let began = Instant::now();
        let answer = self.fetcher.get(&metadata.endpoint, Conditions::default()).await;
        let found = match answer {
            Ok(Answer::Document { bytes, .. }) => metadata.jwks_uri(&bytes),
            Ok(Answer::NotModified { .. }) => Err(FetchError::InvalidMetadata),
            Err(error) => match known(self.clocks.outage_grace).filter(|_| error.is_outage()) {
                Some(endpoint) => return Ok(endpoint),
                None => Err(error),
            },
        };
        match found {
            Ok(endpoint) => {
                self.located = Some((endpoint.clone(), began));
                Ok(endpoint)
            }
            Err(error) => Err(FailedAttempt { uri: metadata.endpoint.to_string(), error, vetted: None }),
        }
    }

    async fn attempt(&mut self, endpoint: &Endpoint, cause: Cause) -> Result<Fetched, FailedAttempt> {
        let failed = |error, vetted| FailedAttempt { uri: endpoint.to_string(), error, vetted };
        let validator = self.validator.as_ref().filter(|validator| validator.endpoint == *endpoint);
        let conditions = Conditions {
            if_none_match: validator.map(|validator| &validator.etag),
            // An intermediate cache may not have the new key yet.
            revalidate: cause == Cause::UnknownKey,
        };
        let (bytes, times, etag) = match self.fetcher.get(endpoint, conditions).await {
            Ok(Answer::Document { bytes, times, etag }) => (bytes, times, etag),
            Ok(Answer::NotModified { times }) => {
                let max_age = times.max_age.or(validator.and_then(|validator| validator.max_age));
                return Ok(Fetched { document: None, times: Times { max_age, ..times } });
            }
            Err(error) => return Err(failed(error, None)),
        };
        let (vetting, document) = (Arc::clone(&self.vetting), bytes.clone());
        let Ok(vetted) = task::spawn_blocking(move || vetting.vet(&document)).await else {
            return Err(failed(FetchError::Interrupted, None));
        };
        if let Err(error) = &vetted.set {
            // Keys of the current set may be withdrawn because of this document: then a 304 must not confirm the set.
            self.validator = None;
            return Err(failed(error.clone(), Some(vetted)));
        }
        self.validator = etag.map(|etag| Validator { endpoint: endpoint.clone(), etag, max_age: times.max_age });
        Ok(Fetched { document: Some((bytes, vetted)), times })
    }
}
