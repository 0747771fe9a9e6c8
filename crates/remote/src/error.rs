use std::io;
use std::path::PathBuf;

use tollgate_keys::NotAKeyFile;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// Not an absolute URI of the scheme `https` or `http`, or one with user information or a fragment.
    #[error("{uri:?} is not an absolute https URI without user information and fragment")]
    InvalidUri {
        /// The given value.
        uri: String,
    },
    /// Plain HTTP to another machine, or with
    /// [`danger_accept_plain_http`](crate::RemoteKeysBuilder::danger_accept_plain_http) to a public address: an
    /// attacker on the network path could publish keys.
    #[error("{uri:?} is not https, and its host is not one that plain HTTP may go to")]
    InsecureUri {
        /// The given value.
        uri: String,
    },
    /// An issuer's name with a query (RFC 8414 section 2).
    #[error("the issuer {issuer:?} must have no query")]
    InvalidIssuer {
        /// The given value.
        issuer: String,
    },
    /// More failover URIs than [`MAX_FAILOVERS`](crate::limits::MAX_FAILOVERS).
    #[error("{failovers} failover URIs; at most {} are taken", crate::limits::MAX_FAILOVERS)]
    TooManyFailovers {
        /// The given number.
        failovers: usize,
    },
    /// No source of keys is configured.
    #[error("one of jwks_uri, x509 and discovery is needed")]
    NoSource,
    /// More than one source of keys is configured.
    #[error("only one of jwks_uri, x509 and discovery can be given")]
    SeveralSources,
    /// A header field that requests cannot contain.
    #[error("the header {name:?} cannot be sent: {reason}")]
    Header {
        /// The field's name.
        name: String,
        /// The reason.
        reason: &'static str,
    },
    /// More header fields than [`MAX_HEADERS`](crate::limits::MAX_HEADERS).
    #[error("{headers} headers; at most {} are sent", crate::limits::MAX_HEADERS)]
    TooManyHeaders {
        /// The given number.
        headers: usize,
    },
    /// The proxy's URI is not that of an HTTP proxy. The error does not show the URI, which may contain a password.
    #[error("the proxy of {origin} is not a URI of the form http://host:port")]
    Proxy {
        /// The origin of the URI.
        origin: &'static str,
    },
    /// An option of the built-in HTTP client together with the caller's own client, which would ignore it.
    #[error("{option} does not go with an HTTP client of one's own")]
    ClientOption {
        /// The option.
        option: &'static str,
    },
    /// The clocks contradict each other.
    #[error("the clocks contradict each other: {contradiction}")]
    Clocks {
        /// The contradiction.
        contradiction: &'static str,
    },
    /// A limit is above the crate's maximum, or zero.
    #[error("the limit on {limit} must be from 1 to {max}")]
    Limit {
        /// The name of the limit.
        limit: &'static str,
        /// The maximum.
        max: usize,
    },
    /// The given root certificates cannot be read, or there are none.
    #[error("the root certificates cannot be read as PEM")]
    RootCertificates,
    /// The file of root certificates cannot be read.
    #[error("the root certificates in {} cannot be read: {error}", .path.display())]
    RootCertificatesFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The system has no root certificates, and none were given.
    #[error("the system has no root certificates that can be read: give some, or install them")]
    NoRootCertificates,
    /// rustls refused its configuration.
    #[error("TLS cannot be set up: {reason}")]
    Tls {
        /// The error's text.
        reason: String,
    },
    /// No prefix of status lists is configured.
    #[error("status lists need a prefix of their URIs")]
    NoStatusListPrefix,
    /// The client's authentication at an introspection endpoint is missing or contradictory.
    #[error("{reason}")]
    ClientAuthentication {
        /// The reason.
        reason: &'static str,
    },
    /// The file of the client's key cannot be read, or contains no private JWK.
    #[error("the client's key in {}: {reason}", .path.display())]
    ClientKeyFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The client's certificate or key cannot be read, or they do not match.
    #[error("the client's certificate: {reason}")]
    ClientCertificate {
        /// The reason.
        reason: String,
    },
    /// Not called in a tokio runtime.
    #[error("a remote key set must be started in a tokio runtime")]
    NoRuntime,
}

