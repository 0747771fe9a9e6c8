//! The command line.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{self, Outcome};
use crate::error::{CommandError, USAGE_OR_CONFIGURATION, one_line};
use crate::option_file::{self, OptionFile};

const EXAMPLES: &str = "\
Exit status: 0 all accepted, 1 at least one rejected, 2 bad usage or configuration.

Examples:
  tollgate serve --demo
  tollgate key new --alg ES256 > key.jwk
  tollgate token new --key key.jwk --issuer https://as.example --audience https://api.example --subject user-7 |
    tollgate verify --issuer https://as.example --audience https://api.example --jwks key.jwk";

/// Verify tokens, make keys and tokens, answer proxies, run the reference service.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, after_help = EXAMPLES, arg_required_else_help = false, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Jws(commands::jws::Arguments),
    Verify(commands::verify::Arguments),
    Keys(commands::keys::Arguments),
    Inspect(commands::inspect::Arguments),
    Explain(commands::explain::Arguments),
    Key(commands::key::Arguments),
    ApiKey(commands::api_key::Arguments),
    Client(commands::client::Arguments),
    User(commands::user::Arguments),
    Session(commands::session::Arguments),
    Consent(commands::consent::Arguments),
    Site(commands::site::Arguments),
    SigningKey(commands::signing_key::Arguments),
    Revoke(commands::revoke::Arguments),
    Audit(commands::audit::Arguments),
    Token(commands::token::Arguments),
    Bench(commands::bench::Arguments),
    Check(commands::check::Arguments),
    Serve(commands::serve::Arguments),
    Gateway(commands::gateway::Arguments),
    Completions(commands::completions::Arguments),
}

impl Command {
    /// Runs the sub-command.
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match self {
            Command::Jws(arguments) => arguments.run(),
            Command::Verify(arguments) => arguments.run(),
            Command::Keys(arguments) => arguments.run(),
            Command::Inspect(arguments) => arguments.run(),
            Command::Explain(arguments) => arguments.run(),
            Command::Key(arguments) => arguments.run(),
            Command::ApiKey(arguments) => arguments.run(),
            Command::Client(arguments) => arguments.run(),
            Command::User(arguments) => arguments.run(),
            Command::Session(arguments) => arguments.run(),
            Command::Consent(arguments) => arguments.run(),
            Command::Site(arguments) => arguments.run(),
            Command::SigningKey(arguments) => arguments.run(),
            Command::Revoke(arguments) => arguments.run(),
            Command::Audit(arguments) => arguments.run(),
            Command::Token(arguments) => arguments.run(),
            Command::Bench(arguments) => arguments.run(),
            Command::Check(arguments) => arguments.run(),
            Command::Serve(arguments) => arguments.run(),
            Command::Gateway(arguments) => arguments.run(),
            Command::Completions(arguments) => arguments.run(),
        }
    }
}

/// Parses the command line. Options without a command, such as `--help`, are handled here; the error is then the exit
/// status.
pub(crate) fn parse() -> Result<Arguments, ExitCode> {
    read().map_err(|error| match error {
        Unread::CommandLine(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            // Nothing can be reported to a reader that has gone.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        error => {
            eprintln!("tollgate: {}", error.line());
            ExitCode::from(USAGE_OR_CONFIGURATION)
        }
    })
}

/// Why the command line yields no arguments.
pub(crate) enum Unread {
    CommandLine(clap::Error),
    /// The options contradict each other, or those of a file are invalid.
    Options(CommandError),
}

impl Unread {
    /// The error in one line.
    pub(crate) fn line(&self) -> String {
        match self {
            Unread::CommandLine(error) => usage_line(&error.render().to_string()),
            Unread::Options(error) => one_line(&error.to_string()),
        }
    }
}

/// Reads the command line, and for `serve` the environment and the file of options.
pub(crate) fn read() -> Result<Arguments, Unread> {
    const SERVE: &str = "serve";
    let command = Arguments::command().mut_subcommand(SERVE, option_file::with_environment);
    let matches = command.clone().try_get_matches().map_err(Unread::CommandLine)?;
    let arguments = Arguments::from_arg_matches(&matches).map_err(Unread::CommandLine)?;
    let Command::Serve(serve) = &arguments.command else { return Ok(arguments) };
    // The demo ignores a store that the environment or a file names.
    let names_store = |serve: &ArgMatches| serve.value_source("store") == Some(ValueSource::CommandLine);
    if serve.is_demo() && matches.subcommand_matches(SERVE).is_some_and(names_store) {
        let reason = "--demo cannot be used with --store: it has a temporary store of its own";
        return Err(Unread::Options(CommandError::Options(reason)));
    }
    let Some(file) = serve.option_file() else { return Ok(arguments) };
    let file = OptionFile::read(file).map_err(Unread::Options)?;
    let mut applied = Ok(());
    let command = command.mut_subcommand(SERVE, |serve| {
        file.apply(serve.clone()).unwrap_or_else(|error| {
            applied = Err(Unread::Options(error));
            serve
        })
    });
    applied?;
    let matches = command.try_get_matches().map_err(Unread::CommandLine)?;
    Arguments::from_arg_matches(&matches).map_err(Unread::CommandLine)
}

/// One line of clap's report, without the usage.
pub(crate) fn usage_line(report: &str) -> String {
    let mut line = String::new();
    let mut in_usage = false;
    for part in report.lines().map(str::trim) {
        in_usage = part.starts_with("Usage:") || (in_usage && !part.is_empty());
        if in_usage || part.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push_str(if line.ends_with(':') { " " } else { "; " });
        }
        line.push_str(part.strip_prefix("error: ").unwrap_or(part));
    }
    one_line(&line)
}
