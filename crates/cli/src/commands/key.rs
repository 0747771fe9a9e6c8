//! `tollgate key`: signing keys.

use clap::{Args, Subcommand};
use tollgate::Algorithm;
use tollgate_issuer::SigningKey;

use super::{Outcome, print};
use crate::error::CommandError;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  tollgate key new --alg ES256 > key.jwk
  tollgate key new --alg RS256 --kid 2026-11 > key.jwk
  tollgate keys key.jwk";

/// Make signing keys.
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

/// Make a signing key and print it as a private JWK.
///
/// Store it like a password. `tollgate` also accepts it in place of a public key, and uses its public part.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
struct New {
    /// The algorithm of the key
    #[arg(long = "alg", value_name = "ALG", value_parser = values::algorithm())]
    algorithm: Algorithm,

    /// The key id. Default: the RFC 7638 thumbprint
    #[arg(long)]
    kid: Option<String>,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let Command::New(new) = &self.command;
        new.run()
    }
}

impl New {
    fn run(&self) -> Result<Outcome, CommandError> {
        let key = SigningKey::generate(self.algorithm).map_err(CommandError::Issuer)?;
        let key = match &self.kid {
            Some(kid) => key.with_kid(kid).map_err(CommandError::Issuer)?,
            None => key,
        };
        print(&[&key.to_private_jwk(), "\n"])
    }
}
