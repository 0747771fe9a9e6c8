use crate::certificate_subject::{CertificateSubject, SubjectName};
use crate::client_id::ClientId;
use crate::client_keys::ClientKeys;
use crate::error::Refusal;
use crate::key::within;
use crate::limits::{MAX_NAME_BYTES, MAX_REDIRECT_URIS};
use crate::redirect_uri::RedirectUri;
use crate::scope_list::ScopeList;
use serde::{Deserialize, Serialize};

/// A registered OAuth client (RFC 6749 section 2). Its secrets are [keys](crate::StoredKey) of kind client-secret.
///
/// Serde writes it as an object of its fields and settings, and reads none that [`Client::new`] and [`Client::with`] refuse.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Unchecked")]
pub struct Client {
    id: ClientId,
    name: String,
    scopes: ScopeList,
    redirect_uris: Vec<RedirectUri>,
    created_at: i64,
    settings: ClientSettings,
}

/// A client as somebody wrote it down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    id: String,
    name: String,
    scopes: String,
    redirect_uris: Vec<String>,
    created_at: i64,
    settings: ClientSettings,
}

impl TryFrom<Unchecked> for Client {
    type Error = Refusal;

    fn try_from(unchecked: Unchecked) -> Result<Self, Refusal> {
        let Unchecked { id, name, scopes, redirect_uris, created_at, settings } = unchecked;
        Self::new(&id, &name, &scopes, redirect_uris, created_at)?.with(settings)
    }
}

/// What a client is, and what it may.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// What kind of program it is.
    pub kind: ClientKind,
    /// How it gets tokens, each once.
    pub grants: Vec<GrantType>,
    /// How it shows at the token endpoint who it is.
    pub auth_method: ClientAuthMethod,
    /// What it may ask users for, apart from what it may do [itself](Client::scopes): scope-tokens joined by single spaces, of a client as
    /// a [`ScopeList`] has them. None of those of administration, which begin with [`ADMIN_SCOPE_PREFIX`].
    pub user_scopes: String,
    /// Where a browser may be sent after a logout that the client asked for (OpenID Connect RP-Initiated Logout 1.0 section 3.1).
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where the client is told that a login has ended (OpenID Connect Back-Channel Logout 1.0 section 2.2).
    #[serde(default)]
    pub backchannel_logout_uri: Option<RedirectUri>,
    /// Whether it is the operator's own, whom no user has to be asked about.
    pub is_operators_own: bool,
    /// Whether it gets nothing until it is enabled.
    pub is_disabled: bool,
    /// Whether it gets no token but such as are bound to its key by DPoP (`dpop_bound_access_tokens`, RFC 9449 section 5.2).
    #[serde(default)]
    pub is_dpop_bound: bool,
    /// Whether it gets no token but such as are bound to its certificate (`tls_client_certificate_bound_access_tokens`, RFC 8705 section
    /// 3.4), and as a public client no refresh token but such.
    #[serde(default)]
    pub is_certificate_bound: bool,
    /// Whether its authorization requests have to be pushed (RFC 9126 section 6).
    #[serde(default)]
    pub requires_pushed_requests: bool,
    /// The keys that sign its assertions, of a client that authenticates by [`ClientAuthMethod::PrivateKeyJwt`], or those of its
    /// certificates, of one that does by [`ClientAuthMethod::SelfSignedTlsClientAuth`].
    #[serde(default)]
    pub jwks: Option<ClientKeys>,
    /// The subject of its certificates, of a client that authenticates by [`ClientAuthMethod::TlsClientAuth`].
    #[serde(default)]
    pub certificate_subject: Option<CertificateSubject>,
}

/// What kind of program a client is (RFC 6749 section 2.1, RFC 8252).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientKind {
    /// A web site, whose server keeps a secret.
    Web,
    /// A program on a person's device, which can keep none: it is sent back to a port of its own or by a scheme of its own.
    Native,
    /// A program in a browser, which can keep none.
    Browser,
    /// A program that speaks for itself alone.
    Machine,
}

/// How a client gets tokens: the `grant_type` of the token endpoint.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GrantType {
    /// RFC 6749 section 4.1, with PKCE.
    AuthorizationCode,
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 8628 section 3.4.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// RFC 6749 section 6: refresh tokens, along with what a user let the client have.
    RefreshToken,
}

/// How a client shows at the token endpoint who it is (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthMethod {
    /// By nothing but PKCE: a public client.
    None,
    /// By its secret in the Authorization header.
    ClientSecretBasic,
    /// By its secret in the form.
    ClientSecretPost,
    /// By its secret in either way.
    ClientSecret,
    /// By an assertion that one of its keys has signed (RFC 7523 section 2.2).
    PrivateKeyJwt,
    /// By a certificate with its subject that an authority of the operator has issued (RFC 8705 section 2.1).
    TlsClientAuth,
    /// By one of the certificates that are registered with it (RFC 8705 section 2.2).
    SelfSignedTlsClientAuth,
}

