//! Two sites, one login: what docs/operating.md has an operator do, with a browser that knows cookies and forms.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;

use reqwest::blocking::{Client, Response};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use tollgate_service::{Config, Server};

use crate::program::Program;

/// Hosts of one machine share their cookies, whatever their ports.
struct Browser {
    client: Client,
    cookies: HashMap<String, String>,
}

impl Browser {
    /// The page that a request leads to, after all redirects, and its URL.
    fn open(&mut self, url: &str, form: Option<&[(String, String)]>) -> (String, String) {
        let request = match form {
            None => self.client.get(url),
            Some(fields) => self.client.post(url).form(fields),
        };
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer: Response = request.header(COOKIE, cookies.join("; ")).send().unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        match answer.headers().get(LOCATION) {
            Some(location) => {
                let next = answer.url().join(location.to_str().unwrap()).unwrap();
                self.open(next.as_str(), None)
            }
            None => (url.to_owned(), answer.text().unwrap()),
        }
    }

    /// Sends the form of that action, with what is hidden in it and these fields.
    fn submit(&mut self, origin: &str, page: &str, action: &str, fields: &[(&str, &str)]) -> (String, String) {
        let form =
            page.split(&format!("action=\"{action}\"")).nth(1).unwrap_or_else(|| panic!("no {action} in {page}"));
        let hidden =
            form.split("</form>").next().unwrap().split("<input type=\"hidden\" name=\"").skip(1).map(|rest| {
                let (name, rest) = rest.split_once("\" value=\"").unwrap();
                (name.to_owned(), rest.split('"').next().unwrap().to_owned())
            });
        let typed = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let fields: Vec<_> = hidden.chain(typed).collect();
        self.open(&format!("{origin}{action}"), Some(&fields))
    }
}

/// A service with a user, and the origin of it.
fn service() -> (tollgate_service::Accounts, String) {
    let (ready, started) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let server = Server::bind(Config { store: None, listen, ..Config::default() }).await.unwrap();
            ready.send((server.accounts().clone(), server.origin().to_owned())).unwrap();
            server.run(std::future::pending()).await.unwrap();
        });
    });
    let (accounts, origin) = started.recv().unwrap();
    accounts.add_user("ada@example.com", "the-analytical-engine", "profile read:sites").unwrap();
    (accounts, origin)
}

#[test]
fn a_visitor_logs_in_once_for_two_sites() {
    let (accounts, origin) = service();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut browser = Browser { client, cookies: HashMap::new() };
    for (index, name) in ["notes", "shop"].into_iter().enumerate() {
        // The redirect URI names the port, which is to be known before the site listens.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let secret = accounts.add_client(name, name, "profile", &[&format!("http://{address}/callback")]).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), secret.secret.as_str()).unwrap();
        let path = file.path().to_str().unwrap();
        let site = Program::start_at(env!("CARGO_BIN_EXE_site_with_login"), &address, &[&origin, name, path]);
        let home = format!("http://{address}/");
        assert!(browser.open(&home, None).1.contains("You are not logged in"));
        let (_, mut page) = browser.open(&format!("{home}login"), None);
        if index == 0 {
            let typed = [("email", "ada@example.com"), ("password", "the-analytical-engine")];
            page = browser.submit(&origin, &page, "/oauth/v2/login", &typed).1;
        }
        let (url, page) = browser.submit(&origin, &page, "/oauth/v2/consent", &[("decision", "allow")]);
        assert_eq!(url, home);
        assert!(page.contains("Hello, usr_") && page.contains(name), "{page}");
        // An answer that belongs to no login of this browser.
        let forged = format!("{home}callback?code=x&state=y&iss={origin}");
        assert!(browser.open(&forged, None).1.contains("the answer belongs to another login"));
        drop(site);
    }
}
