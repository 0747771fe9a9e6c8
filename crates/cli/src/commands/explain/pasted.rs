//! A credential as copied by a person.

use crate::error::CommandError;

/// The header fields in the pasted text.
pub(super) struct Pasted {
    pub(super) fields: Vec<(String, String)>,
    /// Descriptions of the ignored parts, for people.
    pub(super) left_out: Vec<&'static str>,
}

/// The recognised fields. Other names may be part of a credential: an API key may contain a colon.
const FIELDS: [&str; 8] = [
    "authorization",
    "x-api-key",
    "dpop",
    "x-forwarded-for",
    "forwarded",
    "client-cert",
    "x-forwarded-client-cert",
    "x-ssl-client-cert",
];

const CARRIAGE_RETURN: &str =
    "a carriage return at the end of the line was left out; a server that gets it rejects the credential";
const QUOTES: &str = "quotes around the value were left out; a server that gets them rejects the credential";
const SPACE: &str = "white space around the value was left out";
const OTHER_LINES: &str = "lines of other header fields were left out";
const WRAPPED: &str = "line breaks inside of the value were left out";

impl Pasted {
    pub(super) fn read(input: &[u8]) -> Result<Self, CommandError> {
        let text = str::from_utf8(input).map_err(|_| {
            CommandError::Options("standard input is not UTF-8; give one credential, or --input request")
        })?;
        let mut pasted = Pasted { fields: Vec::new(), left_out: Vec::new() };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<&str> = text.split('\n').map(|line| pasted.line(line)).filter(|line| !line.is_empty()).collect();
        let fields: Vec<_> = lines.iter().filter_map(|line| field(line)).collect();
        if !fields.is_empty() {
            if fields.len() < lines.len() {
                pasted.leave_out(OTHER_LINES);
            }
            for (name, value) in fields {
                let value = pasted.plain(value).to_owned();
                pasted.fields.push((name, value));
            }
            return Ok(pasted);
        }
        let begins_another = |line: &&str| {
            ["bearer ", "basic ", "dpop "]
                .iter()
                .any(|scheme| line.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        };
        if lines.iter().skip(1).any(begins_another) {
            return Err(CommandError::Options("there is more than one credential; give one, or use tollgate verify"));
        }
        if lines.len() > 1 {
            pasted.leave_out(WRAPPED);
        }
        pasted.fields.push(("authorization".to_owned(), lines.concat()));
        Ok(pasted)
    }

    /// A line, which may be an option of curl.
    fn line<'t>(&mut self, line: &'t str) -> &'t str {
        let line = self.plain(line);
        match ["-H ", "--header "].iter().find_map(|option| line.strip_prefix(option)) {
            Some(argument) => self.plain(argument.trim_end_matches('\\')),
            None => line,
        }
    }

    /// The text without the characters around it.
    fn plain<'t>(&mut self, text: &'t str) -> &'t str {
        let mut text = text;
        loop {
            let trimmed = text.trim_matches([' ', '\t', '\r']);
            if trimmed.len() < text.len() {
                self.leave_out(if text.ends_with('\r') { CARRIAGE_RETURN } else { SPACE });
            }
            let trimmed = trimmed.strip_suffix(',').filter(|rest| rest.ends_with('"')).unwrap_or(trimmed);
            let unquoted = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')]
                .iter()
                .find_map(|(open, close)| trimmed.strip_prefix(*open)?.strip_suffix(*close));
            match unquoted {
                // A member of JSON has both its name and its value in quotes.
                Some(unquoted) if !unquoted.contains("\":") => {
                    self.leave_out(QUOTES);
                    text = unquoted;
                }
                _ => return trimmed,
            }
        }
    }

    fn leave_out(&mut self, what: &'static str) {
        if !self.left_out.contains(&what) {
            self.left_out.push(what);
        }
    }
}

/// A line `Name: value`, where the name is one of [`FIELDS`].
fn field(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_matches([' ', '"']).to_ascii_lowercase();
    FIELDS.contains(&&*name).then_some((name, value.trim_start_matches([' ', '\t'])))
}
