//! PostgreSQL servers in their own folders, each on a free port of 127.0.0.1.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tollgate_postgres::PostgresConfig;

/// A server. Dropping it ends the server and removes its folder, also when the test process is killed.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    /// A shell that waits for the end of its standard input.
    supervisor: Option<Child>,
}

/// The shell's script: runs the server, and stops it at a word on standard input or the end of input.
const SUPERVISE: &str = r#"
trap '' HUP INT TERM
folder=$1; shift
"$@" >>"$folder.log" 2>&1 &
server=$!
read -r word
case $word in kill) kill -9 "$server" ;; *) kill -INT "$server" ;; esac
wait "$server"
[ -n "$word" ] || rm -rf "$folder" "$folder.log"
"#;

impl Server {
    /// A new cluster; or `None`, with the reason on standard output, if PostgreSQL is missing and tests may be skipped.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Option<Self> {
        if BINARIES.is_none() {
            assert!(std::env::var_os("TOLLGATE_SKIP_NOTHING").is_none(), "PostgreSQL is not installed");
            println!("skipped: PostgreSQL is not installed");
            return None;
        }
        let mut server = Server::at_free_port();
        let data = server.data();
        run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        server.configure(settings);
        server.up();
        Some(server)
    }

    /// A standby of this server with that name.
    pub(crate) fn standby(&self, name: &str) -> Self {
        let mut standby = Server::at_free_port();
        let from = format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port);
        run("pg_basebackup", &["-D", &standby.data(), "-d", &from, "-R", "-X", "stream", "-c", "fast"]);
        standby.up();
        standby
    }

    fn at_free_port() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tollgate-postgres-{}-{number}", std::process::id()));
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        Server { folder, port, supervisor: None }
    }

    fn data(&self) -> String {
        self.folder.to_str().expect("UTF-8").to_owned()
    }

    /// Changes settings, including those that need a restart.
    pub(crate) fn configure(&self, settings: &[(&str, &str)]) {
        let lines: String = settings.iter().map(|(name, value)| format!("{name} = '{value}'\n")).collect();
        let file = std::fs::OpenOptions::new().append(true).open(self.folder.join("postgresql.auto.conf"));
        file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("a file of settings");
        if self.supervisor.is_some() {
            self.reload();
        }
    }

    fn reload(&self) {
        self.sql("postgres", "SELECT pg_reload_conf()").expect("a reload");
        std::thread::sleep(Duration::from_millis(300));
    }

    /// Makes this standby follow another primary.
    pub(crate) fn follow(&self, primary: &Server, name: &str) {
        let place = format!("host=127.0.0.1 port={} user=postgres application_name={name}", primary.port);
        self.configure(&[("primary_conninfo", &place)]);
    }

    /// Starts the server, and waits until it answers.
    pub(crate) fn up(&mut self) {
        let (data, port) = (self.data(), self.port.to_string());
        let mut shell = Command::new("sh");
        shell.args(["-c", SUPERVISE, "supervisor", &data]).args(command("postgres"));
        shell.args(["-D", &data, "-p", &port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        self.supervisor = Some(shell.stdin(Stdio::piped()).spawn().expect("a shell"));
        let begun = Instant::now();
        while self.sql("postgres", "SELECT 1").is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not start, see {data}.log");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `kill -9` of the postmaster and all its children.
    pub(crate) fn kill(&mut self) {
        let children = Command::new("pgrep").args(["-P", &self.pid().to_string()]).output();
        self.tell("kill\n");
        if let Ok(children) = children {
            let pids = String::from_utf8_lossy(&children.stdout).into_owned();
            drop(Command::new("kill").arg("-9").args(pids.split_whitespace()).output());
        }
    }

    pub(crate) fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote(true, 120)").as_deref(), Some("t"));
    }

    /// After `kill`: starts the server on its disk's content.
    pub(crate) fn up_again(&mut self) {
        drop(std::fs::remove_file(self.folder.join("postmaster.pid")));
        self.up();
    }

    /// After `kill`: turns this server into a standby of `primary` with that name, and starts it.
    pub(crate) fn rejoin(&mut self, primary: &Server, name: &str) {
        drop(std::fs::remove_file(self.folder.join("postmaster.pid")));
        // So that the new history is in its control file.
        primary.sql("postgres", "CHECKPOINT").expect("a checkpoint");
        let from =
            format!("host=127.0.0.1 port={} user=postgres dbname=postgres application_name={name}", primary.port);
        run("pg_rewind", &["-D", &self.data(), "--source-server", &from, "-R"]);
        self.up();
    }

    /// Requires a password of `role`, from the next connection on.
    pub(crate) fn require_passwords_of(&self, role: &str) {
        let file = self.folder.join("pg_hba.conf");
        let rules = std::fs::read_to_string(&file).expect("rules");
        std::fs::write(&file, format!("host all {role} all scram-sha-256\n{rules}")).expect("rules");
        self.reload();
    }

    /// Enables TLS on the server, under that name. Returns the authority's certificate in PEM.
    pub(crate) fn use_tls(&self, name: &str) -> String {
        let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().expect("a key");
        let root = authority.self_signed(&key).expect("a certificate").pem();
        let issuer = rcgen::Issuer::new(authority, key);
        let own = rcgen::KeyPair::generate().expect("a key");
        let certificate = rcgen::CertificateParams::new([name.to_owned()])
            .expect("a name")
            .signed_by(&own, &issuer)
            .expect("a certificate");
        for (file, text) in [("server.crt", certificate.pem()), ("server.key", own.serialize_pem())] {
            let path = self.folder.join(file);
            std::fs::write(&path, text).expect("a file");
            // The server refuses a key that others can read, or that it does not own.
            drop(Command::new("chmod").arg("600").arg(&path).output());
            drop(Command::new("chown").arg("--reference").args([&self.folder, &path]).output());
        }
        self.configure(&[("ssl", "on")]);
        root
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn pid(&self) -> u32 {
        let file = std::fs::read_to_string(self.folder.join("postmaster.pid")).expect("a running server");
        file.lines().next().and_then(|line| line.parse().ok()).expect("a process id")
    }

    fn tell(&mut self, word: &str) {
        let Some(mut supervisor) = self.supervisor.take() else { return };
        drop(supervisor.stdin.take().map(|mut input| input.write_all(word.as_bytes())));
        supervisor.wait().expect("it ends");
    }

    /// The output of psql; `None` if the server does not answer, or reports an error.
    pub(crate) fn sql(&self, database: &str, text: &str) -> Option<String> {
        let port = self.port.to_string();
        let place =
            ["-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-d", database, "-c", text];
        let output = Command::new(binary("psql")).args(place).output().expect("psql");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        if !output.status.success() {
            // Shown if the test fails.
            println!("{text}: {}", String::from_utf8_lossy(&output.stderr));
        }
        output.status.success().then(|| text.trim_end().to_owned())
    }

    /// The transactions per second of a pgbench script.
    pub(crate) fn pgbench(&self, script: &str, clients: u64, seconds: u64) -> String {
        let file = self.folder.with_extension("pgbench");
        std::fs::write(&file, script).expect("a script");
        let (port, clients, seconds) = (self.port.to_string(), clients.to_string(), seconds.to_string());
        let place = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-n", "-M", "prepared", "-j", "2"];
        let mut pgbench = Command::new(binary("pgbench"));
        pgbench.args(place).args(["-c", &clients, "-T", &seconds, "-f"]).arg(&file).arg("postgres");
        let output = pgbench.output().expect("pgbench");
        drop(std::fs::remove_file(&file));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rate = text.lines().find(|line| line.starts_with("tps")).map(str::to_owned);
        rate.unwrap_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Creates a database and returns its name.
    pub(crate) fn new_database(&self) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}")).expect("a new database");
        name
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) fn config(&self, database: &str) -> PostgresConfig {
        PostgresConfig::from_url(&self.url(database)).expect("a URL")
    }

    /// The URL of several servers.
    pub(crate) fn config_of(servers: &[&Server], database: &str) -> PostgresConfig {
        let hosts: Vec<_> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
        let url = format!("postgres://postgres@{}/{database}", hosts.join(","));
        PostgresConfig::from_url(&url).expect("a URL")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut supervisor) = self.supervisor.take() {
            drop(supervisor.stdin.take());
            drop(supervisor.wait());
        }
        drop(std::fs::remove_dir_all(&self.folder));
        drop(std::fs::remove_file(self.folder.with_extension("log")));
    }
}

/// The shared server of all tests that only need their own database.
pub(crate) fn shared() -> Option<&'static Server> {
    static SERVER: LazyLock<Option<Server>> = LazyLock::new(|| Server::start(&[("max_connections", "300")]));
    SERVER.as_ref()
}

/// The programs of the newest release, from Debian's folders or from the path.
static BINARIES: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let releases = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = releases.max_by_key(|entry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let folders = newest.map(|entry| entry.path().join("bin")).into_iter().chain(std::env::split_paths(&in_path));
    folders.into_iter().find(|folder| folder.join("initdb").exists())
});

fn binary(name: &str) -> PathBuf {
    BINARIES.as_deref().unwrap_or(Path::new("")).join(name)
}

/// The command, run as an unprivileged user, because the server refuses to run as root.
fn command(name: &str) -> Vec<String> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];
    let prefix = if is_root { &user[..] } else { &[] };
    prefix.iter().map(|word| (*word).to_owned()).chain([binary(name).display().to_string()]).collect()
}

fn run(name: &str, arguments: &[&str]) {
    let words = command(name);
    let output = Command::new(&words[0]).args(&words[1..]).args(arguments).current_dir("/").output().expect(name);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}