impl ConfigurationError {
    /// The stable name of this reason, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ConfigurationError::InvalidUri { .. } => "invalid-uri",
            ConfigurationError::InsecureUri { .. } => "insecure-uri",
            ConfigurationError::InvalidIssuer { .. } => "invalid-issuer",
            ConfigurationError::TooManyFailovers { .. } => "too-many-failovers",
            ConfigurationError::NoSource => "no-source",
            ConfigurationError::SeveralSources => "several-sources",
            ConfigurationError::Header { .. } => "invalid-header",
            ConfigurationError::TooManyHeaders { .. } => "too-many-headers",
            ConfigurationError::Proxy { .. } => "invalid-proxy",
            ConfigurationError::ClientOption { .. } => "contradictory-client",
            ConfigurationError::Clocks { .. } => "contradictory-clocks",
            ConfigurationError::Limit { .. } => "invalid-limit",
            ConfigurationError::RootCertificates => "invalid-root-certificates",
            ConfigurationError::RootCertificatesFile { .. } => "root-certificates-file",
            ConfigurationError::NoRootCertificates => "no-root-certificates",
            ConfigurationError::Tls { .. } => "invalid-tls",
            ConfigurationError::NoStatusListPrefix => "no-status-list-prefix",
            ConfigurationError::ClientAuthentication { .. } => "invalid-client-authentication",
            ConfigurationError::ClientKeyFile { .. } => "client-key-file",
            ConfigurationError::ClientCertificate { .. } => "invalid-client-certificate",
            ConfigurationError::NoRuntime => "no-runtime",
        }
    }
}

/// Why a fetch failed.
///
/// `Display` escapes text from the provider.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection: the name does not resolve, or nothing listens at the address.
    #[error("no connection could be made")]
    Connect,
    /// The TLS handshake failed: the certificate is for another host, not trusted or expired, or the peer does not
    /// speak TLS.
    #[error("the TLS handshake failed: {reason}")]
    Tls {
        /// The error of rustls.
        reason: String,
    },
    /// Plain HTTP to a name that does not resolve to this machine.
    #[error("the name of the host does not resolve to a loopback address")]
    NotLoopback,
    /// Plain HTTP to a name that does not resolve to a private address.
    #[error("the name of the host does not resolve to a private address")]
    NotPrivate,
    /// The proxy cannot be reached, or refuses to connect to the provider.
    #[error("the proxy does not connect: {reason}")]
    Proxy {
        /// The reason.
        reason: String,
    },
    /// The file of a header field cannot be read, or its text is not valid in a header field.
    #[error("the header file {}: {reason}", .path.display())]
    HeaderFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The caller's own [`HttpClient`](crate::HttpClient) failed.
    #[error("the HTTP client failed: {reason}")]
    Client {
        /// The error's text.
        reason: String,
    },
    /// The request's time limit was reached.
    #[error("no whole answer in time")]
    Timeout,
    /// The connection ended before the answer was complete, or the answer is not HTTP.
    #[error("the answer is incomplete or not HTTP")]
    Interrupted,
    /// A redirect, which is never followed: its target is not authenticated.
    #[error("the answer is a redirect (status {status})")]
    Redirect {
        /// The status code.
        status: u16,
    },
    /// A status other than 200, or 304 for an unconditional request.
    #[error("the answer has the status {status}")]
    Status {
        /// The status code.
        status: u16,
    },
    /// A media type that is neither JSON nor that of files of unknown type, or none.
    #[error("the answer's content type is {content_type:?}, and neither JSON nor application/octet-stream")]
    ContentType {
        /// The answer's content type.
        content_type: String,
    },
    /// A content coding that was not requested.
    #[error("the answer is encoded, which was not asked for")]
    ContentEncoding,
    /// A document longer than the limit.
    #[error("the document is longer than {max} bytes")]
    TooLarge {
        /// The limit in bytes.
        max: usize,
    },
    /// More keys than the limit.
    #[error("the set holds more than {max} keys")]
    TooManyKeys {
        /// The limit.
        max: usize,
    },
    /// Not a JWK set (RFC 7517 section 5).
    #[error("not a key set: {0}")]
    NotAKeySet(NotAKeyFile),
    /// A key set without a usable key.
    #[error("none of the {published} keys of the set may be used")]
    NoUsableKey {
        /// The number of keys in the set.
        published: usize,
    },
    /// Not an introspection response (RFC 7662 section 2.2): not a JSON object whose `active` is true or false.
    #[error("the answer is no JSON object whose active is true or false")]
    NotAnIntrospectionResponse,
    /// Not a status list token of the issuer about the URI that it was fetched from.
    #[error("not a status list of the issuer: {reason}")]
    NotAStatusList {
        /// The reason.
        reason: &'static str,
    },
    /// More status lists than [`MAX_STATUS_LISTS`](tollgate::limits::MAX_STATUS_LISTS).
    #[error("the issuer has more than {} status lists", tollgate::limits::MAX_STATUS_LISTS)]
    TooManyStatusLists,
    /// Not a metadata document (OpenID Connect Discovery 1.0 section 4.2, RFC 8414 section 3.2) with a `jwks_uri`.
    #[error("not a metadata document with a jwks_uri")]
    InvalidMetadata,
    /// The metadata belongs to another issuer (RFC 8414 section 3.3).
    #[error("the metadata is that of the issuer {found:?}")]
    IssuerMismatch {
        /// The metadata's `issuer`.
        found: String,
    },
    /// The metadata's `jwks_uri` is not HTTPS, or is on this machine although the metadata is not.
    #[error("the metadata names the jwks_uri {uri:?}, which is not https or not a public one")]
    InsecureJwksUri {
        /// The error's text.
        uri: String,
    },
}