impl Client {
    /// A client that was registered at `created_at`, in seconds since the Unix epoch. `scopes`: scope-tokens joined by single
    /// spaces.
    ///
    /// [`ClientId`], [`ScopeList`] and [`RedirectUri`] say what these may be; the name is a line of text.
    ///
    /// # Errors
    /// [`Refusal::Field`] with the name of the field that is not so.
    pub fn new(
        id: &str,
        name: &str,
        scopes: &str,
        redirect_uris: impl IntoIterator<Item = impl Into<String>>,
        created_at: i64,
    ) -> Result<Self, Refusal> {
        let (id, scopes) = (ClientId::new(id)?, ScopeList::new(scopes)?);
        within("name", name.len(), 0, MAX_NAME_BYTES)?;
        check("name", !name.contains(char::is_control))?;
        let redirect_uris: Vec<RedirectUri> =
            redirect_uris.into_iter().map(RedirectUri::new).collect::<Result<_, _>>()?;
        check("redirect_uri", redirect_uris.len() <= MAX_REDIRECT_URIS)?;
        let name = name.to_owned();
        let takes_users = !redirect_uris.is_empty();
        let user_scopes = if takes_users { without_admin_scopes(&scopes).into() } else { String::new() };
        let mut grants = vec![GrantType::ClientCredentials];
        if takes_users {
            grants.insert(0, GrantType::AuthorizationCode);
        }
        let settings = ClientSettings {
            kind: if takes_users { ClientKind::Web } else { ClientKind::Machine },
            grants,
            auth_method: ClientAuthMethod::ClientSecret,
            user_scopes,
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            is_operators_own: false,
            is_disabled: false,
            jwks: None,
            certificate_subject: None,
            requires_pushed_requests: false,
            is_dpop_bound: false,
            is_certificate_bound: false,
        };
        Ok(Self { id, name, scopes, redirect_uris, created_at, settings })
    }

    /// The client with other settings; without this it is a web site that may ask users for whatever it may do itself, or a machine where
    /// there is no redirect URI.
    ///
    /// Only a client that takes codes has URIs to which browsers are sent after a logout, and only one that takes codes of either kind is told
    /// of logouts, at a URI whose scheme is not a program's own.
    ///
    /// Only a client that authenticates by certificates has a subject of these, or keys that are those of certificates.
    ///
    /// A machine has no redirect URI, and takes client credentials alone. A native or browser client is public: it may do nothing itself, and
    /// takes codes, a native client device codes too or instead, as a web site may. Only a client that takes codes of either kind may have refresh tokens. A client with redirect URIs takes codes, and no other does. A redirect URI with a scheme of the program's own, which
    /// has a dot in it (RFC 8252 section 7.1), is a native client's.
    ///
    /// # Errors
    /// [`Refusal::Field`] with the name of what does not go together with the rest.
    pub fn with(self, settings: ClientSettings) -> Result<Self, Refusal> {
        let ClientSettings { kind, grants, auth_method, jwks, .. } = &settings;
        let has = |grant| grants.contains(&grant);
        let user_scopes = ScopeList::new(&settings.user_scopes).map_err(|_| Refusal::Field { field: "user_scope" })?;
        check("user_scope", without_admin_scopes(&user_scopes) == user_scopes)?;
        let asks_users = has(GrantType::AuthorizationCode) || has(GrantType::DeviceCode);
        check("user_scope", user_scopes.as_str().is_empty() || asks_users)?;
        let is_public = *auth_method == ClientAuthMethod::None;
        let each_once = grants.iter().enumerate().all(|(index, grant)| !grants[..index].contains(grant));
        check("grants", each_once && !grants.is_empty())?;
        check("redirect_uri", has(GrantType::AuthorizationCode) != self.redirect_uris.is_empty())?;
        check("token_endpoint_auth_method", is_public == matches!(kind, ClientKind::Native | ClientKind::Browser))?;
        let is_self_signed = *auth_method == ClientAuthMethod::SelfSignedTlsClientAuth;
        check("jwks", jwks.is_some() == (is_self_signed || *auth_method == ClientAuthMethod::PrivateKeyJwt))?;
        if let Some(jwks) = jwks.as_ref().filter(|_| is_self_signed) {
            jwks.certificates()?;
        }
        let subject = settings.certificate_subject.as_ref();
        let field = subject.map_or(SubjectName::SubjectDn, CertificateSubject::name).as_str();
        check(field, subject.is_some() == (*auth_method == ClientAuthMethod::TlsClientAuth))?;
        check("grants", !(is_public && has(GrantType::ClientCredentials)))?;
        check(
            "grants",
            !has(GrantType::RefreshToken) || has(GrantType::AuthorizationCode) || has(GrantType::DeviceCode),
        )?;
        check("grants", *kind != ClientKind::Machine || *grants == [GrantType::ClientCredentials])?;
        let has_device = matches!(kind, ClientKind::Native | ClientKind::Web);
        check("grants", has_device || !has(GrantType::DeviceCode))?;
        check("scope", has(GrantType::ClientCredentials) || self.scopes.as_str().is_empty())?;
        let fits = |uri: &RedirectUri| *kind == ClientKind::Native || !uri.is_private_use();
        check("redirect_uri", self.redirect_uris.iter().all(fits))?;
        let after_logout = &settings.post_logout_redirect_uris;
        check("post_logout_redirect_uri", after_logout.is_empty() || has(GrantType::AuthorizationCode))?;
        check("post_logout_redirect_uri", after_logout.len() <= MAX_REDIRECT_URIS && after_logout.iter().all(fits))?;
        let may_be_told = |uri: &RedirectUri| asks_users && !uri.is_private_use();
        check("backchannel_logout_uri", settings.backchannel_logout_uri.as_ref().is_none_or(may_be_told))?;
        Ok(Self { settings: ClientSettings { user_scopes: user_scopes.into(), ..settings }, ..self })
    }

