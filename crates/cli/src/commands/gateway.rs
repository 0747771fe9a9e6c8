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

/// Answer proxies: whether a request may pass, and who sends it.
///
/// nginx asks at /nginx (auth_request), Caddy, Traefik and HAProxy at /forward (forward_auth), Envoy below /envoy or over gRPC (ext_authz). docs/gateway.md
/// has what each has to be told. An answer of 200 lets the request pass; every other is a denial. What no rule covers is denied.
#[derive(Args, Debug)]
#[command(after_help = "\
The file of --config is that of `tollgate verify`, and has besides:
  [gateway]
  realm = \"sites\"                              # in challenges
  api_key_header = \"x-api-key\"                # where API keys may stand beside Authorization
  [gateway.identity]                           # fields of each answer of 200, for the proxy to put over the client's; these without it
  x-auth-request-user = \"subject\"
  x-auth-request-issuer = \"issuer\"
  x-auth-request-client = \"client_id\"
  x-auth-request-scopes = \"scopes\"
  x-auth-request-kind = \"kind\"                # or credential_id, or a claim such as \"/email\" (RFC 6901)
  [gateway.token]                              # a JWT about who is passing, signed by the gateway, in a field of each answer of 200
  key = \"gateway.jwk\"                          # a private JWK (tollgate key new), or a private JWKS; published at /.well-known/jwks.json
  issuer = \"https://gateway.internal\"
  audiences = [\"https://sites.internal\"]
  field = \"x-auth-request-token\"              # this without it
  lifetime = 60                                # seconds, at most 300
  claims.email = \"/email\"                     # beside sub, client_id, scope and credential; names as for identity
  [[gateway.rule]]                             # the first that covers a request decides
  paths = [\"/\", \"/assets/*\"]                 # a path, or everything below one
  hosts = [\"example.com\"]                     # any without it
  methods = [\"GET\", \"HEAD\"]                  # any without it
  public = true                                # everybody passes; otherwise who has a good credential, and meets
  [[gateway.rule]]
  paths = [\"/sites/*\"]
  require.scopes = [\"read:sites\"]             # all of these
  require.kinds = [\"jwt\", \"api-key\"]         # one of these
  require.issuers = [\"https://as.example/\"]   # one of these
  require.claims.\"/resource/tier\" = [\"gold\"]  # by name or pointer, each with one of these
  require.any = [{ scopes = [\"admin\"] }, { kinds = [\"client\"] }]  # one of these; or all, as deep as need be

[request] names the proxies whose word counts about the client's address and certificate, and public_origins what proofs of
possession are for.

SIGHUP reads the file anew; where it does not do, the gateway goes on as it was. Ctrl-C or SIGTERM lets what was asked be answered, and
stops.

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

    /// The address to listen on, which proxies alone should reach; port 0 takes a free one
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
        // The gateway is of use without a reader of this line.
        let _ = print(&[&format!("tollgate answers proxies on http://{address}\n")])?;
        // Outside the runtime: reading the file again starts another one and ends the last.
        while runtime.block_on(signals.next()) == Signal::HangUp {
            match self.read(metrics.as_ref()) {
                Ok((anew, its_sources)) => {
                    let last = gateway.swap(Arc::new(anew));
                    tracing::info!("the configuration was read anew");
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

    /// Reads the file, and begins to fetch and follow its sources.
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
