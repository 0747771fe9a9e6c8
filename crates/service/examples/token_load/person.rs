use crate::Outcome;
use crate::connection::{Answer, Connection};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A person who has logged in, at a browser.
pub(crate) struct Person {
    connection: Connection,
    cookies: Vec<String>,
}

impl Person {
    /// Logs in on the page that `path` leads to.
    pub(crate) fn log_in(origin: &str, path: &str, email: &str) -> Outcome<Self> {
        let mut person = Self { connection: Connection::open(origin)?, cookies: Vec::new() };
        let page = person.open(path, None)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in hidden_fields(&page.body) {
            form.append_pair(name, value);
        }
        let form = form.append_pair("email", email).append_pair("password", PASSWORD).finish();
        let answer = person.open("/oauth/v2/login", Some(&form))?;
        if answer.values("location").next().is_none() {
            return Err(format!("the login was refused: {}", answer.body).into());
        }
        Ok(person)
    }

    /// The code that the authorization request `path` gives.
    pub(crate) fn code(&mut self, path: &str) -> Outcome<String> {
        let answer = self.open(path, None)?;
        let code = answer.values("location").find_map(|to| {
            let (_, query) = to.split_once('?')?;
            form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").map(|(_, code)| code.into_owned())
        });
        code.ok_or_else(|| format!("no code, but status {}: {}", answer.status, answer.body).into())
    }

    fn open(&mut self, path: &str, form: Option<&str>) -> Outcome<Answer> {
        let cookies = match &*self.cookies {
            [] => String::new(),
            cookies => format!("cookie: {}\r\n", cookies.join("; ")),
        };
        let answer = self.connection.send(path, &cookies, form)?;
        for cookie in answer.values("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            let name = pair.split('=').next();
            self.cookies.retain(|kept| kept.split('=').next() != name);
            self.cookies.push(pair.to_owned());
        }
        Ok(answer)
    }
}

/// Names and values, which have no character that HTML escapes but as a number.
fn hidden_fields(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split(r#"<input type="hidden" name=""#).skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once(r#"" value=""#)?;
        Some((name, rest.split('"').next()?))
    })
}