    /// Whether its settings go together with the rest. Every [command](crate::Command) that adds or changes a client checks.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn check(&self) -> Result<(), Refusal> {
        self.clone().with(self.settings.clone()).map(drop)
    }

    /// What it is and what it may.
    #[must_use]
    pub fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    /// Whether it can keep no secret, and shows who it is by PKCE alone.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.settings.auth_method == ClientAuthMethod::None
    }

    /// Whether it authenticates by a secret that this store keeps the digest of.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.settings.auth_method.is_by_secret()
    }

    /// Whether a code may be sent to that URI: one that is registered, compared as whole strings (RFC 9700 section 2.1); of a native client on
    /// a loopback address whichever port it has got from its system (RFC 8252 section 7.3).
    #[must_use]
    pub fn is_redirected_to(&self, uri: &str) -> bool {
        let is_native = self.settings.kind == ClientKind::Native;
        self.redirect_uris
            .iter()
            .any(|registered| registered.as_str() == uri || is_native && registered.is_on_any_port(uri))
    }

    pub(crate) fn with_disabled(self, is_disabled: bool) -> Self {
        Self { settings: ClientSettings { is_disabled, ..self.settings }, ..self }
    }

    /// The `client_id`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// A name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the client may do itself, as a [`ScopeList`] has it.
    #[must_use]
    pub fn scopes(&self) -> &str {
        self.scopes.as_str()
    }

    /// Where authorization codes may be sent ([`is_redirected_to`](Self::is_redirected_to)).
    #[must_use]
    pub fn redirect_uris(&self) -> &[RedirectUri] {
        &self.redirect_uris
    }

    /// When the client was registered, in seconds since the Unix epoch.
    #[must_use]
    pub fn created_at(&self) -> i64 {
        self.created_at
    }
}

/// What the ids of users begin with, and those of no clients.
pub const USER_ID_PREFIX: &str = "usr_";

/// What the scopes of administration begin with. No client gets them from a user.
pub const ADMIN_SCOPE_PREFIX: &str = "admin:";

/// Those that a user can let a client have.
fn without_admin_scopes(scopes: &ScopeList) -> ScopeList {
    scopes.filter(|scope| !scope.starts_with(ADMIN_SCOPE_PREFIX))
}

fn check(field: &'static str, holds: bool) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::Field { field }) }
}

macro_rules! names {
    ($type:ty: $($variant:ident $name:literal),*) => {
        impl $type {
            /// A stable name, of the standards where they have one.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }

            /// The one of that [name](Self::as_str).
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

names!(ClientKind: Web "web", Native "native", Browser "browser", Machine "machine");
names!(GrantType: AuthorizationCode "authorization_code", ClientCredentials "client_credentials",
    DeviceCode "urn:ietf:params:oauth:grant-type:device_code",
    RefreshToken "refresh_token");
names!(ClientAuthMethod: None "none", ClientSecretBasic "client_secret_basic", ClientSecretPost "client_secret_post",
    ClientSecret "client_secret", PrivateKeyJwt "private_key_jwt", TlsClientAuth "tls_client_auth",
    SelfSignedTlsClientAuth "self_signed_tls_client_auth");

impl ClientAuthMethod {
    /// Whether a client of this method has a secret.
    #[must_use]
    pub fn is_by_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecret)
    }
}

/// As the row of a client has it.
impl ClientSettings {
    /// The names of the grants, joined by single spaces.
    #[must_use]
    pub fn grant_names(&self) -> String {
        self.grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The post-logout redirect URIs, joined by single spaces.
    #[must_use]
    pub fn post_logout_redirect_uri_list(&self) -> String {
        self.post_logout_redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The redirect URIs of such a list.
    #[must_use]
    pub fn redirect_uris_from(list: &str) -> Option<Vec<RedirectUri>> {
        list.split(' ').filter(|uri| !uri.is_empty()).map(|uri| RedirectUri::new(uri).ok()).collect()
    }

    /// The grants of these names.
    #[must_use]
    pub fn grants_from(names: &str) -> Option<Vec<GrantType>> {
        names.split(' ').map(GrantType::from_name).collect()
    }
}
