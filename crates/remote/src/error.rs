use std::io;
use std::path::PathBuf;

use tollgate_keys::NotAKeyFile;

/// Why a remote key set cannot be set up as it was described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// Not an absolute URI of the scheme `https` or `http`, or one with user information or a fragment.
    #[error("{uri:?} is not an absolute https URI without user information and fragment")]
    InvalidUri {
        /// What was given.
        uri: String,
    },
    /// Plain HTTP to another machine, or with
    /// [`danger_accept_plain_http`](crate::RemoteKeysBuilder::danger_accept_plain_http) to a public address: whoever is on
    /// the way could publish keys of his own.
    #[error("{uri:?} is not https, and its host is not one that plain HTTP may go to")]
    InsecureUri {
        /// What was given.
        uri: String,
    },
    /// An issuer's name with a query (RFC 8414 section 2).
    #[error("the issuer {issuer:?} must have no query")]
    InvalidIssuer {
        /// What was given.
        issuer: String,
    },
    /// More failover URIs than [`MAX_FAILOVERS`](crate::limits::MAX_FAILOVERS).
    #[error("{failovers} failover URIs; at most {} are taken", crate::limits::MAX_FAILOVERS)]
    TooManyFailovers {
        /// How many were given.
        failovers: usize,
    },
    /// Nothing says where the keys are.
    #[error("one of jwks_uri, x509 and discovery is needed")]
    NoSource,
    /// More than one place where the keys are.
    #[error("only one of jwks_uri, x509 and discovery can be given")]
    SeveralSources,
    /// A header field that requests cannot have.
    #[error("the header {name:?} cannot be sent: {reason}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More header fields than [`MAX_HEADERS`](crate::limits::MAX_HEADERS).
    #[error("{headers} headers; at most {} are sent", crate::limits::MAX_HEADERS)]
    TooManyHeaders {
        /// How many were given.
        headers: usize,
    },
    /// The proxy's URI is not one of an HTTP proxy. It is not shown, since it may hold a password.
    #[error("the proxy of {origin} is not a URI of the form http://host:port")]
    Proxy {
        /// Where the URI is from.
        origin: &'static str,
    },
    /// An option of the built-in HTTP client beside a client of the caller's own, which would not know of it.
    #[error("{option} does not go with an HTTP client of one's own")]
    ClientOption {
        /// The option.
        option: &'static str,
    },
    /// The clocks cannot all be kept.
    #[error("the clocks contradict each other: {contradiction}")]
    Clocks {
        /// What does not fit.
        contradiction: &'static str,
    },
    /// A limit is above the crate's own, or zero.
    #[error("the limit on {limit} must be from 1 to {max}")]
    Limit {
        /// What is limited.
        limit: &'static str,
        /// The most that may be set.
        max: usize,
    },
    /// The root certificates that were given cannot be read, or hold none.
    #[error("the root certificates cannot be read as PEM")]
    RootCertificates,
    /// The file of root certificates cannot be read.
    #[error("the root certificates in {} cannot be read: {error}", .path.display())]
    RootCertificatesFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The system has no root certificates, and none were given.
    #[error("the system has no root certificates that can be read: give some, or install them")]
    NoRootCertificates,
    /// rustls does not take what it was given.
    #[error("TLS cannot be set up: {reason}")]
    Tls {
        /// What it says.
        reason: String,
    },
    /// Nothing says where the status lists are.
    #[error("status lists need a prefix of their URIs")]
    NoStatusListPrefix,
    /// Nobody knows who asks an introspection endpoint, or two things say so.
    #[error("{reason}")]
    ClientAuthentication {
        /// What is wrong.
        reason: &'static str,
    },
    /// The file of the client's key cannot be read, or holds no private JWK.
    #[error("the client's key in {}: {reason}", .path.display())]
    ClientKeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The client's certificate or its key cannot be read, or they do not belong together.
    #[error("the client's certificate: {reason}")]
    ClientCertificate {
        /// What is wrong.
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

/// Why a fetch brought no key set.
///
/// `Display` escapes what the provider sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection: the name does not resolve, or nobody listens.
    #[error("no connection could be made")]
    Connect,
    /// The TLS handshake failed: the certificate is not that of the host, is not trusted or has expired, or the peer
    /// does not speak TLS.
    #[error("the TLS handshake failed: {reason}")]
    Tls {
        /// What rustls says.
        reason: String,
    },
    /// Plain HTTP to a name that is not that of this machine.
    #[error("the name of the host does not resolve to a loopback address")]
    NotLoopback,
    /// Plain HTTP to a name that is not that of a machine in a private network.
    #[error("the name of the host does not resolve to a private address")]
    NotPrivate,
    /// The proxy cannot be reached, or does not connect to the provider.
    #[error("the proxy does not connect: {reason}")]
    Proxy {
        /// What went wrong.
        reason: String,
    },
    /// The file of a header field cannot be read, or holds what no header field can.
    #[error("the header file {}: {reason}", .path.display())]
    HeaderFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The caller's own [`HttpClient`](crate::HttpClient) failed.
    #[error("the HTTP client failed: {reason}")]
    Client {
        /// What it says.
        reason: String,
    },
    /// The time for one request is over.
    #[error("no whole answer in time")]
    Timeout,
    /// The connection ended in the middle of the answer, or what came is not HTTP.
    #[error("the answer is incomplete or not HTTP")]
    Interrupted,
    /// A redirect, which is never followed: its target would be fetched on the word of an answer that nobody vouches
    /// for.
    #[error("the answer is a redirect (status {status})")]
    Redirect {
        /// The status code.
        status: u16,
    },
    /// A status other than 200, or 304 where nothing was asked for.
    #[error("the answer has the status {status}")]
    Status {
        /// The status code.
        status: u16,
    },
    /// A media type that is neither JSON nor that of a file of no known type, or none.
    #[error("the answer's content type is {content_type:?}, and neither JSON nor application/octet-stream")]
    ContentType {
        /// What the answer says.
        content_type: String,
    },
    /// A content coding, which was not asked for.
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
    /// A key set without a key that may be used.
    #[error("none of the {published} keys of the set may be used")]
    NoUsableKey {
        /// How many keys there are.
        published: usize,
    },
    /// Not an introspection response (RFC 7662 section 2.2): no JSON object whose `active` is true or false.
    #[error("the answer is no JSON object whose active is true or false")]
    NotAnIntrospectionResponse,
    /// Not a status list token of the issuer, about the URI that it was fetched from.
    #[error("not a status list of the issuer: {reason}")]
    NotAStatusList {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More status lists than [`MAX_STATUS_LISTS`](tollgate::limits::MAX_STATUS_LISTS).
    #[error("the issuer has more than {} status lists", tollgate::limits::MAX_STATUS_LISTS)]
    TooManyStatusLists,
    /// Not a metadata document (OpenID Connect Discovery 1.0 section 4.2, RFC 8414 section 3.2) with a `jwks_uri`.
    #[error("not a metadata document with a jwks_uri")]
    InvalidMetadata,
    /// The metadata is that of another issuer (RFC 8414 section 3.3).
    #[error("the metadata is that of the issuer {found:?}")]
    IssuerMismatch {
        /// What its `issuer` says.
        found: String,
    },
    /// The metadata's `jwks_uri` is not HTTPS, or is on this machine while the metadata is not.
    #[error("the metadata names the jwks_uri {uri:?}, which is not https or not a public one")]
    InsecureJwksUri {
        /// What it says.
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

    /// Whether the provider was out of reach, other than answering something that it must not.
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
    /// Not the file of a saved set, or one that is too long.
    #[error("not the file of a saved key set")]
    Malformed,
    /// The set of another source: the file belongs to another issuer.
    #[error("the file holds the key set of another source: {found:?}")]
    OtherSource {
        /// The source that it names.
        found: String,
    },
    /// Others may write the file, so that its keys could be anybody's.
    #[error("others may write the file: its mode must not have more than 0644")]
    WritableByOthers,
    /// The provider confirmed the set too long ago, or at a time that has not come yet.
    #[error("the set is too old, or from the future")]
    TooOld,
    /// What was saved does not pass the vetting of today.
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
