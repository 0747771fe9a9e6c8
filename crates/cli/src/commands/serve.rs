//! `tollgate serve`: the reference service.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tollgate::{AddressBlock, CertificateField, ForwardedField, PublicOrigin, TrustedProxies};
use tollgate_service::{AccessTokenFormat, Certificates, Config, DpopNonces, Server, ServerError, TlsFiles};

use super::{Outcome, print};
use crate::arguments;
use crate::error::{CommandError, warn};
use crate::log_option::{Log, LogOption};
use crate::scrape::Scrape;
use crate::signals::{Signal, Signals};
use crate::store_options::{FormatOption, PepperOption, url};
use crate::values;

/// The exit status after a second signal: work in progress was not finished.
const STOPPED_AT_ONCE: i32 = 1;

const EXAMPLES: &str = r#"Each option may also stand in the file of --config, under its name with _ in place of -, and in the environment, as TOLLGATE_ and its
name in capitals. The command line wins over the environment, and the environment over the file, to which the paths in it are relative:

  store = "/var/lib/tollgate"
  listen = "0.0.0.0:443"
  base_url = "https://auth.example.com"
  tls_cert = "fullchain.pem"
  tls_key = "privkey.pem"
  session_ttl = "12h"

SIGHUP reads the file and the certificate anew: the certificate and the level of the log change at once, anything else with the next
start. Ctrl-C, or SIGTERM, lets the requests in flight finish and stops the service; a second one ends it at once.

Examples:
  tollgate serve --demo
  tollgate serve --demo --access-token-format opaque
  tollgate serve --store /var/lib/tollgate --listen 0.0.0.0:8080 --base-url https://auth.example.com
  tollgate serve --store /var/lib/tollgate --metrics 127.0.0.1:9180      # and curl http://127.0.0.1:9180/metrics
  tollgate serve --config /etc/tollgate/serve.toml
  tollgate serve --store /var/lib/tollgate --listen 0.0.0.0:443 --base-url https://auth.example.com --tls-cert fullchain.pem --tls-key privkey.pem
  tollgate serve --store /var/lib/tollgate --base-url https://auth.example.com --trusted-proxy 127.0.0.1 --client-address x-forwarded-for
  tollgate serve --config /etc/tollgate/serve.toml --mtls-listen 0.0.0.0:8443 --client-ca clients.pem"#;

