//! `tollgate revoke`: revocations of JWTs, by names in their claims.

mod list;
mod name;

use clap::{Args, Subcommand};
use tollgate_storage::{RevocationKind, TokensOf};

use super::Outcome;
use crate::error::CommandError;

const HELP: &str = "\
Revocations are kept in the same store as API keys (--store FILE, or the environment variable TOLLGATE_STORE). Processes
that follow it (`tollgate serve`, `tollgate verify --store`) reject the named tokens within 200 ms. API keys, client secrets and opaque
tokens carry no names: `tollgate api-key revoke` revokes them by their ids, --access-tokens revokes opaque tokens of a subject or client.

Examples:
  tollgate revoke jti 7f3c9a --issuer https://as.example --until 1h --store /var/lib/tollgate
  tollgate revoke subject user-7 --issuer https://as.example --issued-before now
  tollgate revoke list";

/// Revoke JWTs: one, or all of a subject, a session, a client or an issuer.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Revoke single tokens by their `jti`.
    #[command(after_help = name::HELP)]
    Jti(name::OfIssuer),
    /// Revoke all tokens of subjects by their `sub`.
    #[command(after_help = name::HELP)]
    Subject(name::OfHolder),
    /// Revoke all tokens of sessions by their `sid`.
    #[command(after_help = name::HELP)]
    Session(name::OfIssuer),
    /// Revoke all tokens of clients by their `client_id`.
    #[command(after_help = name::HELP)]
    Client(name::OfHolder),
    /// Revoke all tokens of issuers by their `iss`.
    #[command(after_help = name::HELP)]
    Issuer(name::Arguments),
    List(list::Arguments),
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match &self.command {
            Command::Jti(names) => names.run(RevocationKind::Token),
            Command::Subject(names) => names.run(RevocationKind::Subject, TokensOf::Subject),
            Command::Session(names) => names.run(RevocationKind::Session),
            Command::Client(names) => names.run(RevocationKind::Client, TokensOf::Client),
            Command::Issuer(names) => names.run(RevocationKind::Issuer, None, None),
            Command::List(arguments) => arguments.run(),
        }
    }
}
