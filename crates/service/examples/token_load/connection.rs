use crate::Outcome;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A connection that is kept open: HTTP/1.1, as little of it as costs the machine little beside the server.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Connection {
    /// To the host and port of `origin`, which is `http://HOST:PORT`.
    pub(crate) fn open(origin: &str) -> Outcome<Self> {
        let host = origin.strip_prefix("http://").ok_or("the origin is no http URL")?.to_owned();
        let stream = TcpStream::connect(&host)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host })
    }

    /// GET without a form, otherwise POST. `fields` are whole lines of the head.
    pub(crate) fn send(&mut self, path: &str, fields: &str, form: Option<&str>) -> Outcome<Answer> {
        let host = &self.host;
        let request = match form {
            None => format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{fields}\r\n"),
            Some(form) => format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\n{fields}content-type: application/x-www-form-urlencoded\r\n\
                 content-length: {}\r\n\r\n{form}",
                form.len(),
            ),
        };
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> Outcome<Answer> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(first)?;
        let (mut fields, mut length) = (Vec::new(), 0);
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            let name = name.to_ascii_lowercase();
            match &*name {
                "content-length" => length = value.parse()?,
                "transfer-encoding" => return Err("an answer of unknown length".into()),
                _ => {}
            }
            fields.push((name, value.to_owned()));
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, fields, body: String::from_utf8(body)? })
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

impl Answer {
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| &**value)
    }

    /// A text of the JSON body of an answer with status 200.
    pub(crate) fn member(&self, name: &str) -> Outcome<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body)?;
        match body[name].as_str() {
            Some(value) if self.status == 200 => Ok(value.to_owned()),
            _ => Err(format!("no {name} in an answer with status {}: {}", self.status, self.body).into()),
        }
    }
}
