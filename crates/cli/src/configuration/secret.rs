//! `[issuer.secret]`: an HMAC secret in a text file.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use tollgate::keys::{KeyType, NotASecret, SecretEncoding};
use tollgate::{Algorithm, KeySet};

use crate::key_files;
use crate::limits::MAX_SECRET_FILE_BYTES;

/// The file of the secret, and its encoding.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretConfiguration {
    pub(super) file: PathBuf,
    #[serde(default, deserialize_with = "encoding")]
    encoding: SecretEncoding,
}

impl SecretConfiguration {
    pub(crate) fn new(file: PathBuf, encoding: SecretEncoding) -> Self {
        SecretConfiguration { file, encoding }
    }

    /// The one algorithm of the secret. A secret does not name an algorithm itself.
    pub(super) fn algorithm(algorithms: &[Algorithm]) -> Result<Algorithm, &'static str> {
        match algorithms {
            [algorithm] if algorithm.key_type() == KeyType::Oct => Ok(*algorithm),
            _ => Err("a secret needs algorithms to name exactly one of HS256, HS384 and HS512"),
        }
    }

    pub(super) fn read(&self, algorithm: Algorithm) -> Result<KeySet, String> {
        let text = key_files::read(&self.file, MAX_SECRET_FILE_BYTES).map_err(|error| error.to_string())?;
        let in_file = |reason: String| format!("{}: {reason}", self.file.display());
        if text.len() > MAX_SECRET_FILE_BYTES {
            return Err(in_file(format!("the file is longer than {MAX_SECRET_FILE_BYTES} bytes")));
        }
        let secret = self.encoding.decode(&text).map_err(|error: NotASecret| in_file(error.to_string()))?;
        KeySet::builder().hmac(None, algorithm, &secret).build().map_err(|error| in_file(error.to_string()))
    }
}

fn encoding<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretEncoding, D::Error> {
    /// The names of the encodings in the contract of the file.
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Name {
        Utf8,
        Base64,
        Base64Url,
        Hex,
    }

    Ok(match Name::deserialize(deserializer)? {
        Name::Utf8 => SecretEncoding::Utf8,
        Name::Base64 => SecretEncoding::Base64,
        Name::Base64Url => SecretEncoding::Base64Url,
        Name::Hex => SecretEncoding::Hex,
    })
}
