//! Revokes names, and removes such revocations.

use std::io;

use clap::Args;
use serde::Serialize;
use tollgate_storage::{Command, Refusal, RevocationKind, StoredRevocation, TokensOf};

use crate::commands::{Names, Outcome, Unknown};
use crate::error::{CommandError, warn};
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};
use crate::values;

pub(super) const HELP: &str = "\
Times: seconds since the Unix epoch, 2026-12-31, 2026-12-31T12:00:00Z, now, or from now 90s, 15m, 12h, 30d. Of two revocations of one
name the stricter applies.
With --json one line a name: {\"ok\":true,\"kind\":...,\"issuer\":...,\"name\":...,\"issued_before\":...,\"until\":...}, or for --undo
{\"ok\":true,...} or {\"ok\":false,\"id\":...,\"error\":\"not-revoked\"}. Exit status: 0, or 1 when --undo found a name not revoked.

Examples:
  tollgate revoke jti 7f3c9a --issuer https://as.example --until 1h --store /var/lib/tollgate
  tollgate revoke subject user-7 --issuer https://as.example --issued-before now
  tollgate revoke client billing --issuer https://as.example
  tollgate revoke session - --issuer https://as.example < sessions.txt
  tollgate revoke issuer https://old.example
  tollgate revoke client billing --issuer https://as.example --undo";

/// Names that an issuer assigns.
#[derive(Args, Debug)]
pub(super) struct OfIssuer {
    /// The issuer of the names: the tokens' `iss`
    #[arg(long, value_name = "ISS")]
    issuer: String,

    #[command(flatten)]
    names: Arguments,
}

/// Names of holders of opaque access tokens.
#[derive(Args, Debug)]
pub(super) struct OfHolder {
    /// Also revoke their opaque access tokens in the store permanently. Opaque access tokens name no issuer
    #[arg(long, conflicts_with = "undo")]
    access_tokens: bool,

    #[command(flatten)]
    names: OfIssuer,
}

/// The names, and the scope of their revocation.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The names to revoke; `-` reads them from standard input, one a line
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    #[command(flatten)]
    store: StoreOption,

    /// Revoke only tokens that were issued before this time. Default: all
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    issued_before: Option<i64>,

    /// The time at which the revocation may be dropped, because the last such token has expired. Default: never
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    until: Option<i64>,

    /// Undo the revocation
    #[arg(long, conflicts_with_all = ["issued_before", "until"])]
    undo: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl OfIssuer {
    pub(super) fn run(&self, kind: RevocationKind) -> Result<Outcome, CommandError> {
        self.names.run(kind, Some(&self.issuer), None)
    }
}

impl OfHolder {
    pub(super) fn run(&self, kind: RevocationKind, tokens_of: TokensOfName) -> Result<Outcome, CommandError> {
        let OfIssuer { issuer, names } = &self.names;
        names.run(kind, Some(issuer), self.access_tokens.then_some(tokens_of))
    }
}

/// The selection of opaque access tokens for a name.
pub(super) type TokensOfName = fn(String) -> TokensOf;

impl Arguments {
    pub(super) fn run(
        &self,
        kind: RevocationKind,
        issuer: Option<&str>,
        tokens_of: Option<TokensOfName>,
    ) -> Result<Outcome, CommandError> {
        let store = if self.undo { self.store.open()? } else { self.store.open_or_make()? };
        let (mut output, mut outcome) = (JsonLines::new(), Outcome::Accepted);
        let revocation = |name: &&str| {
            let mut revocation = match issuer {
                Some(issuer) => StoredRevocation::new(kind, issuer, name),
                None => StoredRevocation::new(kind, name, ""),
            };
            revocation.issued_before = self.issued_before.unwrap_or(i64::MAX);
            revocation.until = self.until.unwrap_or(i64::MAX);
            revocation
        };
        Names::new(&self.names).for_each_batch(|names| {
            let revocations: Vec<StoredRevocation> = names.iter().map(revocation).collect();
            let restore = |revoked: &StoredRevocation| Command::Restore {
                kind,
                issuer: revoked.issuer.to_string(),
                name: revoked.name.to_string(),
            };
            let revoke =
                |revoked: &StoredRevocation| Command::Revoke { revocation: revoked.clone(), with_opaque: false };
            let command = |revoked| if self.undo { restore(revoked) } else { revoke(revoked) };
            let mut commands: Vec<Command> = revocations.iter().map(command).collect();
            if let Some(tokens_of) = tokens_of {
                let made_before = self.issued_before.unwrap_or(i64::MAX);
                let tokens = |name: &&str| Command::RevokeTokens { of: tokens_of((*name).to_owned()), made_before };
                commands.extend(names.iter().map(tokens));
            }
            let outcomes = store.run_commands(commands)?;
            for ((name, revocation), done) in names.iter().zip(&revocations).zip(outcomes) {
                let is_known = match done {
                    Ok(_) => true,
                    Err(Refusal::NotFound { .. }) => false,
                    Err(refusal) => return Err(store.failed(refusal.into())),
                };
                if !is_known {
                    outcome = Outcome::Rejected;
                }
                if let Err(error) = self.tell(name, revocation, is_known, &mut output) {
                    outcome = gone_or_failed(error)?;
                    return Ok(false);
                }
            }
            match output.flush() {
                Ok(()) => Ok(true),
                Err(error) => {
                    outcome = gone_or_failed(error)?;
                    Ok(false)
                }
            }
        })?;
        store.tell_new();
        Ok(outcome)
    }

    fn tell(
        &self,
        name: &str,
        revocation: &StoredRevocation,
        is_known: bool,
        output: &mut JsonLines,
    ) -> io::Result<()> {
        match (is_known, self.json) {
            (true, true) => output.write(&Line { ok: true, revocation: revocation.into() }),
            (true, false) => output.write_text(&format!("{name} {}\n", if self.undo { "restored" } else { "revoked" })),
            (false, true) => output.write(&Unknown::new(name, "not-revoked", "is not revoked")),
            (false, false) => {
                warn(&format!("{name} is not revoked"));
                Ok(())
            }
        }
    }
}

#[derive(Serialize)]
struct Line<'r> {
    ok: bool,
    #[serde(flatten)]
    revocation: Shown<'r>,
}

/// The shown facts of a revocation. Times are in seconds since the Unix epoch, and null if there is no end.
#[derive(Serialize)]
pub(super) struct Shown<'r> {
    kind: &'static str,
    issuer: &'r str,
    name: &'r str,
    issued_before: Option<i64>,
    until: Option<i64>,
}

impl<'r> From<&'r StoredRevocation> for Shown<'r> {
    fn from(revocation: &'r StoredRevocation) -> Self {
        let limited = |seconds: i64| (seconds != i64::MAX).then_some(seconds);
        Shown {
            kind: revocation.kind.as_str(),
            issuer: &revocation.issuer,
            name: &revocation.name,
            issued_before: limited(revocation.issued_before),
            until: limited(revocation.until),
        }
    }
}
