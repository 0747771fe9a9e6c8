//! An example that runs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::blocking::Client;

/// Ends with the test.
pub(crate) struct Program {
    process: Child,
    /// What it printed before the line that names its address.
    pub(crate) printed: Vec<String>,
    pub(crate) url: String,
}

impl Program {
    /// Starts the executable `path` on an address of its choice, which it gets before `arguments`.
    pub(crate) fn start(path: &str, arguments: &[&str]) -> Self {
        Self::start_at(path, "127.0.0.1:0", arguments)
    }

    /// As [`start`](Self::start), at that address.
    pub(crate) fn start_at(path: &str, address: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(path);
        let mut process = command.arg(address).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut printed = Vec::new();
        let url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("{path} ended after {printed:?}"));
            match line.strip_prefix("listening on ") {
                Some(url) => break url.to_owned(),
                None => printed.push(line),
            }
        };
        Program { process, printed, url }
    }

    /// The status and the body of the answer to a request with this Authorization, or with none where it is empty.
    pub(crate) fn ask(&self, method: Method, path: &str, authorization: &str) -> (u16, String) {
        let request = Client::new().request(method, format!("{}{path}", self.url));
        let request = if authorization.is_empty() { request } else { request.header("authorization", authorization) };
        let answer = request.send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    }

    pub(crate) fn get(&self, path: &str, authorization: &str) -> (u16, String) {
        self.ask(Method::GET, path, authorization)
    }

    /// As [`get`](Self::get), with these fields.
    pub(crate) fn get_with(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let request = Client::new().get(format!("{}{path}", self.url));
        let answer =
            fields.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    }

    /// As [`get`](Self::get), again until the status is this one, for a change that has to get there.
    pub(crate) fn get_until(&self, status: u16, path: &str, authorization: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.get(path, authorization);
            if answer.0 == status {
                return answer.1;
            }
            assert!(Instant::now() < deadline, "{answer:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
