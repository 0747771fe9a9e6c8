//! Prints new keys once, on standard output, without leaving a copy in memory.

use std::io::{self, Write};

use serde::Serialize;
use tollgate::ApiKey;
use zeroize::Zeroizing;

use crate::commands::Outcome;
use crate::error::CommandError;
use crate::stream::{gone_or_failed, json_line};

/// Prints new keys, each with its facts if they are requested.
pub(in crate::commands) struct KeyPrinter {
    json: bool,
    lines: Zeroizing<Vec<u8>>,
}

impl KeyPrinter {
    pub(in crate::commands) fn new(json: bool) -> Self {
        KeyPrinter { json, lines: Zeroizing::default() }
    }

    /// Prints `key`. In JSON it is the member `key`, before those of `facts`.
    pub(in crate::commands) fn print(&mut self, key: &ApiKey, facts: &impl Serialize) -> Result<Outcome, CommandError> {
        let facts = if self.json { json_line(facts).map_err(CommandError::Output)? } else { Vec::new() };
        // Sized beforehand: a growing buffer leaves a copy of the key behind.
        self.lines = Zeroizing::new(Vec::with_capacity(key.as_str().len() + facts.len() + r#"{"key":"",}"#.len() + 1));
        match facts.strip_prefix(b"{") {
            Some(members) => {
                self.lines.extend_from_slice(br#"{"key":""#);
                self.lines.extend_from_slice(key.as_str().as_bytes());
                self.lines.extend_from_slice(br#"","#);
                self.lines.extend_from_slice(members);
            }
            None => {
                self.lines.extend_from_slice(key.as_str().as_bytes());
                self.lines.push(b'\n');
            }
        }
        // Whole lines: standard output passes them on without a copy in its own buffer.
        let mut output = io::stdout().lock();
        output
            .write_all(&self.lines)
            .and_then(|()| output.flush())
            .map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted))
    }
}
