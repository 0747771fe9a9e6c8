//! OpenID Connect Back-Channel Logout 1.0: whoever got tokens in a login is told of its end.

use super::{Provider, claims, now};
use crate::authorize::{Browser, hidden_fields};
use crate::support::{PASSWORD, decode, run_async};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use tollgate::{Engine, Issuer, KeySet, Revocation, TypProfile, TypSet};
use tollgate_service::{Config, StoreUrl, Users};
use tollgate_storage::{ClientSettings, RedirectUri};

/// A relying party's server, which answers with one status after the other, the last one again and again.
pub(crate) struct RelyingParty {
    uri: String,
    received: Receiver<Received>,
}

pub(crate) struct Received {
    content_type: String,
    pub(crate) logout_token: String,
}

impl RelyingParty {
    pub(crate) fn start(statuses: &'static [u16]) -> Self {
        Self::start_as("http", statuses, answer::<TcpStream>)
    }

    /// At `localhost`, with TLS.
    fn start_with_tls(statuses: &'static [u16], tls: Arc<ServerConfig>) -> Self {
        Self::start_as("https", statuses, move |stream, status, sender| {
            answer(StreamOwned::new(ServerConnection::new(Arc::clone(&tls)).unwrap(), stream), status, sender)
        })
    }

    fn start_as(
        scheme: &str,
        statuses: &'static [u16],
        answer: impl Fn(TcpStream, u16, &Sender<Received>) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = if scheme == "https" { "localhost" } else { "127.0.0.1" };
        let uri = format!("{scheme}://{host}:{}/logout", listener.local_addr().unwrap().port());
        let (sender, received) = channel();
        thread::spawn(move || {
            let mut statuses = statuses.iter().copied().chain(std::iter::repeat(*statuses.last().unwrap()));
            for stream in listener.incoming().flatten() {
                // A client that does not trust the certificate goes away.
                drop(answer(stream, statuses.next().unwrap(), &sender));
            }
        });
        Self { uri, received }
    }

    pub(crate) fn registered(&self, settings: ClientSettings) -> ClientSettings {
        ClientSettings { backchannel_logout_uri: Some(RedirectUri::new(self.uri.as_str()).unwrap()), ..settings }
    }

    /// The next logout token.
    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(Duration::from_secs(20)).expect("a logout token")
    }
}

/// One request a connection.
fn answer<S: Read + Write>(stream: S, status: u16, sender: &Sender<Received>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut content_type) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        match line.trim().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(("content-type", value)) => content_type = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (_, logout_token) =
        form_urlencoded::parse(&body).into_owned().find(|(name, _)| name == "logout_token").unwrap();
    let head = format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(head.as_bytes())?;
    reader.get_mut().flush()?;
    drop(sender.send(Received { content_type, logout_token }));
    Ok(())
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

/// Section 2.5: by HTTPS, to a certificate that the system trusts; section 2.8: whatever is not 200 is tried again.
#[test]
fn a71_by_https_a_relying_party_is_told_until_it_answers_and_five_times_at_most() {
    // What the system trusts is read once by a process, so this is another one.
    let Some(certificates) = std::env::var_os(CERTIFICATES) else {
        let folder = tempfile::tempdir().unwrap();
        let certificates = made_at(folder.path());
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args([
            "--exact",
            "oidc::backchannel::a71_by_https_a_relying_party_is_told_until_it_answers_and_five_times_at_most",
        ]);
        let output = again.env(CERTIFICATES, folder.path()).env("SSL_CERT_FILE", certificates).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    };
    let tls = |name| server_with(Path::new(&certificates), name);
    let folder = tempfile::tempdir().unwrap();
    let logged_out = |party: &RelyingParty, id: &str| {
        let config = Config { store: Some(folder.path().join(id).as_path().into()), ..crate::support::config() };
        let provider = Provider::start_at(config, |settings| party.registered(settings));
        let (_, tokens) = provider.logged_in(&[]);
        let sid = claims(&tokens)["sid"].as_str().unwrap().to_owned();
        provider.server().accounts.end_session(&provider.site.user_id, &sid).unwrap();
        (provider, Notices { file: folder.path().join(id).join("tollgate-service.sqlite3") }, sid)
    };

    let party = RelyingParty::start_with_tls(&[503, 200], tls("trusted"));
    let (_provider, notices, sid) = logged_out(&party, "answers");
    let first = decode(&party.next().logout_token).1;
    notices.are_due_after(1);
    let second = decode(&party.next().logout_token).1;
    assert_eq!((&first["sid"], &second["sid"]), (&sid.as_str().into(), &sid.as_str().into()));
    assert_ne!(first["jti"], second["jti"]);
    notices.wait_until_none();

    let party = RelyingParty::start_with_tls(&[500], tls("trusted"));
    let (_provider, notices, _) = logged_out(&party, "fails");
    for attempt in 1..=5 {
        party.next();
        if attempt < 5 {
            notices.are_due_after(attempt);
        }
    }
    notices.wait_until_none();
    assert!(party.received.recv_timeout(Duration::from_millis(1_200)).is_err(), "nobody is told again");

    let party = RelyingParty::start_with_tls(&[200], tls("unknown"));
    let (_provider, notices, _) = logged_out(&party, "is-another");
    notices.are_due_after(1);
    notices.are_due_after(2);
    assert!(party.received.try_recv().is_err(), "whoever has no certificate that is trusted gets nothing");
}

/// Where the test above finds what it has made in its first process.
const CERTIFICATES: &str = "TOLLGATE_TEST_CERTIFICATES";

/// Certificates for `localhost`; the file of the one that is to be trusted.
fn made_at(folder: &Path) -> std::path::PathBuf {
    for name in ["trusted", "unknown"] {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), made.cert.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.der")), made.cert.der()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), made.signing_key.serialize_der()).unwrap();
    }
    folder.join("trusted.pem")
}

fn server_with(folder: &Path, name: &str) -> Arc<ServerConfig> {
    let read = |kind: &str| std::fs::read(folder.join(format!("{name}.{kind}"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(read("key")).unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(vec![CertificateDer::from(read("der"))], key).unwrap())
}

/// The notices in the database of a service that runs, which are due half a minute after the first attempt, and later after further ones.
struct Notices {
    file: std::path::PathBuf,
}

impl Notices {
    /// Waits until so many attempts were made, and makes the next one due.
    fn are_due_after(&self, attempts: i64) {
        self.wait(
            "UPDATE logout_notices SET next_attempt_at = 0 WHERE attempts = ?1 AND next_attempt_at > unixepoch() + 20",
            attempts,
        );
    }

    fn wait_until_none(&self) {
        self.wait("SELECT 1 WHERE ?1 = (SELECT count(*) FROM logout_notices)", 0);
    }

    /// Waits until the statement changes or finds a row.
    fn wait(&self, statement: &str, parameter: i64) {
        let connection = rusqlite::Connection::open(&self.file).unwrap();
        let mut statement = connection.prepare(statement).unwrap();
        for _ in 0..400 {
            let is_so = if statement.readonly() {
                statement.exists([parameter]).unwrap()
            } else {
                statement.execute([parameter]).unwrap() > 0
            };
            if is_so {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("not within 20 s, with {parameter}");
    }
}
