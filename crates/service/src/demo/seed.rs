use crate::accounts::{AccountError, Accounts};
use crate::app::App;
use crate::error::ServerError;
use crate::ids::{new_secret, now};
use crate::login_sessions::Visitor;
use crate::pages::Cookie;
use crate::problem::Problem;
use crate::routes::scopes;
use crate::tokens::{Grant, Session};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tollgate_storage::accounts::{AuthorizationCode, PresentedCode, User};
use tollgate_storage::{Client, ClientSettings};

/// What the demo's accounts are.
pub(crate) struct Demo {
    /// Where the service is reached from this machine, whatever its public name is.
    pub(super) url: String,
    /// The variables of the curl lines. Each line stands alone: each can be pasted by itself, in any order, again and again.
    pub(super) variables: Vec<(&'static str, String)>,
    pub(super) sites: [Site; 2],
}

/// A site that has its visitors log in here.
pub(super) struct Site {
    pub(super) client_id: &'static str,
    pub(super) name: &'static str,
    pub(super) redirect_uri: String,
    pub(super) secret: String,
    pub(super) is_operators_own: bool,
}

/// Fills the store with two users, their sites and keys, an administrator, four clients, and one of each credential that no longer works.
/// Blocks.
pub(crate) fn seed(app: &App, local_addr: SocketAddr, has_tls: bool) -> Result<Demo, ServerError> {
    fill(app, &url_of(local_addr, has_tls)).map_err(|error| match error {
        AccountError::Server(error) => error,
        error => ServerError::Demo(error.to_string()),
    })
}

/// Whoever listens on all addresses is reached by that of this machine too.
fn url_of(address: SocketAddr, has_tls: bool) -> String {
    let scheme = if has_tls { "https" } else { "http" };
    let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port());
    format!("{scheme}://{}", if address.ip().is_unspecified() { loopback } else { address })
}

fn fill(app: &App, url: &str) -> Result<Demo, AccountError> {
    let accounts = &app.accounts;
    let user_scopes = [scopes::PROFILE, scopes::READ_SITES, scopes::MANAGE_API_KEYS].join(" ");
    let ada = accounts.add_user(EMAIL, PASSWORD, &user_scopes)?;
    for (name, url) in [("Notes", "https://notes.example/"), ("Looms", "https://looms.example/")] {
        accounts.add_site(&ada.id, name, url)?;
    }
    // Another user, whose site the first one must not see, and whose key the demo rotates.
    let grace = accounts.add_user("grace@example.com", PASSWORD, &user_scopes)?;
    accounts.add_site(&grace.id, "Compilers", "https://compilers.example/")?;
    accounts.add_api_key(&grace.id, "demo", &user_scopes, None)?;

    let replaced = accounts.add_api_key(&ada.id, "laptop", &user_scopes, None)?;
    accounts.rotate_api_key(&replaced.stored)?;
    let api_key = accounts.add_api_key(&ada.id, "demo", &user_scopes, None)?;

    let client_scopes = format!("{} write:reports", scopes::READ_REPORTS);
    let client = accounts.add_client(CLIENT_ID, "Reports", &client_scopes, &[])?;
    let blog = site(accounts, url, "blog", "The Blog", false)?;
    let shop = site(accounts, url, "shop", "The Shop", true)?;
    let spare = spare(accounts)?;

    let now = now();
    let session = |user: &User| {
        let begun = app.begin_token_session(user, Visitor::unknown(), &user.scopes, None).map_err(failed)?;
        Ok::<_, AccountError>(begun.token.to_string())
    };
    let token = |scope: &str| {
        let grant = Grant { scope, ..Grant::of(CLIENT_ID, CLIENT_ID) };
        app.tokens.access(&grant, now).map(|minted| minted.token.to_string())
    };
    let login = app.begin_browser_session(&ada, Visitor::unknown(), None).map_err(failed)?.1;
    let consent = format!("{}&form_token={FORM_TOKEN}&user={}&decision=allow", parameters(&blog), ada.id);
    let variables = vec![
        ("URL", url.to_owned()),
        ("JSON", "Content-Type: application/json".to_owned()),
        ("EMAIL", EMAIL.to_owned()),
        ("PASSWORD", PASSWORD.to_owned()),
        ("API_KEY", api_key.secret.as_str().to_owned()),
        ("REPLACED_API_KEY", replaced.secret.as_str().to_owned()),
        ("SESSION_TOKEN", session(&ada)?),
        ("OTHER_SESSION_TOKEN", session(&grace)?),
        ("EXPIRED_TOKEN", expired(app, &ada, now)?),
        ("CLIENT_SECRET", client.secret.as_str().to_owned()),
        ("ACCESS_TOKEN", token(&client_scopes)?),
        ("NARROW_ACCESS_TOKEN", token("write:reports")?),
        ("BLOG_SECRET", blog.secret.clone()),
        ("BLOG_REDIRECT", blog.redirect_uri.clone()),
        ("BLOG_REQUEST", format!("{url}/oauth/v2/authorize?{}", parameters(&blog))),
        ("SHOP_REQUEST", format!("{url}/oauth/v2/authorize?{}", parameters(&shop))),
        ("CODE_VERIFIER", CODE_VERIFIER.to_owned()),
        ("USED_CODE", used_code(app, &ada, &blog, now)?),
        // A browser takes this value from the form and from the cookie; a line that sends both is like one.
        ("FORM_TOKEN", FORM_TOKEN.to_owned()),
        ("FORM_COOKIE", app.cookies.name(Cookie::LoginForm).to_owned()),
        ("SESSION_COOKIE", app.cookies.name(Cookie::Session).to_owned()),
        ("LOGIN", login.to_string()),
        ("CONSENT", consent),
    ];
    Ok(Demo { url: url.to_owned(), variables: [variables, spare].concat(), sites: [blog, shop] })
}

