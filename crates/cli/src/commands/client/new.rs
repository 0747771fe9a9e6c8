//! `tollgate client new`.

use std::path::PathBuf;

use clap::Args;
use tollgate::jwt::is_scope_token;
use tollgate::{ApiKey, KeyRecord};
use tollgate_storage::{
    Client, ClientAuthMethod, ClientKeys, ClientKind, Command, GrantType, RedirectUri, Refusal, StoredKey, new_key_id,
};

use super::certificate_subject::CertificateSubjectOption;
use super::secrets::Shown;
use crate::commands::Outcome;
use crate::commands::api_key::key_printer::KeyPrinter;
use crate::error::{CommandError, warn};
use crate::store_options::{FormatOption, StoreOption};
use crate::stream::{JsonLines, gone_or_failed};
use crate::values::{self, now};

const HELP: &str = "\
Standard output has the secret and nothing else, or with --json {\"key\":...} with the members of `tollgate client list --json`.

Examples:
  tollgate client new --id billing --scope 'read:sites write:sites' --store /var/lib/tollgate
  tollgate client new --id app --type native --scope read:sites --redirect-uri com.example.app:/callback
  tollgate client new --id shop --scope '' --user-scope read:sites --redirect-uri https://shop.example/callback
  tollgate client new --id robot --scope read:reports --auth-method tls_client_auth --tls-client-auth-subject-dn CN=robot,O=Example
  tollgate client new --id probe --scope read:reports --auth-method self_signed_tls_client_auth --certificate probe.pem";

