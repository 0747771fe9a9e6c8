//! The commands of docs/operating.md.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use crate::support::Folder;

/// The first half of docs/operating.md, and of the second what needs no other host. Paths, addresses and ports are the test's own.
#[test]
fn the_commands_of_operating_run() {
    const OPERATING: &str = include_str!("../../../../docs/operating.md");
    if ["jq", "sqlite3", "openssl", "curl"].iter().any(|tool| Command::new(tool).arg("version").output().is_err()) {
        assert!(env::var_os("TOLLGATE_SKIP_NOTHING").is_none(), "jq, sqlite3, openssl or curl is not installed");
        return;
    }
    let folder = Folder::new();
    let root = folder.path("");
    for empty in ["lib", "backups"] {
        fs::create_dir(Path::new(&root).join(empty)).unwrap();
    }
    let certificate = rcgen::generate_simple_self_signed(["auth.example.com".to_owned()]).unwrap();
    folder.write("fullchain.pem", certificate.cert.pem());
    folder.write("privkey.pem", certificate.signing_key.serialize_pem());
    let section = |name: &str| {
        let section = OPERATING.split("\n##").find(|section| section.trim_start_matches(['#', ' ']).starts_with(name));
        let blocks = section.unwrap_or_else(|| panic!("no section {name}")).split("```sh\n").skip(1);
        blocks.map(|block| here(block.split("```").next().unwrap(), &root)).collect::<Vec<_>>()
    };
    let sh = |script: &str, input: &str| {
        let mut child = shell(&root, script).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let ran = child.wait_with_output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{script}{stdout}{stderr}");
        stdout.into_owned()
    };
    let one_machine = section("On one machine");
    let [_build, user, clients, serve, _sites] = &one_machine[..] else { panic!("{one_machine:?}") };
    sh(user, "the analytical engine\n");
    sh(clients, "");
    assert!(Path::new(&root).join("notes.secret").metadata().unwrap().len() > 20);
    let service = Serving::start(&root, serve);
    let request = "/oauth/v2/authorize?response_type=code&client_id=notes&redirect_uri=http%3A%2F%2F127.0.0.1%3A9001%2Fcallback\
        &scope=profile&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let page = service.get(request);
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    service.stop();

    let [serving] = &section("Address and TLS")[..] else { panic!("one block") };
    let commands: Vec<&str> = serving.split("\n\n").collect();
    let [with_tls, behind_a_proxy] = commands[..] else { panic!("{commands:?}") };
    let service = Serving::start(&root, with_tls);
    assert_eq!(service.origin, "https://auth.example.com");
    // While the service runs.
    sh(&section("Administration").concat(), "the difference engine\n");
    let [make, with_certificates, ask] = &section("Clients with certificates")[..] else { panic!("three blocks") };
    sh(make, "");
    service.stop();
    let service = Serving::start(&root, with_certificates);
    let mtls_address =
        with_certificates.split("--mtls-listen ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let connect = format!("curl --silent --cacert fullchain.pem --connect-to ::{mtls_address}");
    let token = sh(&ask.replace("curl", &connect), "");
    assert!(token.contains("access_token"), "{token}");
    let [backup, restore] = &section("Backups")[..] else { panic!("two blocks") };
    sh(backup, "");
    let users = sh(restore, "");
    assert!(users.contains("operator@example.com"), "{users}");
    sh(&section("Rotation").concat(), "");
    service.stop();
    let service = Serving::start(&root, &behind_a_proxy.replace("/lib/tollgate", "/lib/tollgate-restored"));
    assert!(service.get("/readyz").ends_with("ready\n"));
    service.stop();
}

/// With the test's folder in the place of /var, and the test's port in the place of every other.
fn here(block: &str, root: &str) -> String {
    let block = block.replace("/var/", &format!("{}/", root.trim_end_matches('/')));
    let listen = format!("--listen {}", free_address());
    let block = block.replace("--mtls-listen 0.0.0.0:8443", &format!("--mtls-listen {}", free_address()));
    let mut block = block.replace("--listen 0.0.0.0:443", &listen).replace("--listen 127.0.0.1:8080", &listen);
    if !block.contains("--listen") {
        block = block.replace("tollgate serve", &format!("tollgate serve {listen}"));
    }
    block
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A shell in which the command is found.
fn shell(folder: &str, script: &str) -> Command {
    let binaries = Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", script]).current_dir(folder).env("PATH", path);
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// A service that a block of the document has started.
struct Serving {
    child: Child,
    origin: String,
    address: String,
}

impl Serving {
    fn start(folder: &str, block: &str) -> Self {
        let command = block.find("tollgate serve").map(|start| &block[start..]).unwrap();
        let address = command.split("--listen ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
        let mut child = shell(folder, &format!("exec {command}")).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let origin =
            line.trim_end().strip_prefix("tollgate listens on ").unwrap_or_else(|| panic!("{command}: {line}"));
        Self { origin: origin.to_owned(), address: address.to_owned(), child }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}
