use crate::support::{EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, config, decode, json};
use reqwest::blocking::Response;
use std::collections::HashMap;
use tollgate_service::{AccessTokenFormat, Config};
use tollgate_storage::{Client, ClientSettings};

const AUTHORIZE: &str = "/oauth/v2/authorize";
pub(crate) const TOKEN: &str = "/oauth/v2/token";
const SITES: &str = "/api/v2/sites";
pub(crate) const BLOG: &str = "http://127.0.0.1:9998/callback";
const SHOP: &str = "https://shop.example/callback?from=tollgate";

// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A server with the user, and the clients `blog` and `shop`, which are the operator's own.
pub(crate) struct Site {
    pub(crate) server: TestServer,
    pub(crate) user_id: String,
    blog_secret: String,
    shop_secret: String,
}

/// A browser: the cookies that it was given.
#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) cookies: HashMap<String, String>,
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::start_with(AccessTokenFormat::Jwt)
    }

    pub(crate) fn start_with(access_token_format: AccessTokenFormat) -> Self {
        Self::start_at(Config { store: None, access_token_format, ..config() })
    }

    pub(crate) fn start_at(config: Config) -> Self {
        let server = TestServer::start_with(config);
        let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites manage:api-keys").unwrap();
        let blog_secret = own_client(&server, "blog", "The <Blog>", "read:sites read:reports", BLOG);
        let shop_secret = own_client(&server, "shop", "The Shop", "read:sites", SHOP);
        Self { server, user_id: user.id, blog_secret, shop_secret }
    }

    pub(crate) fn exchange(&self, client: (&str, &str), code: &str, redirect_uri: &str, verifier: &str) -> Response {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let (id, secret) = client;
        self.server.client.post(self.server.url(TOKEN)).basic_auth(id, Some(secret)).form(&form).send().unwrap()
    }

    pub(crate) fn blog(&self) -> (&str, &str) {
        ("blog", &self.blog_secret)
    }

    pub(crate) fn shop(&self) -> (&str, &str) {
        ("shop", &self.shop_secret)
    }

    /// A browser that logged in at the blog, and the code that the blog got.
    pub(crate) fn logged_in(&self) -> (Browser, String) {
        let mut browser = Browser::default();
        let page = browser.get(&self.server, &request(&[])).text().unwrap();
        let answer = browser.submit(&self.server, &page, EMAIL, PASSWORD);
        let code = code_in(&location(&answer));
        (browser, code)
    }
}

/// Registers a client of the operator's own; its secret.
fn own_client(server: &TestServer, id: &str, name: &str, scopes: &str, redirect_uri: &str) -> String {
    let client = Client::new(id, name, scopes, [redirect_uri], 0).unwrap();
    let settings = ClientSettings { is_operators_own: true, ..client.settings().clone() };
    let secret = server.accounts.register_client(&client.with(settings).unwrap()).unwrap().unwrap();
    secret.secret.as_str().to_owned()
}

impl Browser {
    pub(crate) fn get(&mut self, server: &TestServer, query: &[(String, String)]) -> Response {
        let request = server.client.get(server.url(AUTHORIZE)).query(query);
        let response = request.header("cookie", self.cookie_header()).send().unwrap();
        self.keep_cookies(&response);
        response
    }

