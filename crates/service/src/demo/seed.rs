use super::admin_lines::Spare;
use super::lines::Demo;
use crate::accounts::{AccountError, Accounts};
use crate::app::App;
use crate::error::ServerError;
use crate::ids::{new_secret, now};
use crate::login_sessions::Visitor;
use crate::problem::Problem;
use crate::routes::scopes;
use crate::tokens::{Grant, Session};
use std::net::SocketAddr;
use tollgate_storage::accounts::{AuthorizationCode, PresentedCode, User};

/// Fills the store with two users, their sites and keys, an administrator, four clients, and one of each credential that no longer works.
/// Blocks.
pub(crate) fn seed(app: &App, local_addr: SocketAddr) -> Result<Demo, ServerError> {
    fill(app, local_addr).map_err(|error| match error {
        AccountError::Server(error) => error,
        error => ServerError::Demo(error.to_string()),
    })
}

fn fill(app: &App, local_addr: SocketAddr) -> Result<Demo, AccountError> {
    let accounts = &app.accounts;
    let user_scopes = format!("{} {}", scopes::READ_SITES, scopes::MANAGE_API_KEYS);
    let ada = accounts.add_user(EMAIL, PASSWORD, &user_scopes)?;
    for (name, url) in [("Notes", "https://notes.example/"), ("Looms", "https://looms.example/")] {
        accounts.add_site(&ada.id, name, url)?;
    }
    // Another user, whose site the first one must not see, and whose key the demo rotates.
    let grace = accounts.add_user("grace@example.com", PASSWORD, &user_scopes)?;
    accounts.add_site(&grace.id, "Compilers", "https://compilers.example/")?;
    accounts.add_api_key(&grace.id, "demo", &user_scopes, None)?;

    let api_key = accounts.add_api_key(&ada.id, "demo", &user_scopes, None)?;
    let replaced = accounts.add_api_key(&ada.id, "replaced", &user_scopes, None)?;
    accounts.rotate_api_key(&replaced.stored)?;

    let client_scopes = format!("{} write:reports", scopes::READ_REPORTS);
    let client = accounts.add_client(CLIENT_ID, "Reports", &client_scopes, &[])?;
    let blog = accounts.add_client(BLOG_ID, "The Blog", scopes::READ_SITES, &[BLOG_REDIRECT])?;
    accounts.add_client(SHOP_ID, "The Shop", scopes::READ_SITES, &[SHOP_REDIRECT])?;

    let now = now();
    let session = |user: &User| {
        let begun = app.begin_token_session(user, Visitor::unknown(), &user.scopes, None).map_err(failed)?;
        Ok::<_, AccountError>(begun.token.to_string())
    };
    let token = |scope: &str| {
        let grant = Grant { client_id: CLIENT_ID, subject: CLIENT_ID, scope, token_id: None, session_id: None };
        app.tokens.access(&grant, now).map(|minted| minted.token.to_string())
    };
    Ok(Demo {
        url: format!("http://{local_addr}"),
        cookies: app.cookies,
        session_token: session(&ada)?,
        other_session_token: session(&grace)?,
        expired_token: expired(app, &ada, now)?,
        access_token: token(&client_scopes)?,
        narrow_access_token: token("write:reports")?,
        api_key: api_key.secret.as_str().to_owned(),
        replaced_api_key: replaced.secret.as_str().to_owned(),
        client_secret: client.secret.as_str().to_owned(),
        blog_secret: blog.secret.as_str().to_owned(),
        login_cookie: app.begin_browser_session(&ada, Visitor::unknown()).map_err(failed)?.1.to_string(),
        used_code: used_code(app, &ada, now)?,
        spare: spare(accounts)?,
    })
}

/// What an administrator can do something with, and the administrator.
fn spare(accounts: &Accounts) -> Result<Spare, AccountError> {
    let operator = accounts.add_user("operator@example.com", PASSWORD, scopes::ADMIN_KEYS)?;
    let admin_key = accounts.add_api_key(&operator.id, "demo", scopes::ADMIN_KEYS, None)?;
    accounts.add_client(SPARE_CLIENT_ID, "Spare", scopes::READ_REPORTS, &[])?;
    let id = || {
        let spare = accounts.add_api_key(&operator.id, "spare", "", None)?;
        Ok::<_, AccountError>(spare.stored.record.id().to_owned())
    };
    Ok(Spare { admin_key: admin_key.secret.as_str().to_owned(), switched: id()?, rotated: id()?, revoked: id()? })
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
fn used_code(app: &App, user: &User, now: i64) -> Result<String, AccountError> {
    let (code, digest) = new_secret()?;
    let (session, _) = app.begin_browser_session(user, Visitor::unknown()).map_err(failed)?;
    let issued = AuthorizationCode {
        digest,
        client_id: BLOG_ID.into(),
        user_id: user.id.clone(),
        session_id: session.id,
        redirect_uri: BLOG_REDIRECT.into(),
        code_challenge: CODE_CHALLENGE.into(),
        scope: scopes::READ_SITES.into(),
        created_at: now,
        expires_at: now.saturating_add(1),
        token_id: "the-demo's-used-code".into(),
    };
    let (keys, store) = (&app.accounts.keys, &app.accounts.store);
    keys.wait(store.add_code(&issued, app.tokens.access_token_ttl()))?;
    let AuthorizationCode { client_id, redirect_uri, code_challenge, .. } = issued;
    keys.wait(store.redeem_code(&PresentedCode { digest, client_id, redirect_uri, code_challenge }, now))?;
    Ok(code.to_string())
}

pub(super) const EMAIL: &str = "ada@example.com";
pub(super) const PASSWORD: &str = "the-analytical-engine";
pub(super) const CLIENT_ID: &str = "reports-client";
pub(super) const SPARE_CLIENT_ID: &str = "spare-client";
pub(super) const BLOG_ID: &str = "blog";
pub(super) const BLOG_REDIRECT: &str = "http://127.0.0.1:9998/callback";
pub(super) const SHOP_ID: &str = "shop";
pub(super) const SHOP_REDIRECT: &str = "http://127.0.0.1:9999/callback";

/// The verifier and the challenge of RFC 7636 appendix B.
pub(super) const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
