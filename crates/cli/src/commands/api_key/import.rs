//! `tollgate api-key import`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, ValueEnum};
use serde::Serialize;
use tollgate::{ApiKey, ApiKeyTable};
use tollgate_storage::{Existing, FileFormat, Import, ImportReport, LineRefused, StorageError, StoredKey};

use super::key_printer::KeyPrinter;
use super::shown::Shown;
use crate::commands::Outcome;
use crate::error::{CommandError, warn};
use crate::reason::Reason;
use crate::secret_input::SecretInput;
use crate::store_options::{FormatOption, PepperOption, StoreOption, operator};
use crate::stream::progress::byte_bar;
use crate::stream::{JsonLines, gone_or_failed};

const HELP: &str = "\
The members of a line (JSON), or its columns, named in the first line (CSV): digest (hexadecimal or base64url), id, kind (api-key,
client-secret, access-token), subject, client_id, scopes, created_at, not_before, expires_at, state, name, metadata (base64url),
allowed_addresses, format (in CSV: prefix, env), rotated_to, overlap_ends_at, parent, confirmation. A key without id gets a random one. A key without
format was made by another system. `tollgate api-key export` and `tollgate api-key new --file` write such lines.

Keys in clear that another system made: with --raw a line has key or key_base64 instead of digest. Such a key has 16 to 512 bytes,
must not begin like tollgate's own keys, and must fit into a header: client secrets are UTF-8 without control characters; other keys
consist of letters, digits and !#$%&'*+-.^_`|~/=: and must not begin like a JWT. The store gets their HMAC-SHA-256 under the pepper;
every process that looks them up (`tollgate serve`, `tollgate verify --store`) needs the same --pepper-file. Keys that could be guessed
are refused. The command wipes the memory that held keys; remove the file yourself. In JSON write keys without escapes.

10,000 lines are one step. If a step has a bad line, none of the step is imported, and the message names the last imported line.

Examples:
  tollgate api-key export --store old > keys.jsonl && tollgate api-key import keys.jsonl --store new
  tollgate api-key import legacy.csv --raw --pepper-file pepper --store /var/lib/tollgate
  tollgate api-key import users.csv --mint --json --store /var/lib/tollgate > keys-to-hand-out.jsonl";

/// Import keys from a file of JSON lines or of comma-separated values: digests, unless options say otherwise.
///
/// With --json: `{"ok":false,"line":...,"error":...,"detail":...}` for each line that --keep-going skips, then
/// `{"ok":true,"added":...,"skipped":...,"minted":...,"refused":...}`.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("pepper").args(["pepper_file", "danger_without_pepper"]),
    after_help = HELP
)]
pub(super) struct Arguments {
    /// The file to read; `-` reads standard input
    file: PathBuf,

    #[command(flatten)]
    store: StoreOption,

    /// The format of the file. Default: csv for a name that ends in `.csv`, else json
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Also import keys in clear
    #[arg(long, requires = "pepper")]
    raw: bool,

    #[command(flatten)]
    pepper: PepperOption,

    /// Digest keys in clear with plain SHA-256, without a pepper. The digests can then be attacked by guessing
    #[arg(long, requires = "raw")]
    danger_without_pepper: bool,

    /// Import keys in clear even if they could be guessed
    #[arg(long, requires = "raw")]
    danger_allow_low_entropy: bool,

    /// Make a key for each line without a digest, and print it once
    #[arg(long)]
    mint: bool,

    #[command(flatten)]
    key_format: FormatOption,

    /// Skip keys whose id or digest is already in the store
    #[arg(long)]
    skip_existing: bool,

    /// Skip bad lines and report them
    #[arg(long)]
    keep_going: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The format of a file of keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line
    Json,
    /// Comma-separated values (RFC 4180), with the column names in the first line
    Csv,
}

impl From<Format> for FileFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Json => FileFormat::JsonLines,
            Format::Csv => FileFormat::Csv,
        }
    }
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let failed = |source| CommandError::File { path: self.file.clone(), source };
        let pepper = self.pepper.read()?;
        if self.file.as_os_str() == "-" {
            return self.import(io::stdin().lock(), None, pepper);
        }
        let file = File::open(&self.file).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        self.import(file, Some(length), pepper)
    }

    fn import(
        &self,
        input: impl Read,
        length: Option<u64>,
        pepper: Option<tollgate::apikeys::Pepper>,
    ) -> Result<Outcome, CommandError> {
        let store = self.store.open_or_make()?;
        let key_format = self.key_format.format(Some(&store))?;
        let table = ApiKeyTable::builder(key_format.clone()).pepper(pepper).build();
        let mut input = SecretInput::new(input);
        let (consumed, bar) = (input.consumed(), byte_bar(length));
        let (mut printer, mut is_gone) = (KeyPrinter::new(self.json), Ok(Outcome::Accepted));
        let mut minted = |stored: &StoredKey, key: &ApiKey| {
            if matches!(is_gone, Ok(Outcome::Accepted)) {
                is_gone = printer.print(key, &Shown::from(stored));
            }
        };
        let mut report = |report: &ImportReport| {
            bar.set_position(consumed.get());
            bar.set_message(format!("{} keys", report.added));
        };
        let mut refused = |line, reason: &LineRefused| bar.suspend(|| self.pass_over(line, reason));

        let mut import = Import::new(self.format().into()).by(operator()).report(&mut report);
        if self.skip_existing {
            import = import.existing(Existing::Skip);
        }
        if self.keep_going {
            import = import.keep_going(&mut refused);
        }
        if self.mint {
            import = import.mint(&key_format, &mut minted);
        }
        import = match (self.raw, self.danger_allow_low_entropy) {
            (false, _) => import,
            (true, false) => import.in_clear(&table),
            (true, true) => import.danger_in_clear_guessable(&table),
        };
        let imported = store.wait_for(import.run(&*store, &mut input));
        bar.finish_and_clear();
        let report = imported.map_err(|source| match source {
            StorageError::Line { .. } => CommandError::Import { path: self.file.clone(), source },
            source => store.failed(source),
        })?;
        store.tell_new();
        let told = self.tell(&report)?;
        Ok(match (is_gone?, told, report.refused) {
            (Outcome::Accepted, Outcome::Accepted, 0) => Outcome::Accepted,
            _ => Outcome::Rejected,
        })
    }

    fn format(&self) -> Format {
        let is_csv = |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        self.format.unwrap_or(if is_csv(&self.file) { Format::Csv } else { Format::Json })
    }

    fn pass_over(&self, line: u64, reason: &LineRefused) {
        if self.json {
            let mut output = JsonLines::new();
            let Reason { error, detail } = reason.into();
            // A closed standard output is noticed at the end.
            let _ = output.write(&SkippedLine { ok: false, line, error, detail }).and_then(|()| output.flush());
        } else {
            warn(&format!("line {line}: {reason}"));
        }
    }

    fn tell(&self, report: &ImportReport) -> Result<Outcome, CommandError> {
        let &ImportReport { added, skipped, minted, refused, .. } = report;
        if !self.json {
            warn(&format!("{added} keys imported, {skipped} were there, {refused} lines refused"));
            return Ok(Outcome::Accepted);
        }
        let mut output = JsonLines::new();
        let written =
            output.write(&Imported { ok: true, added, skipped, minted, refused }).and_then(|()| output.flush());
        written.map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted))
    }
}

#[derive(Serialize)]
struct SkippedLine {
    ok: bool,
    line: u64,
    error: &'static str,
    detail: String,
}

#[derive(Serialize)]
struct Imported {
    ok: bool,
    added: u64,
    skipped: u64,
    minted: u64,
    refused: u64,
}
