//! `tollgate token`: signed tokens.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::Value;
use tollgate::Algorithm;
use tollgate_issuer::limits::{DEFAULT_LIFETIME_SECONDS, DEFAULT_OVERLAP_SECONDS, MAX_PRIVATE_KEY_BYTES};
use tollgate_issuer::{IssuerError, Minter, SigningKey, SigningKeys};

use super::{Outcome, print};
use crate::error::CommandError;
use crate::{key_files, values};

const EXAMPLES: &str = "\
Examples:
  tollgate token new --key key.jwk --issuer https://as.example --audience https://api.example --subject user-7
  tollgate token new --key key.jwk --issuer https://as.example --audience https://api.example --subject c1 \\
    --typ at+jwt --client-id c1 --scope read:sites --lifetime 10m --claim 'tenant=\"acme\"' --claim 'roles=[\"admin\"]'";

/// Make tokens.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(New),
}

/// Make a token and print it.
///
/// Every token has `iss`, `iat`, `exp` and `jti`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
struct New {
    /// The signing key: a private JWK, or PKCS#8 in PEM
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// The algorithm, for a key in PEM; a JWK names its own
    #[arg(long = "alg", value_name = "ALG", value_parser = values::algorithm(), hide_possible_values = true)]
    algorithm: Option<Algorithm>,

    /// `iss`
    #[arg(long, value_name = "ISS")]
    issuer: String,

    /// `sub`
    #[arg(long, value_name = "SUB")]
    subject: Option<String>,

    /// `aud`; give the option once for each
    #[arg(long, value_name = "AUD")]
    audience: Vec<String>,

    /// `scope`; give the option once for each, or separate them with spaces
    #[arg(long)]
    scope: Vec<String>,

    /// `client_id`
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// `jti`. Default: random
    #[arg(long)]
    jti: Option<String>,

    /// `nbf`, in seconds since the Unix epoch
    #[arg(long, value_name = "UNIX")]
    not_before: Option<i64>,

    #[arg(long, value_name = "TIME", value_parser = values::seconds, help = format!("From `iat` to `exp`: seconds, or 90s, 15m, 12h, 30d; {DEFAULT_LIFETIME_SECONDS} seconds otherwise"))]
    lifetime: Option<u32>,

    /// The header's `typ`. Default: JWT. With at+jwt the token is an access token of RFC 9068, whose required claims must
    /// be given
    #[arg(long)]
    typ: Option<String>,

    /// Any other claim, with its value in JSON: 'tenant="acme"'; give the option once for each
    #[arg(long = "claim", value_name = "NAME=JSON", value_parser = claim)]
    claims: Vec<(String, Value)>,

    /// The time of issue, in seconds since the Unix epoch. Default: now
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let Command::New(new) = &self.command;
        let key = new.key()?;
        let token = new.mint(key).map_err(CommandError::Issuer)?;
        print(&[&token, "\n"])
    }
}

impl New {
    fn key(&self) -> Result<SigningKey, CommandError> {
        let file = key_files::read(&self.key, MAX_PRIVATE_KEY_BYTES)?;
        let refused = |source| CommandError::SigningKey { path: self.key.clone(), source };
        let text =
            std::str::from_utf8(&file).map_err(|_| refused(IssuerError::NotAPrivateKey { format: "private JWK" }))?;
        if text.trim_start().starts_with('{') {
            return SigningKey::from_jwk(text).map_err(refused);
        }
        let algorithm = self.algorithm.ok_or_else(|| CommandError::AlgorithmNeeded { path: self.key.clone() })?;
        SigningKey::from_pkcs8_pem(algorithm, text).map_err(refused)
    }

    fn mint(&self, key: SigningKey) -> Result<String, IssuerError> {
        if let Some(algorithm) = self.algorithm.filter(|algorithm| *algorithm != key.algorithm()) {
            return Err(IssuerError::AlgorithmMismatch { algorithm });
        }
        // This key is not rotated, so its publication does not limit lifetimes.
        let lifetime = self.lifetime.map_or(DEFAULT_LIFETIME_SECONDS, i64::from);
        let keys = SigningKeys::new(key).with_overlap(lifetime.max(DEFAULT_OVERLAP_SECONDS))?;
        let minter = Minter::new(&self.issuer, Arc::new(keys))?;
        let mut token = minter.token().lifetime(lifetime).scope(self.scope.join(" "));
        for audience in &self.audience {
            token = token.audience(audience);
        }
        if let Some(subject) = &self.subject {
            token = token.subject(subject);
        }
        if let Some(client_id) = &self.client_id {
            token = token.client_id(client_id);
        }
        if let Some(jti) = &self.jti {
            token = token.jti(jti);
        }
        if let Some(time) = self.not_before {
            token = token.not_before(time);
        }
        if let Some(typ) = &self.typ {
            token = token.typ(typ);
        }
        for (name, value) in &self.claims {
            token = token.claim(name, value.clone());
        }
        match self.now {
            Some(now) => token.mint_at(now),
            None => token.mint(),
        }
    }
}

/// Reads `--claim`.
fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("give NAME=JSON")?;
    let value = serde_json::from_str(value).map_err(|_| {
        format!("the value of {name} is not JSON; a string needs its quotation marks: '{name}=\"...\"'")
    })?;
    Ok((name.to_owned(), value))
}
