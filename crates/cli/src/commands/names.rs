//! Names on the command line, or on standard input in place of `-`.

use std::io;

use crate::error::CommandError;
use crate::limits::KEYS_PER_BATCH;
use crate::stream::{InputFormat, Item, Items};

/// The names that a command works on.
pub(crate) struct Names<'n> {
    given: &'n [String],
}

impl<'n> Names<'n> {
    pub(crate) fn new(given: &'n [String]) -> Self {
        Names { given }
    }

    /// Passes the names to `work`, several at a time: those of the command line, or those of standard input as they
    /// arrive, without waiting for more while some are ready. Ends when `work` says so.
    pub(crate) fn for_each_batch(
        &self,
        mut work: impl FnMut(&[&str]) -> Result<bool, CommandError>,
    ) -> Result<(), CommandError> {
        if self.given.iter().all(|name| name != "-") {
            let names: Vec<&str> = self.given.iter().map(String::as_str).collect();
            for batch in names.chunks(KEYS_PER_BATCH) {
                if !work(batch)? {
                    break;
                }
            }
            return Ok(());
        }
        if self.given.len() > 1 {
            return Err(CommandError::Options("give either names or -, which takes them from standard input"));
        }
        let mut items = Items::new(io::stdin().lock(), InputFormat::Lines);
        let mut batch: Vec<String> = Vec::new();
        loop {
            if batch.len() == KEYS_PER_BATCH || (items.would_wait() && !batch.is_empty()) {
                let names: Vec<&str> = batch.iter().map(String::as_str).collect();
                if !work(&names)? {
                    return Ok(());
                }
                batch.clear();
            }
            match items.next().map_err(CommandError::Input)? {
                None => break,
                Some(Item::Bytes(line)) => {
                    let name = String::from_utf8_lossy(line.trim_ascii()).into_owned();
                    if !name.is_empty() {
                        batch.push(name);
                    }
                }
                Some(_) => return Err(CommandError::Options("a line of standard input is too long for a name")),
            }
        }
        let names: Vec<&str> = batch.iter().map(String::as_str).collect();
        if !names.is_empty() {
            work(&names)?;
        }
        Ok(())
    }
}
