//! The options that describe an engine: `tollgate verify` and `tollgate explain`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use tollgate::keys::SecretEncoding;
use tollgate::limits::{DEFAULT_LEEWAY, MAX_LEEWAY};
use tollgate::{Algorithm, IssuerSettings};
use toml::Spanned;

use crate::configuration::{
    AcceptConfiguration, Configuration, DpopConfiguration, IssuerConfiguration, KeySources, SecretConfiguration,
};
use crate::error::CommandError;
use crate::followed::StoreConfiguration;
use crate::values::{self, Typ};

/// The accepted credentials.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("accepted").args(["issuer", "api_keys", "store", "config"]).multiple(true).required(true),
    group = ArgGroup::new("keys").args(["jwks", "secret_file"])
)]
pub(crate) struct EngineOptions {
    /// Accept JWTs with exactly this `iss`
    #[arg(long, value_name = "ISS", requires_all = ["audience", "keys"])]
    issuer: Option<String>,

    /// Accept tokens whose `aud` contains this audience; give the option once for each
    #[arg(long = "audience", value_name = "AUD", requires = "issuer")]
    audience: Vec<String>,

    /// The issuer's keys: a JWKS, or any key file that `tollgate keys` reads
    #[arg(long, value_name = "FILE", requires = "issuer")]
    jwks: Option<PathBuf>,

    /// The issuer's key: an HMAC secret in a text file, with --alg HS256, HS384 or HS512. A line feed at the end is not
    /// part of it
    #[arg(long, value_name = "FILE", requires_all = ["issuer", "algorithms"])]
    secret_file: Option<PathBuf>,

    /// The encoding of the secret. Default: utf8
    #[arg(long, value_enum, value_name = "ENCODING", requires = "secret_file")]
    secret_encoding: Option<Encoding>,

    /// Accept only these algorithms. They also apply to keys that name no algorithm; without --alg, such an RSA key
    /// admits RS256, and such an `oct` key is refused
    #[arg(long = "alg", value_name = "ALG", requires = "issuer", value_parser = values::algorithm(), hide_possible_values = true)]
    algorithms: Vec<Algorithm>,

    /// The `typ` of the issuer's tokens. Default: JWT
    #[arg(long, value_enum, requires = "issuer", ignore_case = true)]
    typ: Option<Typ>,

    #[arg(long, value_name = "SECONDS", requires = "issuer", help = format!("Forgive this much clock skew at `exp` and `nbf`: {DEFAULT_LEEWAY} otherwise, at most {MAX_LEEWAY}"))]
    leeway: Option<u32>,

    /// Accept the API keys, client secrets and opaque tokens of this file, which `tollgate api-key new` writes
    #[arg(long, value_name = "FILE")]
    api_keys: Option<PathBuf>,

    /// Accept the API keys, client secrets and opaque tokens of this store, apply its revocations, and follow it: a
    /// change by another process takes effect within 200 ms. The store's file, or its folder
    #[arg(long, value_name = "FILE", conflicts_with = "api_keys")]
    store: Option<PathBuf>,

    /// The pepper of the keys in the store that other systems made, as given to `tollgate api-key import`
    #[arg(long, value_name = "FILE", requires = "store")]
    pepper_file: Option<PathBuf>,

    /// The prefix of tollgate's keys in the store. Default: that of the first key
    #[arg(long, requires = "store")]
    prefix: Option<String>,

    /// The environment, which follows the prefix
    #[arg(long, requires = "store")]
    env: Option<String>,

    /// Read all this from a file, with any number of issuers
    #[arg(long, value_name = "FILE", conflicts_with_all = ["issuer", "api_keys", "store"])]
    config: Option<PathBuf>,
}

impl EngineOptions {
    /// The configuration of `--config`, or of the other options.
    pub(crate) fn configuration(&self) -> Result<Configuration, CommandError> {
        match &self.config {
            Some(path) => Configuration::read(path),
            None => Ok(self.described()),
        }
    }

    fn described(&self) -> Configuration {
        let issuer = self.issuer.as_ref().map(|name| {
            let mut settings = IssuerSettings::new(name);
            settings.audiences.clone_from(&self.audience);
            if !self.algorithms.is_empty() {
                settings.algorithms = Some(self.algorithms.clone());
            }
            settings.typ = self.typ.map_or(settings.typ, Into::into);
            settings.leeway = self.leeway.unwrap_or(settings.leeway);
            let secret = self.secret_file.as_ref().map(|file| {
                let encoding = self.secret_encoding.map_or_else(SecretEncoding::default, Into::into);
                Spanned::new(0..0, SecretConfiguration::new(file.clone(), encoding))
            });
            let keys = KeySources { jwks: self.jwks.clone(), secret, ..KeySources::default() };
            Spanned::new(0..0, IssuerConfiguration { settings, keys })
        });
        let store = self.store.as_ref().map(|file| StoreConfiguration {
            file: file.clone(),
            pepper_file: self.pepper_file.clone(),
            prefix: self.prefix.clone(),
            env: self.env.clone(),
            max_staleness: None,
        });
        Configuration {
            issuers: issuer.into_iter().collect(),
            introspection: BTreeMap::new(),
            api_keys: self.api_keys.clone(),
            store,
            max_header_bytes: None,
            accept: AcceptConfiguration::default(),
            dpop: DpopConfiguration::default(),
            request: None,
            gateway: None,
            file: None,
        }
    }
}

/// The encoding of a secret.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Encoding {
    /// The text itself
    Utf8,
    /// base64 (RFC 4648 section 4)
    Base64,
    /// base64url (RFC 4648 section 5)
    Base64url,
    /// Two digits a byte
    Hex,
}

impl From<Encoding> for SecretEncoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Utf8 => SecretEncoding::Utf8,
            Encoding::Base64 => SecretEncoding::Base64,
            Encoding::Base64url => SecretEncoding::Base64Url,
            Encoding::Hex => SecretEncoding::Hex,
        }
    }
}
