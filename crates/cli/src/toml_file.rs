//! Configuration files, and errors that name the line.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::CommandError;
use crate::key_files;
use crate::limits::MAX_CONFIGURATION_BYTES;

/// A file of TOML that was read.
#[derive(Debug)]
pub(crate) struct TomlFile {
    path: PathBuf,
    /// The start of each line but the first.
    line_starts: Vec<usize>,
}

impl TomlFile {
    /// Reads the file at `path`, and deserialises its content.
    pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<(Self, T), CommandError> {
        let bytes = key_files::read(path, MAX_CONFIGURATION_BYTES)?;
        let line_feeds = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let file = TomlFile { path: path.into(), line_starts: line_feeds.map(|(position, _)| position + 1).collect() };
        if bytes.len() > MAX_CONFIGURATION_BYTES {
            return Err(file.refused(0, format!("the file is longer than {MAX_CONFIGURATION_BYTES} bytes")));
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| file.refused(error.valid_up_to(), error.to_string()))?;
        let content = toml::from_str(text).map_err(|error| {
            let position = error.span().map_or(0, |span| span.start);
            file.refused(position, error.message().to_owned())
        })?;
        Ok((file, content))
    }

    /// The folder that paths in the file are relative to.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The error, with the line that `position` is in.
    pub(crate) fn refused(&self, position: usize, reason: String) -> CommandError {
        let line = 1 + self.line_starts.partition_point(|start| *start <= position);
        CommandError::Configuration { path: self.path.clone(), line, reason }
    }
}

/// Whether a store is named by a URL, which is not a relative path.
pub(crate) fn is_url(name: &Path) -> bool {
    name.to_str().is_some_and(|name| name.contains("://") || name.starts_with("sqlite:"))
}
