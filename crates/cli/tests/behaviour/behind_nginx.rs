//! The files of `examples/behind_nginx`: nginx, the gateway and a Python server run unchanged, except for the ports.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use tollgate_tests::real_servers::{Running, find_command, free_address, skip, unprivileged};

use crate::support::{Folder, command, run};

#[test]
fn a_python_server_learns_who_is_calling() {
    let Some(nginx) = find_command(&["nginx", "/usr/sbin/nginx"], "-v") else { return skip("nginx is not there") };
    let Some(python) = find_command(&["python3"], "--version") else { return skip("Python is not there") };
    let folder = Folder::new();
    let [app, gateway, site] = [(); 3].map(|()| free_address());
    folder.write("tollgate.toml", example("tollgate.toml"));
    let key = folder.write("key.jwk", run(&["key", "new", "--alg", "ES256"], "").stdout);

    let app_file = folder.write("app.py", example("app.py"));
    let port = app.port().to_string();
    let _app = Running::start(Command::new(python).args([&app_file, &port]).stderr(Stdio::null()), app);
    let gateway_address = gateway.to_string();
    let arguments = ["gateway", "--config", &folder.path("tollgate.toml"), "--listen", &gateway_address];
    let _gateway = Running::start(command(&arguments).stdout(Stdio::null()), gateway);
    // Writable folders; a packaged nginx has its own.
    let here = folder.path("");
    let places = format!(
        "http {{\n access_log off; client_body_temp_path {here}; proxy_temp_path {here}; fastcgi_temp_path {here}; \
         uwsgi_temp_path {here}; scgi_temp_path {here};"
    );
    let configuration = example("nginx.conf").replace("http {", &places);
    let configuration = configuration.replace("127.0.0.1:3000", &app.to_string());
    let configuration = configuration.replace("127.0.0.1:4180", &gateway.to_string());
    let file = folder.write("nginx.conf", configuration.replace("127.0.0.1:8080", &site.to_string()));
    let mut nginx = unprivileged(nginx, Path::new(&here));
    let options = format!("daemon off; master_process off; error_log {here}error.log crit; pid {here}pid;");
    let _nginx = Running::start(nginx.args(["-e", "stderr", "-p", &here, "-c", &file, "-g", &options]), site);

    assert_eq!(get(site, "/", ""), (200, "welcome\n".to_owned()));
    assert_eq!(get(site, "/orders", "").0, 401);
    assert_eq!(get(site, "/admin", "").0, 403);
    let token = |scope| {
        let issuer = ["token", "new", "--key", &key, "--issuer", "https://auth.example.com/", "--subject", "user_7"];
        let made = run(&[&issuer[..], &["--audience", "https://api.example.com", "--scope", scope]].concat(), "");
        format!("Authorization: Bearer {}\r\n", made.stdout.trim_end())
    };
    let orders = (200, "the orders of user_7\n".to_owned());
    assert_eq!(get(site, "/orders", &token("read:orders")), orders);
    assert_eq!(get(site, "/orders", &(token("read:orders") + "X-Auth-Request-User: root\r\n")), orders);
    assert_eq!(get(site, "/", "X-Auth-Request-User: root\r\n"), (200, "welcome\n".to_owned()));
    assert_eq!(get(site, "/orders", &token("write:orders")).0, 403);
}

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/behind_nginx");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The status and the body.
fn get(site: SocketAddr, path: &str, fields: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(site).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: example.com\r\n{fields}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
