//! The service as an OpenID Provider: OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0, Back-Channel Logout 1.0, and RFC 9470.

pub(crate) mod backchannel;
mod discovery;
mod id_tokens;
mod logout;
mod prompts;
mod step_up;
mod userinfo;

use crate::authorize::{Browser, CHALLENGE, Site, VERIFIER, code_in, location, parameters_of};
use crate::support::{EMAIL, PASSWORD, TestServer, config, decode, json};
use reqwest::blocking::Response;
use serde_json::Value;
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate_service::Config;
use tollgate_storage::{Client, ClientSettings};

const CALLBACK: &str = "https://rp.example/callback";

/// A server with the user, and the relying party `rp`, of which users are not asked.
struct Provider {
    site: Site,
    secret: String,
}

impl Provider {
    fn start() -> Self {
        Self::start_with(|settings| settings)
    }

    /// With other settings of the relying party.
    fn start_with(change: impl FnOnce(ClientSettings) -> ClientSettings) -> Self {
        Self::start_at(Config { store: None, ..config() }, change)
    }

    fn start_at(config: Config, change: impl FnOnce(ClientSettings) -> ClientSettings) -> Self {
        let site = Site::start_at(config);
        let secret = register(&site.server, "rp", CALLBACK, |settings| {
            change(ClientSettings { is_operators_own: true, ..settings })
        });
        Self { site, secret }
    }

    fn server(&self) -> &TestServer {
        &self.site.server
    }

    /// A browser that logged in at the relying party, and the tokens that it got.
    fn logged_in(&self, replaced: &[(&str, &str)]) -> (Browser, Value) {
        let mut browser = Browser::default();
        let answer = self.log_in(&mut browser, replaced);
        let tokens = self.tokens(&code_in(&answer));
        (browser, tokens)
    }

    /// Fills in the form that answers the request; where the browser is then led.
    #[track_caller]
    fn log_in(&self, browser: &mut Browser, replaced: &[(&str, &str)]) -> String {
        let page = self.ask(browser, replaced);
        assert_eq!(page.status().as_u16(), 200);
        let page = page.text().unwrap();
        assert!(page.contains(r#"name="password""#), "{page}");
        location(&browser.submit(self.server(), &page, EMAIL, PASSWORD))
    }

    /// The answer to the relying party's request, with some parameters replaced.
    fn ask(&self, browser: &mut Browser, replaced: &[(&str, &str)]) -> Response {
        browser.get(self.server(), &request(replaced))
    }

    /// What is sent to the redirect URI at once.
    #[track_caller]
    fn answer(&self, browser: &mut Browser, replaced: &[(&str, &str)]) -> HashMap<String, String> {
        let to = location(&self.ask(browser, replaced));
        assert!(to.starts_with(CALLBACK), "{to}");
        parameters_of(&to)
    }

    #[track_caller]
    fn tokens(&self, code: &str) -> Value {
        json(self.site.exchange(("rp", &self.secret), code, CALLBACK, VERIFIER), 200)
    }
}

/// Registers a client of users; its secret.
fn register(
    server: &TestServer,
    id: &str,
    redirect_uri: &str,
    change: impl FnOnce(ClientSettings) -> ClientSettings,
) -> String {
    let client = Client::new(id, "The Relying Party", "email profile read:sites", [redirect_uri], 0).unwrap();
    let settings = change(client.settings().clone());
    let secret = server.accounts.register_client(&client.with(settings).unwrap()).unwrap().unwrap();
    secret.secret.as_str().to_owned()
}

fn request(replaced: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all = vec![("client_id", "rp"), ("redirect_uri", CALLBACK), ("scope", "openid email"), ("nonce", "n-0S6")];
    all.retain(|(name, _)| !replaced.iter().any(|(replaced, _)| replaced == name));
    all.extend_from_slice(replaced);
    let request = crate::authorize::request(&all);
    assert!(request.iter().any(|(_, value)| value == CHALLENGE));
    request
}

fn id_token(tokens: &Value) -> &str {
    tokens["id_token"].as_str().unwrap()
}

fn claims(tokens: &Value) -> Value {
    decode(id_token(tokens)).1
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}
