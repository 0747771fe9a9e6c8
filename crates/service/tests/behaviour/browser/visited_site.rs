//! A site of another host, over TLS, that has its visitors log in at the service: it sends them there, presents the code that they come back
//! with, and greets them.

use crate::authorize::{CHALLENGE, VERIFIER};
use crate::support::{TestServer, client};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// The site `https://NAME.example`, whose client is NAME.
pub(crate) struct VisitedSite {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
}

impl VisitedSite {
    /// Registers the client, as somebody else's, and listens until the test process ends.
    pub(crate) fn start(server: &TestServer, name: &'static str, title: &str, scope: &str) -> Self {
        let redirect_uri = format!("https://{name}.example/callback");
        let secret = server.accounts.add_client(name, title, scope, &[&redirect_uri]).unwrap();
        let host = format!("{name}.example");
        let made = rcgen::generate_simple_self_signed([host]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let certificate = CertificateDer::from(made.cert.der().to_vec());
        let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let site =
            Answering { name, redirect_uri, secret: secret.secret.as_str().to_owned(), origin: server.origin.clone() };
        let site = Arc::new(site);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, site) = (Arc::clone(&config), Arc::clone(&site));
                // A browser opens connections that it then does not use.
                thread::spawn(move || drop(site.answer(stream, config)));
            }
        });
        Self { name, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}.example/", self.name)
    }

    pub(crate) fn host(&self) -> (String, u16) {
        (format!("{}.example", self.name), self.port)
    }
}

struct Answering {
    name: &'static str,
    redirect_uri: String,
    secret: String,
    origin: String,
}

impl Answering {
    fn answer(&self, stream: TcpStream, config: Arc<ServerConfig>) -> Result<(), Box<dyn std::error::Error>> {
        let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config)?, stream));
        let mut first = String::new();
        stream.read_line(&mut first)?;
        let (mut line, mut length) = (String::new(), 0);
        while stream.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            line.clear();
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let path = first.split(' ').nth(1).unwrap_or_default();
        let text = match path.split_once("/callback?") {
            Some((_, query)) => self.greeting(query),
            None if path == "/callback" => self.greeting(&String::from_utf8(body)?),
            None => {
                let (id, uri) = (self.name, &self.redirect_uri);
                // By a form where the person came to that page of the site.
                let mode = if path == "/posted" { "form_post" } else { "query" };
                format!(
                    "<a href=\"{}/oauth/v2/authorize?response_type=code&amp;client_id={id}&amp;redirect_uri={uri}&amp;state=s&amp;response_mode={mode}\
                     &amp;code_challenge={CHALLENGE}&amp;code_challenge_method=S256\">Log in</a>",
                    self.origin
                )
            }
        };
        let body = format!("<!doctype html><html lang=\"en\"><title>{}</title><body>{text}</body></html>", self.name);
        let length = body.len();
        write!(
            stream.get_mut(),
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )?;
        stream.get_mut().flush()?;
        Ok(())
    }

    fn greeting(&self, query: &str) -> String {
        let parameters: std::collections::HashMap<String, String> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let Some(code) = parameters.get("code") else { return format!("Not logged in: {}", parameters["error"]) };
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        let request =
            client().post(format!("{}/oauth/v2/token", self.origin)).basic_auth(self.name, Some(&self.secret));
        let token: Value = request.form(&form).send().unwrap().json().unwrap();
        let token = token["access_token"].as_str().unwrap_or_default();
        let profile = client().get(format!("{}/api/v2/profile", self.origin)).bearer_auth(token).send().unwrap();
        let profile: Value = profile.json().unwrap();
        let who = profile["data"]["email"].as_str().unwrap_or("somebody without a name");
        format!("Hello, {who}. <code>{token}</code>")
    }
}