impl FetchError {
    /// The stable name of this reason, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            FetchError::Connect => "connect-failed",
            FetchError::Tls { .. } => "tls-failed",
            FetchError::NotLoopback => "not-loopback",
            FetchError::NotPrivate => "not-private",
            FetchError::Proxy { .. } => "proxy-failed",
            FetchError::HeaderFile { .. } => "header-file",
            FetchError::Client { .. } => "client-failed",
            FetchError::Timeout => "timeout",
            FetchError::Interrupted => "interrupted",
            FetchError::Redirect { .. } => "redirect-refused",
            FetchError::Status { .. } => "http-status",
            FetchError::ContentType { .. } => "wrong-content-type",
            FetchError::ContentEncoding => "content-encoding-refused",
            FetchError::TooLarge { .. } => "document-too-large",
            FetchError::TooManyKeys { .. } => "too-many-keys",
            FetchError::NotAKeySet(_) => "not-a-key-set",
            FetchError::NoUsableKey { .. } => "no-usable-key",
            FetchError::NotAnIntrospectionResponse => "not-an-introspection-response",
            FetchError::NotAStatusList { .. } => "not-a-status-list",
            FetchError::TooManyStatusLists => "too-many-status-lists",
            FetchError::InvalidMetadata => "invalid-metadata",
            FetchError::IssuerMismatch { .. } => "issuer-mismatch",
            FetchError::InsecureJwksUri { .. } => "insecure-jwks-uri",
        }
    }

    /// Whether the provider was unreachable, as opposed to a forbidden answer.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            FetchError::Connect
            | FetchError::Proxy { .. }
            | FetchError::HeaderFile { .. }
            | FetchError::Client { .. }
            | FetchError::Timeout
            | FetchError::Interrupted => true,
            FetchError::Status { status } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}

/// Why a saved key set was not used, or could not be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedSetError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Not a saved set's file, or a file that is too long.
    #[error("not the file of a saved key set")]
    Malformed,
    /// The set has another source: the file belongs to another issuer.
    #[error("the file holds the key set of another source: {found:?}")]
    OtherSource {
        /// The source in the file.
        found: String,
    },
    /// Others may write to the file, so its keys could come from anybody.
    #[error("others may write the file: its mode must not have more than 0644")]
    WritableByOthers,
    /// The provider confirmed the set too long ago, or at a time in the future.
    #[error("the set is too old, or from the future")]
    TooOld,
    /// The saved set does not pass today's vetting.
    #[error("the set is refused: {0}")]
    Refused(FetchError),
}

impl SavedSetError {
    /// The stable name of this reason, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SavedSetError::Io(_) => "saved-set-io",
            SavedSetError::Malformed => "saved-set-malformed",
            SavedSetError::OtherSource { .. } => "saved-set-of-other-source",
            SavedSetError::WritableByOthers => "saved-set-writable-by-others",
            SavedSetError::TooOld => "saved-set-too-old",
            SavedSetError::Refused(_) => "saved-set-refused",
        }
    }
}
