//! `tollgate gateway`: answers proxies.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use arc_swap::ArcSwap;
use clap::Args;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tollgate_gateway::Gateway;
use tollgate_remote::Verifier;
use tollgate_telemetry::Metrics;

use super::{Outcome, print};
use crate::configuration::{Configuration, Configured};
use crate::error::{self, CommandError};
use crate::followed::Followed;
use crate::limits::{RELOAD_GRACE, RELOAD_PAUSE};
use crate::log_option::LogOption;
use crate::remote::Remote;
use crate::scrape::Scrape;
use crate::signals::{Signal, Signals};

/// Answer proxies: whether a request may pass, and who its caller is.
///
/// nginx asks at /nginx (auth_request), Caddy, Traefik and HAProxy at /forward (forward_auth), Envoy below /envoy or over
/// gRPC (ext_authz). docs/gateway.md describes the configuration of each proxy. The answer 200 lets the request pass; every
/// other answer is a denial. A request that matches no rule is denied.
#[derive(Args, Debug)]
#[command(after_help = "\
The file of --config is that of `tollgate verify`, with these additions:
  [gateway]
  realm = \"sites\"                              # in challenges
  api_key_header = \"x-api-key\"                # the header for API keys, besides Authorization
  [gateway.identity]                           # fields of each answer of 200, with which the proxy replaces the client's; these by default
  x-auth-request-user = \"subject\"
  x-auth-request-issuer = \"issuer\"
  x-auth-request-client = \"client_id\"
  x-auth-request-scopes = \"scopes\"
  x-auth-request-kind = \"kind\"                # or credential_id, or a claim such as \"/email\" (RFC 6901)
  [gateway.token]                              # a JWT about the caller, signed by the gateway, in a field of each answer of 200
  key = \"gateway.jwk\"                          # a private JWK (tollgate key new), or a private JWKS; published at /.well-known/jwks.json
  issuer = \"https://gateway.internal\"
  audiences = [\"https://sites.internal\"]
  field = \"x-auth-request-token\"              # the default
  lifetime = 60                                # seconds, at most 300
  claims.email = \"/email\"                     # besides sub, client_id, scope and credential; names as for identity
  [[gateway.rule]]                             # the first rule that matches a request decides
  paths = [\"/\", \"/assets/*\"]                 # a path, or all paths below one
  hosts = [\"example.com\"]                     # default: any
  methods = [\"GET\", \"HEAD\"]                  # default: any
  public = true                                # no credential needed; default: a valid credential that meets `require`
  [[gateway.rule]]
  paths = [\"/sites/*\"]
  require.scopes = [\"read:sites\"]             # all of these
  require.kinds = [\"jwt\", \"api-key\"]         # one of these
  require.issuers = [\"https://as.example/\"]   # one of these
  require.claims.\"/resource/tier\" = [\"gold\"]  # by name or pointer, each with one of these
  require.any = [{ scopes = [\"admin\"] }, { kinds = [\"client\"] }]  # one of these; or `all`; nested as needed

[request] names the proxies that are trusted for the client's address and certificate; public_origins are the origins of the URIs in
proofs of possession.

SIGHUP reads the file again; if the file is invalid, the gateway keeps its configuration. Ctrl-C or SIGTERM answers the pending requests
and stops.

Examples:
  tollgate gateway --config tollgate.toml
  tollgate gateway --config tollgate.toml --listen 127.0.0.1:9000 --log debug
  tollgate gateway --config tollgate.toml --metrics 127.0.0.1:9180      # and curl http://127.0.0.1:9180/metrics
  curl -i http://127.0.0.1:4180/forward -H 'x-forwarded-method: GET' -H 'x-forwarded-host: example.com' \\
    -H 'x-forwarded-uri: /sites/7' -H \"authorization: Bearer $TOKEN\"")]
pub(crate) struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// The address to listen on, which only proxies should reach; port 0 chooses a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4180")]
    listen: SocketAddr,

    /// Serve metrics for Prometheus at /metrics of this address, which neither proxies nor clients should reach
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,

    #[command(flatten)]
    log: LogOption,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        self.log.start();
        let scrape = match self.metrics {
            Some(listen) => Some((listen, Scrape::install()?)),
            None => None,
        };
        let metrics = scrape.as_ref().map(|(_, scrape)| scrape.metrics.clone());
        let (gateway, mut sources) = self.read(metrics.as_ref())?;
        let gateway = Arc::new(ArcSwap::from_pointee(gateway));
        let runtime = Runtime::new().map_err(CommandError::Runtime)?;
        let listening = |source| CommandError::Listen { listen: self.listen, source };
        let listener = runtime.block_on(TcpListener::bind(self.listen)).map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let mut signals = Signals::new(&runtime).map_err(CommandError::Runtime)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served =
            runtime.spawn(tollgate_gateway::serve(listener, Arc::clone(&gateway), async { drop(stopped.await) }));
        if let Some((listen, scrape)) = scrape {
            runtime.block_on(scrape.serve(listen))?;
        }
        // The gateway works even if nobody reads this line.
        let _ = print(&[&format!("tollgate answers proxies on http://{address}\n")])?;
        // Outside the runtime: reading the file again starts another runtime and ends the last one.
        while runtime.block_on(signals.next()) == Signal::HangUp {
            match self.read(metrics.as_ref()) {
                Ok((anew, its_sources)) => {
                    let last = gateway.swap(Arc::new(anew));
                    tracing::info!("the configuration was read again");
                    // Earlier requests may still wait for a fetch by the last sources.
                    let start = Instant::now();
                    while Arc::strong_count(&last) > 1 && start.elapsed() < RELOAD_GRACE {
                        thread::sleep(RELOAD_PAUSE);
                    }
                    sources = its_sources;
                }
                Err(error) => {
                    error::warn(&format!("{}; the gateway goes on as it was", error::one_line(&error.to_string())));
                }
            }
        }
        drop(stop);
        let ended = runtime.block_on(served);
        drop(sources);
        match ended {
            Ok(Ok(())) => Ok(Outcome::Accepted),
            Ok(Err(source)) => Err(listening(source)),
            Err(panic) => Err(listening(io::Error::other(panic))),
        }
    }

    /// Reads the file, and starts to fetch and follow its sources.
    fn read(&self, metrics: Option<&Metrics>) -> Result<(Gateway, Sources), CommandError> {
        let configuration = Configuration::read(&self.config)?;
        let Configured { engine, remote, followed, .. } =
            configuration.engine_of(configuration.dpop.dpop(), metrics)?;
        let gateway = configuration.gateway(Verifier::new(engine))?;
        remote.wait();
        Ok((gateway, Sources { _remote: remote, _followed: followed }))
    }
}

/// The sources of a gateway, which are kept up to date until this is dropped.
struct Sources {
    _remote: Remote,
    _followed: Option<Followed>,
}
