use thiserror::Error;
use tollgate::InvalidRequirement;

/// An invalid configuration of a layer.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum LayerError {
    /// A realm with a character that is not printable ASCII.
    #[error("the realm {realm:?} holds a character other than printable ASCII")]
    InvalidRealm {
        /// The realm.
        realm: Box<str>,
    },
    /// Not a header name, or `Authorization`.
    #[error("{name:?} cannot be the name of the API key's header")]
    InvalidHeaderName {
        /// The name.
        name: Box<str>,
    },
    /// A public path that is neither a plain path nor a plain prefix, or that has an invalid method.
    #[error(
        "the public path {path:?} is neither a plain path nor a plain prefix that ends in /*, nor either after methods"
    )]
    InvalidPublicPath {
        /// The path.
        path: Box<str>,
    },
    /// Not an origin: `http` or `https`, a host, an optional port, and no path.
    #[error("the public origin {origin:?} is not http or https, a host and perhaps a port")]
    InvalidOrigin {
        /// The text.
        origin: Box<str>,
    },
    /// Not the URL of a protected resource: `https`, a host, an optional port, an optional path, and no more.
    #[error("the resource {resource:?} is not a URL without query and fragment")]
    InvalidResource {
        /// The text.
        resource: Box<str>,
    },
    /// Kinds of credentials of which the engine accepts none, or no source of credentials.
    #[error("the engine accepts no credential of these kinds, or from these sources")]
    NothingAccepted,
    /// A requirement that nobody can meet.
    #[error("{0}")]
    InvalidRequirement(#[from] InvalidRequirement),
}

impl LayerError {
    /// A stable kebab-case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LayerError::InvalidRealm { .. } => "invalid-realm",
            LayerError::InvalidHeaderName { .. } => "invalid-header-name",
            LayerError::InvalidPublicPath { .. } => "invalid-public-path",
            LayerError::InvalidOrigin { .. } => "invalid-origin",
            LayerError::InvalidResource { .. } => "invalid-resource",
            LayerError::NothingAccepted => "nothing-accepted",
            LayerError::InvalidRequirement(_) => "invalid-requirement",
        }
    }
}
