//! OpenID Connect Back-Channel Logout 1.0: whoever got tokens in a login is told of its end.

use super::{Provider, claims, now};
use crate::authorize::{Browser, hidden_fields};
use crate::support::{PASSWORD, decode, run_async};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use tollgate::{Engine, Issuer, KeySet, Revocation, TypProfile, TypSet};
use tollgate_service::{Config, StoreUrl, Users};
use tollgate_storage::{ClientSettings, RedirectUri};

/// A relying party's server, which answers with one status after the other, the last one again and again.
struct RelyingParty {
    uri: String,
    received: Receiver<Received>,
}

struct Received {
    content_type: String,
    logout_token: String,
}

impl RelyingParty {
    fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/logout", listener.local_addr().unwrap());
        let (sender, received) = channel();
        thread::spawn(move || {
            let mut statuses = statuses.iter().copied().chain(std::iter::repeat(*statuses.last().unwrap()));
            for stream in listener.incoming().flatten() {
                answer(stream, statuses.next().unwrap(), &sender);
            }
        });
        Self { uri, received }
    }

    fn registered(&self, settings: ClientSettings) -> ClientSettings {
        ClientSettings { backchannel_logout_uri: Some(RedirectUri::new(self.uri.as_str()).unwrap()), ..settings }
    }

    /// The next logout token.
    fn next(&self) -> Received {
        self.received.recv_timeout(Duration::from_secs(20)).expect("a logout token")
    }
}

/// One request a connection.
fn answer(stream: TcpStream, status: u16, sender: &Sender<Received>) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut content_type) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        match line.trim().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(("content-type", value)) => content_type = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (_, logout_token) =
        form_urlencoded::parse(&body).into_owned().find(|(name, _)| name == "logout_token").unwrap();
    let head = format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.into_inner().write_all(head.as_bytes()).unwrap();
    drop(sender.send(Received { content_type, logout_token }));
}

/// Sections 2.4 to 2.6, by the engine that receives it.
#[test]
fn a71_a_relying_party_gets_a_logout_token_that_the_engine_turns_into_a_revocation() {
    let party = RelyingParty::start(&[200]);
    let provider = Provider::start_with(|settings| party.registered(settings));
    let (mut browser, tokens) = provider.logged_in(&[]);
    let page = browser.open(provider.server(), "/logout", None).text().unwrap();
    browser.open(provider.server(), "/logout", Some(&hidden_fields(&page)));

    let Received { content_type, logout_token } = party.next();
    assert_eq!(content_type, "application/x-www-form-urlencoded", "section 2.5");
    let (header, logout) = decode(&logout_token);
    assert_eq!(header["typ"], "logout+jwt", "section 2.4, and RFC 8725 section 3.11");
    let id_claims = claims(&tokens);
    for name in ["iss", "sub", "sid", "aud"] {
        assert_eq!(logout[name], id_claims[name], "{name}");
    }
    let time = |name: &str| logout[name].as_i64().unwrap();
    assert!(time("exp") - time("iat") <= 120 && (now() - time("iat")).abs() < 20 && logout["jti"].is_string());
    assert_eq!(logout["events"], serde_json::json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
    assert!(logout["nonce"].is_null(), "section 2.4: prohibited");

    let jwks = provider.server().client.get(provider.server().url("/.well-known/jwks.json")).send().unwrap();
    let keys = KeySet::builder().jwks(&jwks.bytes().unwrap()).unwrap().build().unwrap();
    let typ = TypProfile::OneOf(TypSet::new(["logout+jwt"]).unwrap());
    let issuer = Issuer::new(&provider.server().origin).audience("rp").typ(typ).keys(keys);
    let engine = Engine::builder().issuer(issuer).build().unwrap();
    let principal = engine.verify(format!("Bearer {logout_token}")).unwrap();
    let session = Revocation::session(&provider.server().origin, id_claims["sid"].as_str().unwrap());
    assert_eq!(Revocation::from_logout_token(&principal).unwrap(), session);
    // And nothing else takes it.
    let bearer = format!("Bearer {logout_token}");
    for path in ["/api/v2/sites", "/oauth/v2/userinfo"] {
        assert_eq!(provider.server().get(path, &bearer).status().as_u16(), 401);
    }
}

/// Each way in which a login ends, by the service and by the command line.
#[test]
fn a71_every_door_tells() {
    let party = RelyingParty::start(&[204]);
    let folder = tempfile::tempdir().unwrap();
    let config = Config { store: Some(folder.path().into()), ..crate::support::config() };
    let provider = Provider::start_at(config, |settings| party.registered(settings));
    let user_id = provider.site.user_id.clone();
    let accounts = &provider.server().accounts;
    let sid = |tokens: &Value| claims(tokens)["sid"].as_str().unwrap().to_owned();
    let told = || decode(&party.next().logout_token).1["sid"].as_str().unwrap().to_owned();

    let (_, tokens) = provider.logged_in(&[]);
    accounts.end_session(&user_id, &sid(&tokens)).unwrap();
    assert_eq!(told(), sid(&tokens));
    let (_, tokens) = provider.logged_in(&[]);
    let by_command =
        run_async(async { Users::open(&StoreUrl::from(folder.path())).await.unwrap().log_out(&user_id).await });
    by_command.unwrap();
    assert_eq!(told(), sid(&tokens));
    let (_, tokens) = provider.logged_in(&[]);
    accounts.set_password(&user_id, PASSWORD).unwrap();
    assert_eq!(told(), sid(&tokens));
    // Two logins end at once; a login without the client is not told of.
    let (_, first) = provider.logged_in(&[]);
    let (_, second) = provider.logged_in(&[("scope", "read:sites")]);
    let mut elsewhere = Browser::default();
    provider.log_in(&mut elsewhere, &[]);
    accounts.disable_user(&user_id).unwrap();
    let of_second = decode(second["access_token"].as_str().unwrap()).1["sid"].as_str().unwrap().to_owned();
    let mut both = [told(), told()];
    both.sort();
    let mut expected = [sid(&first), of_second];
    expected.sort();
    assert_eq!(both, expected);
}

/// Two processes of one store: one of them tells.
#[test]
fn of_two_processes_one_tells() {
    let party = RelyingParty::start(&[200]);
    let folder = tempfile::tempdir().unwrap();
    let config =
        || Config { store: Some(folder.path().into()), base_url: Some(NAME.into()), ..crate::support::config() };
    let mut provider = Provider::start_at(config(), |settings| party.registered(settings));
    provider.site.server.origin = format!("http://{}", provider.site.server.address);
    let _other = crate::support::TestServer::start_with(config());
    let mut told = Vec::new();
    for _ in 0..3 {
        let (_, tokens) = provider.logged_in(&[]);
        let sid = claims(&tokens)["sid"].clone();
        provider.server().accounts.end_session(&provider.site.user_id, sid.as_str().unwrap()).unwrap();
        told.push(sid);
    }
    for _ in 0..3 {
        let logout = decode(&party.next().logout_token).1;
        let place = told.iter().position(|sid| *sid == logout["sid"]).expect("each once");
        told.remove(place);
        assert_eq!(logout["iss"], NAME);
    }
    assert!(party.received.recv_timeout(Duration::from_millis(1_200)).is_err(), "nobody is told again");
}

const NAME: &str = "http://localhost:8080";
