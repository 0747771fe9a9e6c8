//! The programs of docs/clients.md, taken out of the document and run: the service has TLS, the clients are registered by the document's own
//! commands, and a program in Node.js or Chromium is the person who logs in.
//!
//! What is missing skips a test, unless `TOLLGATE_SKIP_NOTHING` is set: then the packages are fetched.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, fs};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tollgate_tests::real_servers::{Running, find_command, free_address, npm_install, pip_install, skip};

use crate::support::{Folder, command, run};

const DOCUMENT: &str = include_str!("../../../../docs/clients.md");
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "the-analytical-engine";

/// The user has no sites.
const SITES: &str = r#"{"data":[]}"#;

#[test]
fn the_web_site_in_javascript_logs_its_visitor_in_and_out() {
    let Some(world) = World::start(&["A web site"]) else { return };
    let _site = Running::start(&mut world.node("site", 0), world.site);
    let [before, greeted, logged_out] = &world.visit(&["/", "/login", "/logout"])[..] else { panic!("three pages") };
    assert_eq!(
        (before.as_str(), greeted.as_str(), logged_out.as_str()),
        ("Log in at /login", "Hello, ada@example.com", "Log in at /login")
    );
}

#[test]
fn the_web_site_in_python_logs_its_visitor_in() {
    let Some(world) = World::start(&["A web site"]) else { return };
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pypi-flask");
    if let Err(missing) = pip_install(&["Authlib==1.9.10", "Flask==3.1.3", "requests==2.34.2"], &packages) {
        return skip(&missing);
    }
    world.folder.write("notes.py", world.block("python", 0));
    let mut flask = Command::new("python3");
    let port = world.site.port().to_string();
    flask.args(["-m", "flask", "--app", "notes", "run", "--port", &port]).env("PYTHONPATH", packages);
    let _site = Running::start(world.surrounded(&mut flask).stdout(Stdio::null()).stderr(Stdio::null()), world.site);
    assert_eq!(world.visit(&["/", "/login"]), ["Log in at /login", "Hello, ada@example.com"]);
}

#[test]
fn the_desktop_program_gets_the_sites_of_its_user() {
    let Some(world) = World::start(&["A phone app or desktop program"]) else { return };
    let mut program = Program::start(&mut world.node("terminal", 0));
    let url = program.line("Open ");
    assert_eq!(world.visit(&[&url]), ["You can close this page."]);
    assert_eq!(program.rest(), SITES);
}

#[test]
fn the_browser_app_gets_the_sites_of_its_user_from_another_origin() {
    let Some(chromedriver) = find_command(&["/usr/bin/chromedriver", "/usr/local/bin/chromedriver"], "--version")
    else {
        return skip("there is no chromedriver (Debian: chromium-driver)");
    };
    let Some(world) = World::start(&["A browser app"]) else { return };
    let script = world.script("board", 0);
    let mut page = Command::new("node");
    page.arg(world.packages.join("page.mjs")).arg(script).args([&world.site.port().to_string(), chromedriver]);
    assert_eq!(world.output(&mut page), SITES);
}

#[test]
fn the_television_gets_the_sites_of_the_user_who_entered_its_code() {
    let Some(world) = World::start(&["A television"]) else { return };
    let mut program = Program::start(&mut world.node("tv", 0));
    let shown = program.line("Open ");
    let (url, user_code) = shown.split_once(" and enter ").unwrap();
    let mut visit = world.visitor(&[url]);
    assert!(world.output(visit.env("USER_CODE", user_code)).contains("The device is connected"));
    assert_eq!(program.rest(), SITES);
}