/// Register a client and print its secret once. Only the digest is stored.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The client id. Default: random
    #[arg(long)]
    id: Option<String>,

    #[command(flatten)]
    store: StoreOption,

    /// A name for people
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,

    /// The scopes that the client may request; give the option once for each, or separate them with spaces
    #[arg(long)]
    scope: Vec<String>,

    /// A redirect URI for authorization codes; give the option once for each
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,

    /// The type of the client: web, a site with a server; native, a program on a device; browser, a program in a browser;
    /// machine, a program without a user. Default: web with a redirect URI
    #[arg(long = "type", value_name = "TYPE", value_parser = ["web", "native", "browser", "machine"])]
    kind: Option<String>,

    /// The scopes that the client may request from users; give the option once for each, or separate them with spaces.
    /// Default: those of --scope, without scopes of administration
    #[arg(long, value_name = "SCOPE")]
    user_scope: Vec<String>,

    /// A URI to which a browser may be redirected after a logout that the client requested; give the option once for each
    #[arg(long, value_name = "URI")]
    post_logout_redirect_uri: Vec<String>,

    /// The URI that is told when a login has ended (OpenID Connect Back-Channel Logout 1.0)
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,

    /// A grant type of the client; give the option once for each. Default: those of its type
    #[arg(long, value_name = "GRANT", value_parser = ["authorization_code", "client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"])]
    grant: Vec<String>,

    /// The client's authentication at the token endpoint. Default: its secret, in the Authorization header or in the form
    #[arg(long, value_name = "METHOD", value_parser = ["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"])]
    auth_method: Option<String>,

    /// The client must push its authorization requests (RFC 9126)
    #[arg(long)]
    require_pushed_requests: bool,

    /// It gets only tokens that are bound to its key by DPoP (RFC 9449)
    #[arg(long)]
    dpop_bound_tokens: bool,

    /// It gets only tokens that are bound to its certificate (RFC 8705)
    #[arg(long)]
    certificate_bound_tokens: bool,

    /// A file with the JWK set of the public keys for its assertions (private_key_jwt)
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,

    /// A file with the client's own certificates, in PEM, in place of --jwks (self_signed_tls_client_auth)
    #[arg(long, value_name = "FILE", conflicts_with = "jwks")]
    certificate: Option<PathBuf>,

    #[command(flatten)]
    certificate_subject: CertificateSubjectOption,

    /// The client is the operator's own: users are not asked for consent
    #[arg(long)]
    operators_own: bool,

    /// A public client (RFC 6749 section 2.1), which has no secret. Its type is browser unless --type says otherwise
    #[arg(long, conflicts_with_all = ["expires_in", "auth_method"])]
    public: bool,

    /// The lifetime of the secret: seconds, or 90s, 15m, 12h, 30d. Default: no end
    #[arg(long, value_name = "TIME", value_parser = values::seconds)]
    expires_in: Option<u32>,

    #[command(flatten)]
    format: FormatOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// The client as described. A public client has no scopes of its own: `--scope` lists the scopes that it may request
    /// from users.
    fn client(&self, id: &str, scopes: &str, jwks: Option<ClientKeys>) -> Result<Client, Refusal> {
        let kind = self.kind.as_deref().and_then(ClientKind::from_name);
        let is_public = self.public || matches!(kind, Some(ClientKind::Native | ClientKind::Browser));
        let of_users = Client::new(id, &self.name, scopes, &self.redirect_uri, now())?;
        let mut settings = of_users.settings().clone();
        settings.kind = kind.unwrap_or(if is_public { ClientKind::Browser } else { settings.kind });
        if is_public {
            settings.auth_method = ClientAuthMethod::None;
            settings.grants = vec![GrantType::AuthorizationCode];
        }
        if !self.grant.is_empty() {
            settings.grants = self.grant.iter().filter_map(|grant| GrantType::from_name(grant)).collect();
        }
        if is_public && self.redirect_uri.is_empty() {
            settings.user_scopes = scopes.to_owned();
        }
        if let Some(method) = self.auth_method.as_deref().and_then(ClientAuthMethod::from_name) {
            settings.auth_method = method;
        }
        if !self.user_scope.is_empty() {
            let scopes = self.user_scope.iter().flat_map(|scope| scope.split_ascii_whitespace());
            settings.user_scopes = scopes.collect::<Vec<_>>().join(" ");
        }
        let uri = |field, uri: &String| RedirectUri::new(uri.as_str()).map_err(|_| Refusal::Field { field });
        let after_logout = self.post_logout_redirect_uri.iter().map(|text| uri("post_logout_redirect_uri", text));
        settings.post_logout_redirect_uris = after_logout.collect::<Result<_, _>>()?;
        let backchannel = self.backchannel_logout_uri.as_ref().map(|text| uri("backchannel_logout_uri", text));
        settings.backchannel_logout_uri = backchannel.transpose()?;
        settings.is_operators_own = self.operators_own;
        settings.jwks = jwks;
        settings.certificate_subject = self.certificate_subject.read()?;
        settings.is_dpop_bound = self.dpop_bound_tokens;
        settings.is_certificate_bound = self.certificate_bound_tokens;
        settings.requires_pushed_requests = self.require_pushed_requests;
        let own = if is_public { "" } else { scopes };
        Client::new(id, &self.name, own, &self.redirect_uri, now())?.with(settings)
    }

    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let scopes: Vec<&str> = self.scope.iter().flat_map(|scope| scope.split_ascii_whitespace()).collect();
        if !scopes.iter().all(|scope| is_scope_token(scope)) {
            return Err(CommandError::Options("--scope contains an invalid scope-token (RFC 6749 section 3.3)"));
        }
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path).map_err(|source| CommandError::File { path: path.clone(), source })
        };
        let jwks = self.jwks.as_ref().map(read).transpose()?;
        let certificates = self.certificate.as_ref().map(read).transpose()?;
        let store = self.store.open_or_make()?;
        let failed = |source| store.failed(source);
        let refused = |refusal: Refusal| failed(refusal.into());
        let id = self.id.clone().map_or_else(|| new_key_id("client").map_err(failed), Ok)?;
        let jwks = match certificates {
            Some(pem) => Some(ClientKeys::of_certificates(&pem)),
            None => jwks.map(ClientKeys::new),
        };
        let jwks = jwks.transpose().map_err(refused)?;
        let client = self.client(&id, &scopes.join(" "), jwks).map_err(refused)?;
        let add = |secret| {
            let added = store.run_command(Command::AddClient { client: client.clone(), secret })?;
            added.map_err(refused)
        };
        if !client.has_secret() {
            if self.expires_in.is_some() {
                return Err(CommandError::Options("--expires-in is for a secret, and the client has none"));
            }
            add(None)?;
            store.tell_new();
            let mut output = JsonLines::new();
            let text = format!("{id}\n");
            let written = if self.json { output.write(&Shown::new(&client, &[])) } else { output.write_text(&text) };
            return written.and_then(|()| output.flush()).map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted));
        }
        let format = self.format.format(Some(&store))?;
        let secret = ApiKey::generate(&format).map_err(|_| CommandError::Random)?;
        let key_id = new_key_id("key").map_err(failed)?;
        let expires_at = self.expires_in.map(|seconds| client.created_at() + i64::from(seconds));
        let record = KeyRecord::client_secret(&key_id, &id).scopes(scopes).expires_at(expires_at);
        let key = StoredKey::native(&format, &secret, record).made_at(client.created_at());
        add(Some(key.clone()))?;
        store.tell_new();
        let outcome = KeyPrinter::new(self.json).print(&secret, &Shown::new(&client, &[key]))?;
        warn(&format!("the client's id is {id}; its secret is shown only this once"));
        Ok(outcome)
    }
}