    /// The answer to an authorization request, once the user has allowed what the client asks for where the user is asked.
    pub(crate) fn allow(&mut self, server: &TestServer, query: &[(String, String)]) -> Response {
        let answer = self.get(server, query);
        if answer.status().as_u16() != 200 {
            return answer;
        }
        let page = answer.text().unwrap();
        let form = page.split(r#"action="/oauth/v2/consent""#).nth(1).expect("the consent page");
        let mut fields = hidden_fields(form);
        fields.push(("decision".to_owned(), "allow".to_owned()));
        self.open(server, "/oauth/v2/consent", Some(&fields))
    }

    /// GET or POST of a page of the service.
    pub(crate) fn open(&mut self, server: &TestServer, path: &str, form: Option<&[(String, String)]>) -> Response {
        let request = match form {
            None => server.client.get(server.url(path)),
            Some(fields) => server.client.post(server.url(path)).form(fields),
        };
        let response = request.header("cookie", self.cookie_header()).send().unwrap();
        self.keep_cookies(&response);
        response
    }

    /// Fills the form on `page` in and sends it, as a browser would.
    pub(crate) fn submit(&mut self, server: &TestServer, page: &str, email: &str, password: &str) -> Response {
        let mut fields = hidden_fields(page);
        fields.push(("email".to_owned(), email.to_owned()));
        fields.push(("password".to_owned(), password.to_owned()));
        self.post(server, &fields)
    }

    pub(crate) fn post(&mut self, server: &TestServer, fields: &[(String, String)]) -> Response {
        let request = server.client.post(server.url("/oauth/v2/login")).form(fields);
        let response = request.header("cookie", self.cookie_header()).send().unwrap();
        self.keep_cookies(&response);
        response
    }

    pub(crate) fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn keep_cookies(&mut self, response: &Response) {
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// The blog's authorization request, with some parameters replaced; an empty value leaves one out.
pub(crate) fn request(replaced: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut parameters: Vec<(String, String)> = [
        ("response_type", "code"),
        ("client_id", "blog"),
        ("redirect_uri", BLOG),
        ("scope", "read:sites"),
        ("state", "a&b \"<'"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for (name, value) in replaced {
        parameters.retain(|(known, _)| known != name);
        if !value.is_empty() {
            parameters.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    parameters
}

pub(crate) fn hidden_fields(page: &str) -> Vec<(String, String)> {
    let unescape = |text: &str| {
        let text = text.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"");
        text.replace("&#39;", "'").replace("&#38;", "&")
    };
    page.split(r#"<input type="hidden" name=""#)
        .skip(1)
        .map(|rest| {
            let (name, rest) = rest.split_once(r#"" value=""#).unwrap();
            let (value, _) = rest.split_once(r#"">"#).unwrap();
            (name.to_owned(), unescape(value))
        })
        .collect()
}

#[track_caller]
pub(crate) fn location(response: &Response) -> String {
    assert_eq!(response.status().as_u16(), 303);
    response.headers()["location"].to_str().unwrap().to_owned()
}

pub(crate) fn parameters_of(location: &str) -> HashMap<String, String> {
    let (_, query) = location.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

pub(crate) fn code_in(location: &str) -> String {
    parameters_of(location)["code"].clone()
}

#[test]
fn users_log_in_once_and_two_sites_get_access_tokens() {
    let site = Site::start();
    let mut browser = Browser::default();
    let page = browser.get(&site.server, &request(&[]));
    assert_eq!(page.status().as_u16(), 200);
    let answer = browser.submit(&site.server, &page.text().unwrap(), EMAIL, PASSWORD);
    let back = location(&answer);
    assert!(back.starts_with(&format!("{BLOG}?")), "{back}");
    let parameters = parameters_of(&back);
    assert_eq!(parameters["state"], "a&b \"<'");
    assert_eq!(parameters["iss"], site.server.origin, "RFC 9207");

    let token = json(site.exchange(site.blog(), &parameters["code"], BLOG, VERIFIER), 200);
    assert_eq!((&token["token_type"], &token["scope"]), (&"Bearer".into(), &"read:sites".into()));
    let (header, claims) = decode(token["access_token"].as_str().unwrap());
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!((&claims["sub"], &claims["client_id"]), (&site.user_id.clone().into(), &"blog".into()));
    json(site.server.get(SITES, token["access_token"].as_str().unwrap()), 200);

    // The second site: no form, since the browser is logged in.
    let second = request(&[("client_id", "shop"), ("redirect_uri", SHOP)]);
    let back = location(&browser.get(&site.server, &second));
    assert!(back.starts_with("https://shop.example/callback?from=tollgate&code="), "{back}");
    let token = json(site.exchange(site.shop(), &code_in(&back), SHOP, VERIFIER), 200);
    let (_, claims) = decode(token["access_token"].as_str().unwrap());
    assert_eq!((&claims["sub"], &claims["client_id"]), (&site.user_id.clone().into(), &"shop".into()));
}

#[test]
fn the_page_is_safe_to_show() {
    let site = Site::start();
    let response = Browser::default().get(&site.server, &request(&[]));
    let headers = response.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:9998;"), "{policy}");
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(headers["x-frame-options"], "DENY");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let page = response.text().unwrap();
    assert!(!page.contains("<script") && page.contains("The &#60;Blog&#62;") && !page.contains("The <Blog>"));
    assert!(!page.contains("a&b \"<'"), "the state is escaped");
}

#[test]
fn a_wrong_password_shows_the_form_again() {
    let site = Site::start();
    let mut browser = Browser::default();
    let page = browser.get(&site.server, &request(&[])).text().unwrap();
    let again = browser.submit(&site.server, &page, EMAIL, "guess");
    assert_eq!(again.status().as_u16(), 403);
    let page = again.text().unwrap();
    assert!(page.contains("role=\"alert\"") && !page.contains("guess"));
    location(&browser.submit(&site.server, &page, EMAIL, PASSWORD));
}

#[test]
fn a_form_that_another_site_made_up_logs_nobody_in() {
    let site = Site::start();
    let mut fields = request(&[]);
    fields.push(("email".into(), EMAIL.into()));
    fields.push(("password".into(), PASSWORD.into()));
    let forged = Browser::default().post(&site.server, &fields);
    assert_eq!(forged.status().as_u16(), 403);
    fields.push(("form_token".into(), "x".repeat(43)));
    // The victim's browser has a value of its own.
    let mut victim = Browser::default();
    drop(victim.get(&site.server, &request(&[])));
    let forged = victim.post(&site.server, &fields);
    assert_eq!(forged.status().as_u16(), 403);
    assert!(!victim.cookies.contains_key("tollgate-session"));
}

#[test]
fn what_puts_the_redirect_in_doubt_is_shown_and_sent_nowhere() {
    let site = Site::start();
    for (name, value) in [
        ("client_id", ""),
        ("client_id", "nobody"),
        ("redirect_uri", "http://127.0.0.1:9998/callback/"),
        ("redirect_uri", "http://127.0.0.1:9997/callback"),
        ("redirect_uri", "http://127.0.0.1:9998/callback?x=1"),
        ("redirect_uri", "http://127.0.0.1:9998/CALLBACK"),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", SHOP),
    ] {
        let response = Browser::default().get(&site.server, &request(&[(name, value)]));
        assert_eq!(response.status().as_u16(), 400, "{name}={value}");
        assert!(response.headers().get("location").is_none());
        assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("form-action 'none'"));
    }
    let mut twice = request(&[]);
    twice.push(("redirect_uri".into(), "https://evil.example/".into()));
    assert_eq!(Browser::default().get(&site.server, &twice).status().as_u16(), 400);
}

#[test]
fn other_errors_are_sent_to_the_client() {
    let site = Site::start();
    for (name, value, error, description) in [
        ("response_type", "token", "unsupported_response_type", "response_type is code"),
        ("response_type", "", "invalid_request", "response_type is missing"),
        ("code_challenge", "", "invalid_request", "code_challenge is missing"),
        ("code_challenge", "short", "invalid_request", "code_challenge is missing, or not"),
        ("code_challenge_method", "", "invalid_request", "code_challenge_method is not S256"),
        ("code_challenge_method", "plain", "invalid_request", "code_challenge_method is not S256"),
        ("scope", "read:everything", "invalid_scope", "scope asks for more"),
        ("resource", "https://api.example", "invalid_target", "resource is none of this service's"),
    ] {
        let back = location(&Browser::default().get(&site.server, &request(&[(name, value)])));
        let parameters = parameters_of(&back);
        assert!(back.starts_with(BLOG) && !parameters.contains_key("code"), "{back}");
        assert_eq!((parameters["error"].as_str(), parameters["state"].as_str()), (error, "a&b \"<'"));
        assert_eq!(parameters["iss"], site.server.origin);
        assert!(parameters["error_description"].starts_with(description), "{back}");
    }
}

#[test]
fn a_token_gets_no_scope_that_the_user_lacks() {
    let site = Site::start();
    // The client may have both, the user only the first.
    let (mut browser, _) = site.logged_in();
    let back = location(&browser.get(&site.server, &request(&[("scope", "read:sites read:reports")])));
    let token = json(site.exchange(site.blog(), &code_in(&back), BLOG, VERIFIER), 200);
    assert_eq!(token["scope"], "read:sites");
    let back = location(&browser.get(&site.server, &request(&[("scope", "read:reports")])));
    assert_eq!(parameters_of(&back)["error"], "access_denied");
}

#[test]
fn a70_a_code_is_bound_to_client_redirect_uri_and_verifier_and_wrong_ones_leave_it_good() {
    let site = Site::start();
    let (_, code) = site.logged_in();
    let wrong = "another-verifier-another-verifier-another-v";
    for (client, code, redirect_uri, verifier, error, description) in [
        (site.shop(), &*code, BLOG, VERIFIER, "invalid_grant", "unknown code"),
        (site.blog(), "nonsense", BLOG, VERIFIER, "invalid_grant", "unknown code"),
        (
            site.blog(),
            &*code,
            SHOP,
            VERIFIER,
            "invalid_grant",
            "redirect_uri differs from that of the authorization request",
        ),
        (site.blog(), &*code, BLOG, wrong, "invalid_grant", "code_verifier does not belong to the code_challenge"),
        (site.blog(), &*code, BLOG, CHALLENGE, "invalid_grant", "code_verifier does not belong to the code_challenge"),
        (
            site.blog(),
            &*code,
            BLOG,
            "short",
            "invalid_grant",
            "code_verifier is not 43 to 128 characters of A-Z a-z 0-9 - . _ ~",
        ),
        (
            site.blog(),
            &*code,
            "",
            VERIFIER,
            "invalid_grant",
            "redirect_uri differs from that of the authorization request",
        ),
        (site.blog(), &*code, BLOG, "", "invalid_request", "code_verifier is missing"),
        (site.blog(), "", BLOG, VERIFIER, "invalid_request", "code is missing"),
    ] {
        let response = site.exchange(client, code, redirect_uri, verifier);
        assert_eq!(described(response, 400), (error.to_owned(), description.to_owned()));
    }
    json(site.exchange(site.blog(), &code, BLOG, VERIFIER), 200);
    // Presented by another client, a used code revokes nothing.
    let response = site.exchange(site.shop(), &code, BLOG, VERIFIER);
    assert_eq!(described(response, 400).1, "unknown code");
    let response = site.exchange(site.blog(), &code, BLOG, VERIFIER);
    assert_eq!(described(response, 400).1, "the code was used before; what was made from it is revoked");
}

/// Of whatever is wrong with a code, another client learns that it is unknown, and no more.
#[test]
fn a70_an_expired_code_is_told_to_its_own_client_alone() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Some(folder.path().into());
    let site = Site::start_at(Config { store, ..config() });
    let (_, code) = site.logged_in();
    let file = rusqlite::Connection::open(folder.path().join("tollgate-service.sqlite3"))?;
    assert_eq!(file.execute("UPDATE authorization_codes SET expires_at = 1", [])?, 1);
    let wrong = "another-verifier-another-verifier-another-v";
    for (redirect_uri, verifier, own) in [
        (BLOG, VERIFIER, "the code has expired"),
        (SHOP, VERIFIER, "redirect_uri differs from that of the authorization request"),
        (BLOG, wrong, "code_verifier does not belong to the code_challenge"),
    ] {
        let [own_answer, other] =
            [site.blog(), site.shop()].map(|client| site.exchange(client, &code, redirect_uri, verifier));
        assert_eq!(described(own_answer, 400), ("invalid_grant".to_owned(), own.to_owned()));
        assert_eq!(described(other, 400), ("invalid_grant".to_owned(), "unknown code".to_owned()));
    }
    Ok(())
}

/// The `error` and the `error_description` of an answer.
fn described(response: Response, status: u16) -> (String, String) {
    let body = json(response, status);
    let member = |name: &str| body[name].as_str().unwrap().to_owned();
    (member("error"), member("error_description"))
}

#[test]
fn a_code_used_twice_takes_its_token_along() -> TestResult {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let site = Site::start_with(format);
        let (_, code) = site.logged_in();
        let token = json(site.exchange(site.blog(), &code, BLOG, VERIFIER), 200);
        let token = format!("Bearer {}", token["access_token"].as_str().unwrap());
        json(site.server.get(SITES, &token), 200);
        assert_problem(site.exchange(site.blog(), &code, BLOG, VERIFIER), 400, None, "invalid_grant");
        assert_problem(site.server.get(SITES, &token), 401, INVALID_TOKEN, "invalid_token");
    }
    Ok(())
}

#[test]
fn a_made_up_session_cookie_logs_nobody_in() {
    let site = Site::start();
    let mut browser = Browser::default();
    browser.cookies.insert("tollgate-session".into(), "x".repeat(43));
    assert_eq!(browser.get(&site.server, &request(&[])).status().as_u16(), 200, "the form");
}