#[test]
fn the_machines_get_their_reports_and_the_resource_server_knows_them() {
    if ["curl", "jq"].iter().any(|tool| find_command(&[tool], "--version").is_none()) {
        return skip("curl or jq is not there");
    }
    let Some(world) = World::start(&["A machine", "A machine with a key", "A resource server"]) else { return };
    let [by_secret, verified] = &world.commands("")[..] else { panic!("two blocks that register nothing") };
    let reports = world.sh(by_secret);
    assert!(reports.contains(r#""client_id":"billing""#), "{reports}");
    assert_eq!(world.output(&mut world.node("robot", 0)), reports.replace("billing", "robot"));

    let certificate = format!("discovery = \"openid\"\nca = \"{}\"", world.folder.path("cert.pem"));
    let configuration = world.block("toml", 0).replace("discovery = \"openid\"", &certificate);
    world.folder.write("api.toml", format!("{configuration}ca = \"{}\"\n", world.folder.path("cert.pem")));
    let accepted = world.sh(verified);
    assert!(accepted.starts_with(r#"{"ok":true,"#) && accepted.contains(r#""client_id":"billing""#), "{accepted}");
}

#[test]
fn the_mcp_client_calls_a_tool_of_the_mcp_server_for_its_user() {
    let Some(world) = World::start(&["A resource server", "An MCP client"]) else { return };
    let _server = Running::start(&mut world.node("mcp-server", 0), world.site);
    let mut program = Program::start(&mut world.node("mcp-client", 1));
    let url = program.line("Open ");
    assert_eq!(world.visit(&[&url]), ["You can close this page."]);
    let user = run(&["user", "show", EMAIL, "--store", &world.folder.path("data")], "");
    let told = program.rest();
    assert!(told.starts_with("usr_") && user.stdout.contains(&told), "{told} {user:?}");
}

/// A service with TLS and a user, and some sections of the document, whose clients are registered.
struct World {
    folder: Folder,
    /// The packages of npm, and the person.
    packages: PathBuf,
    /// Where the site, the page or the server of the sections listens.
    site: SocketAddr,
    /// The language of each block, and its text with the addresses of this world.
    blocks: Vec<(&'static str, String)>,
    _service: Running,
}

impl World {
    /// `None` if the test is skipped.
    fn start(sections: &[&str]) -> Option<Self> {
        let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../service/tests/clients");
        if let Err(missing) = npm_install(&sources, &packages) {
            skip(&missing);
            return None;
        }
        let folder = Folder::new();
        let [service, site, loopback] = [(); 3].map(|()| free_address());
        let origin = format!("https://localhost:{}", service.port());
        let here = |block: &str| {
            let mut block = block.replace("https://auth.example.com", &origin).replace("/var/lib/tollgate", "./data");
            for host in ["https://notes.example", "https://board.example", "https://mcp.example"] {
                block = block.replace(host, &format!("http://{site}"));
            }
            for port in ["3000", "3001"] {
                block = block.replace(&format!("listen({port})"), &format!("listen({}, '127.0.0.1')", site.port()));
            }
            block.replace("33418", &loopback.port().to_string())
        };
        let blocks = sections.iter().flat_map(|name| blocks_of(name));
        let blocks: Vec<_> = blocks.map(|(language, block)| (language, here(block))).collect();

        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) =
            (folder.write("cert.pem", cert.pem()), folder.write("key.pem", signing_key.serialize_pem()));
        let data = folder.path("data");
        let made =
            run(&["user", "new", EMAIL, "--scope", "profile read:sites", "--store", &data], format!("{PASSWORD}\n"));
        assert_eq!(made.status, 0, "{made:?}");
        let (listen, allowed) = (service.to_string(), format!("http://{site}"));
        let mut serve = command(&["serve", "--store", &data, "--listen", &listen, "--base-url", &origin]);
        serve.args(["--tls-cert", &certificate, "--tls-key", &key, "--cors-origin", &allowed]);
        let service = Running::start(serve.stdout(Stdio::null()).stderr(Stdio::null()), service);
        let world = World { folder, packages, site, blocks, _service: service };
        for block in world.commands("client new") {
            world.sh(&block);
        }
        Some(world)
    }

    /// The blocks of shell that register clients, or with "" the others.
    fn commands(&self, kind: &str) -> Vec<String> {
        let blocks = self.blocks.iter().filter(|(language, _)| *language == "sh").map(|(_, block)| block);
        blocks.filter(|block| block.contains("client new") != kind.is_empty()).cloned().collect()
    }

    fn block(&self, language: &str, number: usize) -> &str {
        let mut blocks = self.blocks.iter().filter(|(of, _)| *of == language);
        &blocks.nth(number).expect("a block").1
    }

    /// The file of a block of JavaScript, beside the packages that it imports.
    fn script(&self, name: &str, number: usize) -> PathBuf {
        let script = self.packages.join(format!("document-{name}-{}.mjs", self.site.port()));
        fs::write(&script, self.block("js", number)).unwrap();
        script
    }

    /// A program of the document.
    fn node(&self, name: &str, number: usize) -> Command {
        let mut node = Command::new("node");
        self.surrounded(node.arg(self.script(name, number)));
        node
    }

    /// In the folder, with what a program is told in its environment.
    fn surrounded<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let binaries = Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap();
        let certificate = self.folder.path("cert.pem");
        for variable in ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
            command.env(variable, &certificate);
        }
        for secret in ["notes.secret", "api.secret"] {
            if let Ok(secret) = fs::read_to_string(self.folder.path(secret)) {
                command.env("CLIENT_SECRET", secret.trim_end());
            }
        }
        command.env("PATH", format!("{}:{}", binaries.display(), env::var("PATH").unwrap()));
        command.envs([("SESSION_SECRET", "of this test"), ("EMAIL", EMAIL), ("PASSWORD", PASSWORD)]);
        command.current_dir(self.folder.path(""))
    }

    /// What a shell writes that runs the block.
    #[track_caller]
    fn sh(&self, block: &str) -> String {
        self.output(Command::new("sh").args(["-eu", "-c", block]))
    }

    #[track_caller]
    fn output(&self, command: &mut Command) -> String {
        let output = self.surrounded(command).output().unwrap();
        let (lines, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{command:?}: {lines}\n{errors}");
        lines.trim_end().to_owned()
    }

    /// A person who opens these addresses, or paths of the site.
    fn visitor(&self, urls: &[&str]) -> Command {
        let mut visit = Command::new("node");
        visit.arg(self.packages.join("visit.mjs"));
        visit.args(urls.iter().map(|url| match url.strip_prefix('/') {
            Some(path) => format!("http://{}/{path}", self.site),
            None => (*url).to_owned(),
        }));
        visit
    }

    /// The pages that these addresses lead to, of one line each.
    #[track_caller]
    fn visit(&self, urls: &[&str]) -> Vec<String> {
        self.output(&mut self.visitor(urls)).lines().map(str::to_owned).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for entry in fs::read_dir(&self.packages).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().ends_with(&format!("-{}.mjs", self.site.port())) {
                drop(fs::remove_file(entry.path()));
            }
        }
    }
}

/// The language of each block of a section, and the block.
fn blocks_of(name: &str) -> Vec<(&'static str, &'static str)> {
    let mut sections = DOCUMENT.split("\n## ");
    let section = sections.find(|section| section.lines().next() == Some(name)).unwrap_or_else(|| panic!("no {name}"));
    let blocks = section.split("```").skip(1).step_by(2);
    blocks.map(|block| block.split_once('\n').expect("a language")).collect()
}

/// A running program, and what it writes.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// The next line, which begins with `start`, from there on.
    #[track_caller]
    fn line(&mut self, start: &str) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().strip_prefix(start).unwrap_or_else(|| panic!("{line}")).to_owned()
    }

    /// What it writes until it ends.
    #[track_caller]
    fn rest(mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success(), "{rest}");
        rest.trim_end().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
