//! `tollgate serve`: the reference service.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tollgate::{AddressBlock, ForwardedField, TrustedProxies};
use tollgate_service::{AccessTokenFormat, Config, Server, shutdown_signal};

use super::{Outcome, print};
use crate::error::CommandError;
use crate::log_option::LogOption;
use crate::scrape::Scrape;
use crate::store_options::{FormatOption, PepperOption, url};
use crate::values;

const EXAMPLES: &str = "\
Ctrl-C, or SIGTERM, lets the requests in flight finish and stops the service.

Examples:
  tollgate serve --demo
  tollgate serve --demo --access-token-format opaque
  tollgate serve --store /var/lib/tollgate --listen 0.0.0.0:8080 --base-url https://auth.example.com
  tollgate serve --store /var/lib/tollgate --metrics 127.0.0.1:9180      # and curl http://127.0.0.1:9180/metrics
  tollgate serve --store /var/lib/tollgate --base-url https://auth.example.com --trusted-proxy 127.0.0.1 --client-address x-forwarded-for";

/// Run the reference service: sessions, access tokens, API keys, and what they protect.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Fill a temporary store with a user, a client, an API key and a few sites, and print curl lines to try them with
    #[arg(long, conflicts_with = "store")]
    demo: bool,

    /// The store: a folder, also as sqlite:DIR, made when missing; ./tollgate-data otherwise. Or postgres://USER@HOST/DATABASE, for
    /// several hosts. Other processes may change its keys,
    /// clients and revocations meanwhile: that counts at once
    #[arg(long, visible_alias = "data", value_name = "URL")]
    store: Option<PathBuf>,

    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value_t = Config::default().listen)]
    listen: SocketAddr,

    /// The public origin of the service, `iss` and `aud` of its tokens, as `https://auth.example.com`. Otherwise `http://` and the address
    /// listened on, when that is of this machine alone
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// The address, or a block of addresses, of a proxy in front of the service, which is believed about its client's address. To be
    /// given once for each. Otherwise the client is the peer of the connection
    #[arg(long, value_name = "BLOCK", requires = "client_address", value_parser = values::proxy)]
    trusted_proxy: Vec<AddressBlock>,

    /// The field in which the trusted proxies name the client: `x-forwarded-for` or `forwarded`. It alone is read
    #[arg(long, value_name = "FIELD", requires = "trusted_proxy", value_parser = values::forwarded_field())]
    client_address: Option<ForwardedField>,

    /// The file of the keys under which the signing keys are encrypted in the store, 64 hexadecimal digits a line (`openssl rand -hex 32`): the
    /// first encrypts, each decrypts. Otherwise tollgate-sealing.key in the store's folder, made when missing; in a database the
    /// signing keys are then in clear
    #[arg(long, value_name = "FILE")]
    sealing_key_file: Option<PathBuf>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = audit_retention_help())]
    audit_retention: Option<u32>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = lifetime_help("session tokens", Config::default().session_ttl))]
    session_ttl: Option<u32>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = lifetime_help("access tokens", Config::default().access_token_ttl))]
    access_token_ttl: Option<u32>,

    /// What access tokens are: `jwt`, which any server can verify by the public keys, or `opaque`, whose records are in the
    /// store, so that only who follows it can, and each can be revoked
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Jwt)]
    access_token_format: Format,

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

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        self.log.start();
        let runtime = tokio::runtime::Runtime::new().map_err(CommandError::Runtime)?;
        let scrape = match self.metrics {
            Some(listen) => Some((listen, Scrape::install()?)),
            None => None,
        };
        let metrics = scrape.as_ref().map(|(_, scrape)| scrape.metrics.clone());
        runtime.block_on(serve(Config { metrics, ..self.config()? }, scrape))
    }

    fn config(&self) -> Result<Config, CommandError> {
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
            base_url: self.base_url.clone(),
            session_ttl: lifetime(self.session_ttl, default.session_ttl),
            access_token_ttl: lifetime(self.access_token_ttl, default.access_token_ttl),
            access_token_format: match self.access_token_format {
                Format::Jwt => AccessTokenFormat::Jwt,
                Format::Opaque => AccessTokenFormat::Opaque,
            },
            key_format,
            pepper: self.pepper.read()?,
            audit_retention: lifetime(self.audit_retention, default.audit_retention),
            sealing_key_file: self.sealing_key_file.clone(),
            trusted_proxies: match self.client_address {
                Some(field) => TrustedProxies::new(self.trusted_proxy.iter().copied(), field),
                None => default.trusted_proxies,
            },
            demo: self.demo,
            ..default
        })
    }
}

async fn serve(config: Config, scrape: Option<(SocketAddr, Scrape)>) -> Result<Outcome, CommandError> {
    let server = Server::bind(config).await?;
    if let Some((listen, scrape)) = scrape {
        scrape.serve(listen).await?;
    }
    // Nobody has to read it for the service to be of use.
    let _ = print(&[&format!("tollgate listens on {}\n", server.origin()), server.demo().unwrap_or_default()])?;
    server.run(shutdown_signal()).await?;
    Ok(Outcome::Accepted)
}

fn audit_retention_help() -> String {
    let days = Config::default().audit_retention.as_secs() / (24 * 60 * 60);
    format!("For how long audit records are kept: seconds, or 12h, 30d; {days} days otherwise")
}

fn lifetime_help(what: &str, default: Duration) -> String {
    format!("How long {what} live: seconds, or 90s, 15m, 12h, 30d; {} seconds otherwise", default.as_secs())
}
