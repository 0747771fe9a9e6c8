use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde_json::Value;

use crate::case::Case;
use crate::classes;
use crate::docket::Docket;
use crate::members::{Members, quoted};

/// All cases, and the key sets that they name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Corpus {
    /// In the order of their classes.
    pub cases: Vec<Case>,
    /// JWK sets (RFC 7517 section 5) as JSON, by name.
    pub key_sets: BTreeMap<String, String>,
}

const KEYS: &str = "keys.json";

impl Corpus {
    /// Generates the corpus. The result is always the same.
    #[must_use]
    pub fn generate() -> Self {
        let mut docket = Docket::default();
        classes::file_all(&mut docket);
        docket.into_corpus()
    }

    /// The folder of the committed copy.
    #[must_use]
    pub fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
    }

    /// Reads the committed copy.
    ///
    /// # Errors
    /// [`ReadError`] names the file and the line.
    pub fn read() -> Result<Self, ReadError> {
        let folder = Self::folder();
        let mut corpus = Corpus::default();
        let keys = read_file(&folder.join(KEYS))?;
        let sets = serde_json::from_str::<BTreeMap<String, Value>>(&keys);
        let sets = sets.map_err(|_| ReadError::Malformed { path: folder.join(KEYS), line: 1 })?;
        corpus.key_sets = sets.into_iter().map(|(name, set)| (name, set.to_string())).collect();
        for class in classes::NAMES {
            let path = folder.join(format!("{class}.jsonl"));
            for (index, line) in read_file(&path)?.lines().enumerate() {
                let malformed = || ReadError::Malformed { path: path.clone(), line: index + 1 };
                corpus.cases.push(Case::from_line(line).ok_or_else(malformed)?);
            }
        }
        Ok(corpus)
    }

    /// The corpus as files: names and contents. A file has the cases of one attack, one a line.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, String> {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for case in &self.cases {
            let name = case.class.trim_end_matches("-choice");
            let file = files.entry(format!("{name}.jsonl")).or_default();
            file.push_str(&case.to_line());
            file.push('\n');
        }
        let sets = self.key_sets.iter().map(|(name, set)| format!("{}:{set}", quoted(name)));
        files.insert(KEYS.to_owned(), format!("{{\n{}\n}}\n", sets.collect::<Vec<_>>().join(",\n")));
        files
    }
}

impl FromIterator<Members> for Members {
    /// A JWK set.
    fn from_iter<I: IntoIterator<Item = Members>>(keys: I) -> Self {
        let keys: Vec<String> = keys.into_iter().map(|key| key.to_string()).collect();
        Members::default().set("keys", format!("[{}]", keys.join(",")))
    }
}

fn read_file(path: &Path) -> Result<String, ReadError> {
    fs::read_to_string(path).map_err(|source| ReadError::Unreadable { path: path.to_owned(), source })
}

/// Why the corpus could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// A file is missing or cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A line is not a valid case.
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Unreadable { path, source } => write!(f, "{}: {source}", path.display()),
            ReadError::Malformed { path, line } => write!(f, "{}:{line}: not a case", path.display()),
        }
    }
}

impl std::error::Error for ReadError {}
