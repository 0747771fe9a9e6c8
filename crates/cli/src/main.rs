//! The `tollgate` command: verify tokens, make keys and tokens, answer proxies, run the reference service.
//!
//! In reading order: [`arguments`] reads the command line and names the sub-command; each module of [`commands`] does
//! one of them; those that read tokens use [`stream`].

#![forbid(unsafe_code)]

mod arguments;
mod bench;
mod commands;
mod configuration;
mod engine_options;
mod error;
mod followed;
mod key_files;
mod key_records;
mod limits;
mod log_option;
mod option_file;
mod reason;
mod remote;
mod request_line;
mod scrape;
mod secret_input;
mod signals;
mod store_options;
mod stream;
mod toml_file;
mod values;
mod verdict;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match arguments::parse() {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    match arguments.command.run() {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            error::report(&error);
            ExitCode::from(error::USAGE_OR_CONFIGURATION)
        }
    }
}
