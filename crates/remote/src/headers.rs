//! Header fields for the configured origin, usually credentials.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::{fmt, str};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tokio::task;
use tollgate_jwt::json;
use zeroize::Zeroizing;

use crate::error::{ConfigurationError, FetchError};
use crate::limits::{MAX_HEADER_VALUE_BYTES, MAX_HEADERS};

/// The source of a header field's value. `Debug` does not show the value.
///
/// In a configuration file: a string, or a table such as `{ file = "token", prefix = "Bearer " }`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum HeaderSource {
    /// The value itself.
    Value(Zeroizing<String>),
    /// A file, read for every request. White space around the text and a byte order mark are ignored.
    File {
        /// The file.
        path: PathBuf,
        /// The text before the file's text, such as `Bearer `.
        prefix: String,
    },
}

impl HeaderSource {
    /// The value itself.
    #[must_use]
    pub fn value(value: &str) -> Self {
        HeaderSource::Value(Zeroizing::new(value.to_owned()))
    }

    /// The text of the file at `path`, read for every request.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        HeaderSource::File { path: path.into(), prefix: String::new() }
    }

    /// The text of the file at `path` after `Bearer ` (RFC 6750 section 2.1), read for every request.
    #[must_use]
    pub fn bearer_token_file(path: impl Into<PathBuf>) -> Self {
        HeaderSource::File { path: path.into(), prefix: "Bearer ".to_owned() }
    }

    /// Reads the current value, without surrounding white space. Blocks while it reads a file.
    pub(crate) fn read(&self) -> Result<Zeroizing<String>, FetchError> {
        match self {
            HeaderSource::Value(value) => Ok(value.clone()),
            HeaderSource::File { path, prefix } => {
                let text = read_text(path)?;
                Ok(Zeroizing::new([prefix, &**text].concat()))
            }
        }
    }

    pub(crate) fn file_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            HeaderSource::Value(_) => None,
            HeaderSource::File { path, .. } => Some(path),
        }
    }
}

impl fmt::Debug for HeaderSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderSource::Value(_) => f.write_str("Value"),
            HeaderSource::File { path, .. } => f.debug_struct("File").field("path", path).finish_non_exhaustive(),
        }
    }
}

impl<'de> Deserialize<'de> for HeaderSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct OfFile {
            file: PathBuf,
            #[serde(default)]
            prefix: String,
        }

        impl<'de> Visitor<'de> for Source {
            type Value = HeaderSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the value of a header, or { file = \"path\" }")
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
                Ok(HeaderSource::value(value))
            }

            fn visit_map<M: MapAccess<'de>>(self, table: M) -> Result<Self::Value, M::Error> {
                let OfFile { file, prefix } = OfFile::deserialize(MapAccessDeserializer::new(table))?;
                Ok(HeaderSource::File { path: file, prefix })
            }
        }

        deserializer.deserialize_any(Source)
    }
}

/// The vetted fields of every request to one origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    values: HeaderMap,
    files: Vec<FileField>,
}

#[derive(Clone, Debug)]
struct FileField {
    name: HeaderName,
    path: PathBuf,
    prefix: String,
}

impl Headers {
    pub(crate) fn new(sources: &BTreeMap<String, HeaderSource>) -> Result<Self, ConfigurationError> {
        if sources.len() > MAX_HEADERS {
            return Err(ConfigurationError::TooManyHeaders { headers: sources.len() });
        }
        let mut headers = Headers::default();
        for (text, source) in sources {
            let refused = |reason| ConfigurationError::Header { name: text.clone(), reason };
            let name: HeaderName = text.parse().map_err(|_| refused("it is not the name of a header"))?;
            if RESERVED.contains(&name) {
                return Err(refused("a fetch sets it itself, or cannot do with it"));
            }
            if headers.has(&name) {
                return Err(refused("it is there twice"));
            }
            match source {
                HeaderSource::Value(value) => {
                    let value = field_value("", value).map_err(refused)?;
                    headers.values.insert(name, value);
                }
                HeaderSource::File { path, prefix } => {
                    // Check the prefix now, so that later only the file can be wrong.
                    field_value(prefix, "x").map_err(refused)?;
                    headers.files.push(FileField { name, path: path.clone(), prefix: prefix.clone() });
                }
            }
        }
        Ok(headers)
    }

    fn has(&self, name: &HeaderName) -> bool {
        self.values.contains_key(name) || self.files.iter().any(|field| field.name == *name)
    }

    /// Reads the current fields. Files are read on a blocking thread, so that only this request waits.
    pub(crate) async fn read(&self) -> Result<HeaderMap, FetchError> {
        let (mut headers, files) = (self.values.clone(), self.files.clone());
        if files.is_empty() {
            return Ok(headers);
        }
        let read = task::spawn_blocking(move || {
            for field in files {
                headers.insert(field.name.clone(), field.read()?);
            }
            Ok(headers)
        });
        read.await.unwrap_or(Err(FetchError::Interrupted))
    }
}

impl FileField {
    fn read(&self) -> Result<HeaderValue, FetchError> {
        let refused = |reason: &str| FetchError::HeaderFile { path: self.path.clone(), reason: reason.to_owned() };
        field_value(&self.prefix, &read_text(&self.path)?).map_err(refused)
    }
}

/// Reads a file's text, without surrounding white space and a byte order mark.
fn read_text(path: &Path) -> Result<Zeroizing<String>, FetchError> {
    let refused = |reason: String| FetchError::HeaderFile { path: path.to_owned(), reason };
    let text = read_file(path).map_err(|error| refused(error.to_string()))?;
    let text = json::without_byte_order_mark(&text).trim_ascii();
    match str::from_utf8(text) {
        Ok("") => Err(refused("the file is empty".to_owned())),
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(refused("the file is not UTF-8".to_owned())),
    }
}

/// Reads at most one byte more than the limit. Refuses other than regular files: a pipe could block a thread for ever.
fn read_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    // Allocated at full size: reallocation would leave an unwiped copy.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_HEADER_VALUE_BYTES + 1));
    File::open(path)?.take(MAX_HEADER_VALUE_BYTES as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn field_value(prefix: &str, value: &str) -> Result<HeaderValue, &'static str> {
    let value = Zeroizing::new([prefix, value].concat());
    if value.len() > MAX_HEADER_VALUE_BYTES {
        return Err("its value is too long");
    }
    if value.is_empty() || value.trim_ascii().len() != value.len() {
        return Err("its value is empty, or has white space around it");
    }
    let mut value = HeaderValue::from_str(&value).map_err(|_| "its value has characters that no header can have")?;
    value.set_sensitive(true);
    Ok(value)
}

/// Fields that frame the message or belong to the connection (RFC 9110 section 7.6.1), and fields that a fetch sets
/// itself. Credentials for a proxy are part of the proxy's URI.
const RESERVED: [HeaderName; 15] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