/// A site of the demo, registered.
fn site(
    accounts: &Accounts,
    url: &str,
    client_id: &'static str,
    name: &'static str,
    is_operators_own: bool,
) -> Result<Site, AccountError> {
    let redirect_uri = format!("{url}/demo/{client_id}/callback");
    let scopes = [scopes::PROFILE, scopes::READ_SITES].join(" ");
    let client = Client::new(client_id, name, &scopes, [redirect_uri.as_str()], now())?;
    let settings = ClientSettings { is_operators_own, ..client.settings().clone() };
    let secret = accounts.register_client(&client.with(settings)?)?;
    let secret = secret.ok_or(AccountError::NotFound { what: "client" })?;
    let secret = secret.secret.as_str().to_owned();
    Ok(Site { client_id, name, redirect_uri, secret, is_operators_own })
}

/// The authorization request of a site, with the redirect URI last.
pub(super) fn parameters(site: &Site) -> String {
    let Site { client_id, redirect_uri, .. } = site;
    format!(
        "response_type=code&client_id={client_id}&state=xyz&code_challenge={CODE_CHALLENGE}&code_challenge_method=S256\
         &redirect_uri={redirect_uri}"
    )
}

/// What an administrator can do something with, and the administrator. Those of one line are no other's, so that any order will do.
fn spare(accounts: &Accounts) -> Result<Vec<(&'static str, String)>, AccountError> {
    let operator = accounts.add_user("operator@example.com", PASSWORD, scopes::ADMIN_KEYS)?;
    let admin_key = accounts.add_api_key(&operator.id, "demo", scopes::ADMIN_KEYS, None)?;
    accounts.add_client("spare-client", "Spare", scopes::READ_REPORTS, &[])?;
    let id = || {
        let spare = accounts.add_api_key(&operator.id, "spare", "", None)?;
        Ok::<_, AccountError>(spare.stored.record.id().to_owned())
    };
    Ok(vec![
        ("ADMIN_KEY", admin_key.secret.as_str().to_owned()),
        ("SWITCHED_KEY_ID", id()?),
        ("ROTATED_KEY_ID", id()?),
        ("REVOKED_KEY_ID", id()?),
    ])
}

/// A token that has expired.
fn expired(app: &App, user: &User, now: i64) -> Result<String, AccountError> {
    let session =
        Session { id: "the-demo's-ended-session", user_id: &user.id, scope: &user.scopes, expires_at: now - 60 };
    Ok(app.tokens.session(&session, now - 120)?.token.to_string())
}

fn failed(problem: Problem) -> AccountError {
    AccountError::Server(ServerError::Demo(format!("{problem:?}")))
}

/// A code that was exchanged already.
fn used_code(app: &App, user: &User, site: &Site, now: i64) -> Result<String, AccountError> {
    let (code, digest) = new_secret()?;
    let (session, _) = app.begin_browser_session(user, Visitor::unknown(), None).map_err(failed)?;
    let issued = AuthorizationCode {
        digest,
        client_id: site.client_id.into(),
        user_id: user.id.clone(),
        session_id: session.id,
        redirect_uri: site.redirect_uri.clone(),
        code_challenge: CODE_CHALLENGE.into(),
        scope: scopes::READ_SITES.into(),
        nonce: None,
        dpop_jkt: None,
        created_at: now,
        expires_at: now.saturating_add(1),
        token_id: "the-demo's-used-code".into(),
    };
    let (keys, store) = (&app.accounts.keys, &app.accounts.store);
    keys.wait(store.add_code(&issued, app.tokens.access_token_ttl()))?;
    let AuthorizationCode { client_id, redirect_uri, code_challenge, dpop_jkt, .. } = issued;
    let presented = PresentedCode { digest, client_id, redirect_uri, code_challenge, dpop_jkt };
    keys.wait(store.redeem_code(&presented, now))?;
    Ok(code.to_string())
}

pub(super) const EMAIL: &str = "ada@example.com";
pub(super) const PASSWORD: &str = "the-analytical-engine";
pub(super) const CLIENT_ID: &str = "reports-client";

/// The verifier and the challenge of RFC 7636 appendix B.
pub(super) const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const FORM_TOKEN: &str = "demo-form-token-demo-form-token-demo-form-0";