/// Run the reference service: sessions, access tokens, API keys, and the API that they protect.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A file with options, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Fill a temporary store with a user, a client, an API key and a few sites, and print curl lines to try them with
    #[arg(long)]
    demo: bool,

    /// The store: a folder, also as sqlite:DIR, which is created if missing, or postgres://USER@HOST/DATABASE for several
    /// hosts. Default: ./tollgate-data. Other processes may change its keys, clients and revocations while the service
    /// runs
    #[arg(long, visible_alias = "data", value_name = "URL")]
    store: Option<PathBuf>,

    /// The address to listen on; port 0 chooses a free one
    #[arg(long, value_name = "ADDR", default_value_t = Config::default().listen)]
    listen: SocketAddr,

    /// The service's TLS certificate, followed by the intermediate certificates, in PEM. Without it the service speaks
    /// plain HTTP, only on this machine or behind a proxy that terminates TLS
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// The private key of the TLS certificate, in PEM
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,

    /// The address of a further listener, which asks clients for a certificate (RFC 8705). It has the service's TLS
    /// certificate
    #[arg(long, value_name = "ADDR")]
    mtls_listen: Option<SocketAddr>,

    /// The public origin of that listener, or at which a proxy asks for certificates. Default: the host of the public
    /// origin of the service and the port of --mtls-listen
    #[arg(long, value_name = "URL")]
    mtls_base_url: Option<String>,

    /// The authorities whose certificates authenticate clients (tls_client_auth), in PEM
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,

    /// The public origin of the service, the `iss` and `aud` of its tokens, as `https://auth.example.com`. Default:
    /// `http://` and the address listened on, if that is a loopback address
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// The address, or a block of addresses, of a trusted proxy in front of the service: its field names the client's
    /// address. Give the option once for each. Without one the client is the peer of the connection
    #[arg(long, value_name = "BLOCK", value_delimiter = ',', value_parser = values::proxy)]
    trusted_proxy: Vec<AddressBlock>,

    /// The only field from which the client's address is read: `x-forwarded-for` or `forwarded`
    #[arg(long, value_name = "FIELD", value_parser = values::forwarded_field())]
    client_address: Option<ForwardedField>,

    /// The only field from which a trusted proxy's client's certificate is read: `client-cert` or `x-ssl-client-cert`. The
    /// proxy has to overwrite it
    #[arg(long, value_name = "FIELD", value_parser = values::certificate_field(), requires = "trusted_proxy")]
    client_certificate: Option<CertificateField>,

    /// An origin whose pages may call the API from a browser, as `https://app.example.com`; give the option once for each
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<PublicOrigin>,

    /// The file of the keys that encrypt the signing keys in the store, 64 hexadecimal digits a line (`openssl rand -hex
    /// 32`): the first encrypts, each decrypts. Default: tollgate-sealing.key in the store's folder, created if missing.
    /// A database without this option holds the signing keys in clear
    #[arg(long, value_name = "FILE")]
    sealing_key_file: Option<PathBuf>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = audit_retention_help())]
    audit_retention: Option<u32>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = lifetime_help("session tokens", Config::default().session_ttl))]
    session_ttl: Option<u32>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = lifetime_help("access tokens", Config::default().access_token_ttl))]
    access_token_ttl: Option<u32>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = refresh_token_idle_ttl_help())]
    refresh_token_idle_ttl: Option<u32>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = refresh_token_ttl_help())]
    refresh_token_ttl: Option<u32>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = signing_key_ttl_help())]
    signing_key_ttl: Option<u32>,

    /// The form of access tokens: `jwt`, which any server can verify with the public keys, or `opaque`, whose records are
    /// in the store: only engines that follow the store can verify them, and each can be revoked
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Jwt)]
    access_token_format: Format,

    /// Whether clients have to push their authorization requests (RFC 9126)
    #[arg(long, value_name = "WHETHER", value_enum, default_value_t = PushedRequests::Optional)]
    pushed_requests: PushedRequests,

    /// Where a DPoP proof needs a nonce of the service (RFC 9449): nowhere, at the token endpoint and the endpoint of pushed
    /// requests, or at the API too
    #[arg(long, value_name = "WHERE", value_enum, default_value_t = Nonces::Endpoints)]
    dpop_nonces: Nonces,

    /// Serve metrics for Prometheus at /metrics of this address, which clients should not reach
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,

    #[command(flatten)]
    format: FormatOption,

    #[command(flatten)]
    pepper: PepperOption,

    #[command(flatten)]
    log: LogOption,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Jwt,
    Opaque,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Nonces {
    Off,
    Endpoints,
    Everywhere,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum PushedRequests {
    Optional,
    Required,
}

impl Arguments {
    /// The file of further options.
    pub(crate) fn option_file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    pub(crate) fn is_demo(&self) -> bool {
        self.demo
    }

    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let log = self.log.start();
        let runtime = Runtime::new().map_err(CommandError::Runtime)?;
        let mut signals = Signals::new(&runtime).map_err(CommandError::Runtime)?;
        let scrape = match self.metrics {
            Some(listen) => Some((listen, Scrape::install()?)),
            None => None,
        };
        let metrics = scrape.as_ref().map(|(_, scrape)| scrape.metrics.clone());
        let server = runtime.block_on(Server::bind(Config { metrics, ..self.config()? }))?;
        let certificates = server.certificates();
        if let Some((listen, scrape)) = scrape {
            runtime.block_on(scrape.serve(listen))?;
        }
        // The service works even if nobody reads this line.
        let _ = print(&[&format!("tollgate listens on {}\n", server.origin()), server.demo().unwrap_or_default()])?;
        let (stop, stopped) = oneshot::channel::<()>();
        let running = runtime.spawn(server.run(async { drop(stopped.await) }));
        while runtime.block_on(signals.next()) == Signal::HangUp {
            if let Err(reason) = self.reload(&log, &certificates) {
                warn(&format!("{reason}; the service goes on as it was"));
            }
        }
        drop(stop);
        let ended = runtime.block_on(async {
            tokio::select! {
                ended = running => Some(ended),
                () = signals.stop() => None,
            }
        });
        match ended {
            Some(Ok(ended)) => ended.map(|()| Outcome::Accepted).map_err(CommandError::from),
            Some(Err(_)) => Err(CommandError::Server(ServerError::Task)),
            None => {
                warn("stopped by a second signal, before all requests were answered");
                process::exit(STOPPED_AT_ONCE)
            }
        }
    }

    /// Applies the options that may change while the service runs, and warns of the others. After an error nothing has
    /// changed.
    fn reload(&self, log: &Log, certificates: &Certificates) -> Result<(), String> {
        let arguments::Arguments { command } = arguments::read().map_err(|error| error.line())?;
        // The command line is the same as before.
        let arguments::Command::Serve(anew) = command else { return Ok(()) };
        let files = anew.tls().map_err(|error| error.to_string())?;
        certificates.replace(files.as_ref(), anew.client_ca.as_deref()).map_err(|error| error.to_string())?;
        log.change(&anew.log);
        tracing::info!("the options were read again");
        let changed = self.changed(&anew);
        if !changed.is_empty() {
            warn(&format!("changed, and not applied before the next start: {}", changed.join(", ")));
        }
        Ok(())
    }

    /// The changed options among those that are read only at the start.
    fn changed(&self, anew: &Self) -> Vec<&'static str> {
        let of_the_start = |it: &Self| {
            [
                ("store", format!("{:?}", it.store)),
                ("listen", format!("{:?}", it.listen)),
                ("tls_cert", format!("{}", it.tls_cert.is_some())),
                ("mtls_listen", format!("{:?}", it.mtls_listen)),
                ("mtls_base_url", format!("{:?}", it.mtls_base_url)),
                ("client_ca", format!("{}", it.client_ca.is_some())),
                ("base_url", format!("{:?}", it.base_url)),
                ("trusted_proxy", format!("{:?}", it.trusted_proxy)),
                ("client_address", format!("{:?}", it.client_address)),
                ("client_certificate", format!("{:?}", it.client_certificate)),
                ("cors_origin", format!("{:?}", it.cors_origin)),
                ("sealing_key_file", format!("{:?}", it.sealing_key_file)),
                ("session_ttl", format!("{:?}", it.session_ttl)),
                ("access_token_ttl", format!("{:?}", it.access_token_ttl)),
                ("refresh_token_idle_ttl", format!("{:?}", it.refresh_token_idle_ttl)),
                ("refresh_token_ttl", format!("{:?}", it.refresh_token_ttl)),
                ("signing_key_ttl", format!("{:?}", it.signing_key_ttl)),
                ("access_token_format", format!("{:?}", it.access_token_format)),
                ("pushed_requests", format!("{:?}", it.pushed_requests)),
                ("dpop_nonces", format!("{:?}", it.dpop_nonces)),
                ("prefix", format!("{:?}", it.format.prefix)),
                ("env", format!("{:?}", it.format.env)),
                ("pepper_file", format!("{:?}", it.pepper.pepper_file)),
                ("audit_retention", format!("{:?}", it.audit_retention)),
                ("metrics", format!("{:?}", it.metrics)),
                ("log_format", format!("{}", it.log.has_same_format(&self.log))),
            ]
        };
        let pairs = of_the_start(self).into_iter().zip(of_the_start(anew));
        pairs.filter(|(before, now)| before != now).map(|((name, _), _)| name).collect()
    }

    fn tls(&self) -> Result<Option<TlsFiles>, CommandError> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificates), Some(key)) => {
                Ok(Some(TlsFiles { certificates: certificates.clone(), key: key.clone() }))
            }
            (None, None) => Ok(None),
            _ => Err(CommandError::Options("give --tls-cert and --tls-key together")),
        }
    }

    fn config(&self) -> Result<Config, CommandError> {
        if self.client_address.is_some() == self.trusted_proxy.is_empty() {
            return Err(CommandError::Options("give --trusted-proxy and --client-address together"));
        }
        let default = Config::default();
        let lifetime =
            |seconds: Option<u32>, default| seconds.map_or(default, |seconds| Duration::from_secs(seconds.into()));
        let key_format = if self.format.is_given() { Some(self.format.format(None)?) } else { None };
        Ok(Config {
            store: match &self.store {
                _ if self.demo => None,
                Some(name) => Some(url(name)?),
                None => default.store,
            },
            listen: self.listen,
            tls: self.tls()?,
            mtls_listen: self.mtls_listen,
            mtls_base_url: self.mtls_base_url.clone(),
            client_ca: self.client_ca.clone(),
            base_url: self.base_url.clone(),
            session_ttl: lifetime(self.session_ttl, default.session_ttl),
            access_token_ttl: lifetime(self.access_token_ttl, default.access_token_ttl),
            refresh_token_idle_ttl: lifetime(self.refresh_token_idle_ttl, default.refresh_token_idle_ttl),
            refresh_token_ttl: lifetime(self.refresh_token_ttl, default.refresh_token_ttl),
            signing_key_ttl: lifetime(self.signing_key_ttl, default.signing_key_ttl),
            access_token_format: match self.access_token_format {
                Format::Jwt => AccessTokenFormat::Jwt,
                Format::Opaque => AccessTokenFormat::Opaque,
            },
            require_pushed_requests: self.pushed_requests == PushedRequests::Required,
            dpop_nonces: match self.dpop_nonces {
                Nonces::Off => DpopNonces::Off,
                Nonces::Endpoints => DpopNonces::Endpoints,
                Nonces::Everywhere => DpopNonces::Everywhere,
            },
            key_format,
            pepper: self.pepper.read()?,
            audit_retention: lifetime(self.audit_retention, default.audit_retention),
            sealing_key_file: self.sealing_key_file.clone(),
            trusted_proxies: self.trusted_proxies(),
            cors_origins: self.cors_origin.clone(),
            demo: self.demo,
            ..default
        })
    }

    fn trusted_proxies(&self) -> TrustedProxies {
        let Some(field) = self.client_address else { return TrustedProxies::none() };
        let proxies = TrustedProxies::new(self.trusted_proxy.iter().copied(), field);
        match self.client_certificate {
            Some(field) => proxies.client_certificate(field),
            None => proxies,
        }
    }
}

fn audit_retention_help() -> String {
    let days = days(Config::default().audit_retention);
    format!("For how long audit records are kept: seconds, or 12h, 30d; {days} days otherwise")
}

fn signing_key_ttl_help() -> String {
    let days = days(Config::default().signing_key_ttl);
    format!("How long a signing key signs before the next one does: seconds, or 7d at least; {days} days otherwise")
}

fn refresh_token_idle_ttl_help() -> String {
    let days = days(Config::default().refresh_token_idle_ttl);
    format!("How long a refresh token lives that is not used: seconds, or 12h, 30d at most; {days} days otherwise")
}

fn refresh_token_ttl_help() -> String {
    let days = days(Config::default().refresh_token_ttl);
    format!("How long the refresh tokens of a login live: seconds, or 12h, 30d at most; {days} days otherwise")
}

fn days(time: Duration) -> u64 {
    time.as_secs() / (24 * 60 * 60)
}

fn lifetime_help(what: &str, default: Duration) -> String {
    format!("How long {what} live: seconds, or 90s, 15m, 12h, 30d; {} seconds otherwise", default.as_secs())
}
