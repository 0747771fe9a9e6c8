//! `tollgate api-key`: API keys, client secrets and opaque access tokens.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use ring::rand::{SecureRandom, SystemRandom};
use tollgate::jwt::base64url;
use tollgate::{ApiKey, KeyFormat};

use super::{Outcome, print};
use crate::error::CommandError;
use crate::key_records::{self, DEFAULT_ENVIRONMENT, DEFAULT_PREFIX, FormatName, KeyLine};
use crate::values::{self, Kind};

const HELP: &str = "\
The file holds one JSON object a line: digest (base64url of the key's SHA-256), id, kind, subject, client_id, scopes,
not_before, expires_at (seconds since the Unix epoch) and format. `tollgate verify --api-keys` reads it. A key that was made
elsewhere is added by hand, without format. To withdraw a key, take its line out.

Examples:
  tollgate api-key new --file keys.jsonl --subject user-7 --scope read:sites --expires-in 90d
  tollgate api-key new --file keys.jsonl --kind client-secret --client-id c1 --scope 'read:sites write:sites'
  tollgate api-key new --prefix acme --env test --subject user-7 2>> keys.jsonl";

/// Make API keys, client secrets and opaque access tokens.
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

/// Make a key and print it, once: only its digest is kept.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
struct New {
    /// Where the record of the key is added; on standard error otherwise
    #[arg(long)]
    file: Option<PathBuf>,

    /// What the key is for
    #[arg(long, value_enum, default_value_t = Kind::ApiKey)]
    kind: Kind,

    /// Whom the key speaks for; of a client secret, that is the client
    #[arg(long, value_name = "SUB", required_unless_present = "client_id")]
    subject: Option<String>,

    /// The client that the secret belongs to, or that the access token was issued to
    #[arg(long, value_name = "ID", required_if_eq("kind", "client-secret"))]
    client_id: Option<String>,

    /// What the key may be used for; to be given once for each, or with spaces between them
    #[arg(long)]
    scope: Vec<String>,

    /// How long the key is good: seconds, or 90s, 15m, 12h, 30d; without end otherwise
    #[arg(long, value_name = "TIME", value_parser = values::seconds)]
    expires_in: Option<u32>,

    /// The public name of the key; random otherwise
    #[arg(long)]
    id: Option<String>,

    /// What the key begins with
    #[arg(long, default_value = DEFAULT_PREFIX)]
    prefix: String,

    /// What follows the prefix
    #[arg(long, default_value = DEFAULT_ENVIRONMENT)]
    env: String,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let Command::New(new) = &self.command;
        let format = KeyFormat::new(&new.prefix, &new.env).map_err(CommandError::ApiKeyFormat)?;
        let key = ApiKey::generate(&format).map_err(|_| CommandError::Random)?;
        let line = new.line(&key)?;
        // The record first: a key that nobody knows of is of no use, and a record without a key does no harm.
        match &new.file {
            Some(path) => key_records::append(path, &line)?,
            None => eprintln!("{}", serde_json::to_string(&line).map_err(|error| CommandError::Output(error.into()))?),
        }
        print(&[key.as_str(), "\n"])
    }
}

impl New {
    fn line(&self, key: &ApiKey) -> Result<KeyLine, CommandError> {
        let line = KeyLine {
            digest: base64url::encode(key.digest().as_bytes()),
            id: self.id.clone().map_or_else(random_id, Ok)?,
            kind: self.kind,
            subject: if self.kind == Kind::ClientSecret { self.client_id.clone() } else { self.subject.clone() },
            client_id: self.client_id.clone(),
            scopes: self.scope.iter().flat_map(|scope| scope.split_ascii_whitespace()).map(str::to_owned).collect(),
            not_before: None,
            expires_at: self.expires_in.map(|seconds| now() + i64::from(seconds)),
            format: Some(FormatName { prefix: self.prefix.clone(), env: self.env.clone() }),
        };
        line.record().map_err(CommandError::NewKeyRecord)?;
        Ok(line)
    }
}

/// 128 random bits: never twice.
fn random_id() -> Result<String, CommandError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| CommandError::Random)?;
    Ok(format!("key_{}", base64url::encode(bytes)))
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
