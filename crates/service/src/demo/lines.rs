use super::admin_lines::Spare;
use super::seed::{
    BLOG_ID, BLOG_REDIRECT, CLIENT_ID, CODE_CHALLENGE, CODE_VERIFIER, EMAIL, PASSWORD, SHOP_ID, SHOP_REDIRECT,
};
use crate::oauth::{Cookie, Cookies};
use std::fmt::Write as _;

/// What the curl lines are made of. Every line stands alone: each can be pasted by itself, in any order, again and again.
pub(crate) struct Demo {
    /// Where the service is reached from this machine, whatever its public name is.
    pub(super) url: String,
    pub(super) cookies: Cookies,
    pub(super) session_token: String,
    pub(super) other_session_token: String,
    pub(super) expired_token: String,
    pub(super) access_token: String,
    pub(super) narrow_access_token: String,
    pub(super) api_key: String,
    pub(super) replaced_api_key: String,
    pub(super) client_secret: String,
    pub(super) blog_secret: String,
    pub(super) login_cookie: String,
    pub(super) used_code: String,
    pub(super) spare: Spare,
}

/// One flow, or one way in which it fails.
pub(super) struct Line {
    what: &'static str,
    /// The status, and a word on the body.
    answer: &'static str,
    arguments: String,
}

impl Demo {
    /// The lines, each under a comment `# what it does -> the answer's status and gist`.
    pub(crate) fn curl_lines(&self) -> String {
        let mut text = String::new();
        for (title, lines) in [
            ("Service A: sessions and sites", self.service_a()),
            ("Service A: what fails", self.service_a_failures()),
            ("Service A: API keys", self.api_keys()),
            ("Service A: log in once, for every site", self.login()),
            ("Administration", self.administration()),
            ("Service B: client credentials", self.service_b()),
            ("Service B: what fails", self.service_b_failures()),
            ("What anybody may read", self.public()),
        ] {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "## {title}\n");
            for Line { what, answer, arguments } in lines {
                let _ = writeln!(text, "# {what} -> {answer}\ncurl -isSw '\\n' {arguments}\n");
            }
        }
        text
    }

    fn service_a(&self) -> Vec<Line> {
        let Self { api_key, session_token, .. } = self;
        let (sessions, sites) = (self.url("/api/v2/sessions"), self.url("/api/v2/sites"));
        vec![
            line(
                "A session for an API key",
                "200, the session token in meta.jwt",
                format!("-X POST {sessions} -H 'Authorization: {api_key}'"),
            ),
            line(
                "A session for e-mail and password",
                "200, and data tells whether there is an API key",
                format!("{sessions} {JSON} -d '{{\"session\":{{\"email\":\"{EMAIL}\",\"password\":\"{PASSWORD}\"}}}}'"),
            ),
            line(
                "The user's sites, with the raw session token",
                "200, two sites",
                format!("{sites} -H 'Authorization: {session_token}'"),
            ),
            line(
                "The same with Bearer",
                "200, two sites",
                format!("{sites} -H 'Authorization: Bearer {session_token}'"),
            ),
            line("The same with the raw API key", "200, two sites", format!("{sites} -H 'Authorization: {api_key}'")),
            line(
                "The same with the API key as Bearer",
                "200, two sites",
                format!("{sites} -H 'Authorization: Bearer {api_key}'"),
            ),
            line(
                "The same with the API key in a header of its own",
                "200, two sites",
                format!("{sites} -H 'X-API-Key: {api_key}'"),
            ),
        ]
    }

    fn service_a_failures(&self) -> Vec<Line> {
        let Self { api_key, session_token, expired_token, access_token, replaced_api_key, .. } = self;
        let (sessions, sites) = (self.url("/api/v2/sessions"), self.url("/api/v2/sites"));
        let unsigned = session_token.rsplit_once('.').map_or("", |(signed, _)| signed);
        let wrong = api_key.strip_suffix(|_: char| true).unwrap_or_default();
        vec![
            line("No credential", "401, challenge Bearer", sites.clone()),
            line("Garbage", "401 invalid_token", format!("{sites} -H 'Authorization: Bearer nonsense'")),
            line(
                "A token without its signature",
                "401 invalid_token",
                format!("{sites} -H 'Authorization: Bearer {unsigned}.'"),
            ),
            line(
                "An expired token",
                "401 invalid_token",
                format!("{sites} -H 'Authorization: Bearer {expired_token}'"),
            ),
            line("A mistyped API key", "401 invalid_token", format!("{sites} -H 'Authorization: {wrong}'")),
            line(
                "An API key that was rotated away",
                "401 invalid_token",
                format!("{sites} -H 'Authorization: {replaced_api_key}'"),
            ),
            line(
                "Two credentials at once",
                "400 invalid_request",
                format!("{sites} -H 'Authorization: {api_key}' -H 'X-API-Key: {api_key}'"),
            ),
            line(
                "A client's token, which lacks read:sites",
                "403 insufficient_scope",
                format!("{sites} -H 'Authorization: Bearer {access_token}'"),
            ),
            line(
                "A wrong password",
                "401 invalid_credentials",
                format!("{sessions} {JSON} -d '{{\"session\":{{\"email\":\"{EMAIL}\",\"password\":\"guess\"}}}}'"),
            ),
            line("No credential for a session", "401, challenge Bearer", format!("-X POST {sessions}")),
            line(
                "A session token for a session: it must end some time",
                "401 invalid_token",
                format!("-X POST {sessions} -H 'Authorization: Bearer {session_token}'"),
            ),
            line("A body that is no JSON", "400 invalid_request", format!("{sessions} {JSON} -d 'email=ada'")),
        ]
    }

    fn api_keys(&self) -> Vec<Line> {
        let Self { session_token, other_session_token, access_token, .. } = self;
        let api_keys = self.url("/api/v2/api_keys");
        vec![
            line(
                "The profile",
                "200, with the ids of the API keys",
                format!("{} -H 'Authorization: Bearer {session_token}'", self.url("/api/v2/profile")),
            ),
            line(
                "Rotate the API key (of another user, so that the lines above keep working)",
                "201, the new key, shown once",
                format!(
                    "-X POST {} -H 'Authorization: Bearer {other_session_token}'",
                    self.url("/api/v2/profile/api-key")
                ),
            ),
            line(
                "A further API key, with fewer scopes",
                "201, the key, shown once",
                format!(
                    "{api_keys} -H 'Authorization: Bearer {session_token}' {JSON} -d '{{\"api_key\":{{\"name\":\"phone\",\"scope\":\"read:sites\"}}}}'"
                ),
            ),
            line(
                "The API keys, never the secrets",
                "200, a list",
                format!("{api_keys} -H 'Authorization: Bearer {session_token}'"),
            ),
            line(
                "A further API key that would do more than the user may",
                "403 insufficient_scope",
                format!(
                    "{api_keys} -H 'Authorization: Bearer {session_token}' {JSON} -d '{{\"api_key\":{{\"name\":\"phone\",\"scope\":\"read:reports\"}}}}'"
                ),
            ),
            line(
                "The profile of a client, which has none",
                "403 access_denied",
                format!("{} -H 'Authorization: Bearer {access_token}'", self.url("/api/v2/profile")),
            ),
        ]
    }

    fn login(&self) -> Vec<Line> {
        let Self { login_cookie, used_code, blog_secret, cookies, .. } = self;
        let (session_cookie, form_cookie) = (cookies.name(Cookie::Session), cookies.name(Cookie::LoginForm));
        let blog = self.authorize_url(BLOG_ID, BLOG_REDIRECT);
        let shop = self.authorize_url(SHOP_ID, SHOP_REDIRECT);
        let elsewhere = self.authorize_url(BLOG_ID, "http://127.0.0.1:9998/elsewhere");
        let token = self.url("/oauth/v2/token");
        let exchange = format!(
            "{token} -u {BLOG_ID}:{blog_secret} -d grant_type=authorization_code -d redirect_uri={BLOG_REDIRECT}"
        );
        // The code that a line needs is fetched in the line itself: codes live a minute.
        let fresh_code = format!(
            "-d code=\"$(curl -isS -b {session_cookie}={login_cookie} {blog} | sed -n 's/.*[?&]code=\\([^&]*\\).*/\\1/p')\""
        );
        vec![
            line("The blog sends its visitor here", "200, the login form", blog.clone()),
            line(
                "The visitor logs in",
                "303 to the blog with a code, and a session cookie",
                format!(
                    "{} -b {form_cookie}={FORM_TOKEN} -d form_token={FORM_TOKEN} -d email={EMAIL} -d password={PASSWORD} {}",
                    self.url("/oauth/v2/authorize"),
                    authorize_fields(BLOG_ID, BLOG_REDIRECT),
                ),
            ),
            line(
                "The blog exchanges the code",
                "200, an access token for the user",
                format!("{exchange} -d code_verifier={CODE_VERIFIER} {fresh_code}"),
            ),
            line(
                "The shop sends the same visitor, who is logged in already",
                "303 to the shop with a code, no form",
                format!("-b {session_cookie}={login_cookie} {shop}"),
            ),
            line(
                "Another verifier than the challenge's",
                "400 invalid_grant",
                format!("{exchange} -d code_verifier={WRONG_VERIFIER} {fresh_code}"),
            ),
            line(
                "A code that was used before",
                "400 invalid_grant",
                format!("{exchange} -d code_verifier={CODE_VERIFIER} -d code={used_code}"),
            ),
            line("A redirect URI that the blog did not register", "400, and no redirect", elsewhere),
            line(
                "A form that another site made up",
                "403, the form again",
                format!(
                    "{} -d email={EMAIL} -d password={PASSWORD} {}",
                    self.url("/oauth/v2/authorize"),
                    authorize_fields(BLOG_ID, BLOG_REDIRECT),
                ),
            ),
        ]
    }

    fn service_b(&self) -> Vec<Line> {
        let Self { client_secret, access_token, .. } = self;
        let (token, reports) = (self.url("/oauth/v2/token"), self.url("/api/v2/reports"));
        vec![
            line(
                "A token for client id and secret, by Basic",
                "200, access_token for an hour",
                format!("-u {CLIENT_ID}:{client_secret} {token} -d grant_type=client_credentials"),
            ),
            line(
                "The same with the secret in the form",
                "200, access_token for an hour",
                format!(
                    "{token} -d grant_type=client_credentials -d client_id={CLIENT_ID} -d client_secret={client_secret}"
                ),
            ),
            line(
                "A token that may do less",
                "200, scope read:reports",
                format!(
                    "-u {CLIENT_ID}:{client_secret} {token} -d grant_type=client_credentials -d scope=read:reports"
                ),
            ),
            line(
                "The reports, with the token",
                "200, the reports",
                format!("{reports} -H 'Authorization: Bearer {access_token}'"),
            ),
        ]
    }

    fn service_b_failures(&self) -> Vec<Line> {
        let Self { client_secret, narrow_access_token, session_token, api_key, .. } = self;
        let (token, reports) = (self.url("/oauth/v2/token"), self.url("/api/v2/reports"));
        vec![
            line(
                "A wrong secret",
                "401 invalid_client, challenge Basic",
                format!("-u {CLIENT_ID}:wrong {token} -d grant_type=client_credentials"),
            ),
            line(
                "The reports, with id and secret themselves",
                "401 unauthorized",
                format!("-u {CLIENT_ID}:{client_secret} {reports}"),
            ),
            line(
                "Another client's secret",
                "401 invalid_client, challenge Basic",
                format!("-u {BLOG_ID}:{client_secret} {token} -d grant_type=client_credentials"),
            ),
            line(
                "A user's API key for a secret",
                "401 invalid_client, challenge Basic",
                format!("-u {CLIENT_ID}:{api_key} {token} -d grant_type=client_credentials"),
            ),
            line(
                "More scope than the client may have",
                "400 invalid_scope",
                format!("-u {CLIENT_ID}:{client_secret} {token} -d grant_type=client_credentials -d scope=read:sites"),
            ),
            line(
                "Another grant",
                "400 unsupported_grant_type",
                format!("-u {CLIENT_ID}:{client_secret} {token} -d grant_type=password"),
            ),
            line(
                "A parameter twice",
                "400 invalid_request",
                format!(
                    "-u {CLIENT_ID}:{client_secret} {token} -d grant_type=client_credentials -d scope=a -d scope=b"
                ),
            ),
            line("No token", "401, challenge Bearer", reports.clone()),
            line(
                "A token without read:reports",
                "403 insufficient_scope",
                format!("{reports} -H 'Authorization: Bearer {narrow_access_token}'"),
            ),
            line(
                "A user's session token",
                "403 insufficient_scope",
                format!("{reports} -H 'Authorization: Bearer {session_token}'"),
            ),
        ]
    }

    fn public(&self) -> Vec<Line> {
        vec![
            line("The public keys", "200, a JWKS", self.url("/.well-known/jwks.json")),
            line("The authorization server", "200, RFC 8414", self.url("/.well-known/oauth-authorization-server")),
            line("The protected resource", "200, RFC 9728", self.url("/.well-known/oauth-protected-resource")),
            line("Is it up", "200, ok", self.url("/healthz")),
            line("Something else", "404 not_found", self.url("/api/v1/sites")),
        ]
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn authorize_url(&self, client_id: &str, redirect_uri: &str) -> String {
        format!(
            "'{}/oauth/v2/authorize?response_type=code&client_id={client_id}&redirect_uri={redirect_uri}&state=xyz\
             &code_challenge={CODE_CHALLENGE}&code_challenge_method=S256'",
            self.url
        )
    }
}

fn authorize_fields(client_id: &str, redirect_uri: &str) -> String {
    format!(
        "-d response_type=code -d client_id={client_id} -d redirect_uri={redirect_uri} -d state=xyz \
         -d code_challenge={CODE_CHALLENGE} -d code_challenge_method=S256"
    )
}

pub(super) fn line(what: &'static str, answer: &'static str, arguments: String) -> Line {
    Line { what, answer, arguments }
}

pub(super) const JSON: &str = "-H 'Content-Type: application/json'";

/// A browser takes this value from the form and from the cookie; a line that sends both is like one.
const FORM_TOKEN: &str = "demo-form-token-demo-form-token-demo-form-0";

const WRONG_VERIFIER: &str = "another-verifier-another-verifier-another-v";
