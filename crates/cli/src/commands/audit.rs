//! `tollgate audit`: the audit log of the store.

use clap::{Args, Subcommand};
use serde::Serialize;
use tollgate_service::AuditTrail;
use tollgate_storage::{AuditFilter, AuditRecord};

use super::Outcome;
use crate::error::{CommandError, one_line};
use crate::limits::KEYS_PER_BATCH;
use crate::remote;
use crate::store_options::{StoreOption, url};
use crate::stream::{JsonLines, gone_or_failed};
use crate::values;

const LIST_HELP: &str = "\
Times: seconds since the Unix epoch, 2026-12-31, 2026-12-31T12:00:00Z. With --json one object a line: `id`, `at`, `door` (http, command,
service), `actor`, `credential`, `address`, `action`, `target`, `concerns`, `outcome` (done, or the reason for the failure). To continue
an earlier export, give its last `id` with --after. If the clocks of a store's hosts differ, records with earlier ids may be written later, by at
most that difference: begin with --since that much earlier, and skip the known ids.

Examples:
  tollgate audit list --store /var/lib/tollgate
  tollgate audit list --since 2026-12-01 --action login --json
  tollgate audit list --about key_01kdzb6y0v8e6q5t3h4jm2n7ra";

/// List audit records: actor, action, credential, address.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
}

/// List audit records, the oldest first.
#[derive(Args, Debug)]
#[command(after_help = LIST_HELP)]
struct List {
    #[command(flatten)]
    store: StoreOption,

    /// Only records from this time or later
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    since: Option<i64>,

    /// Only records from before this time
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    until: Option<i64>,

    /// Only this action, as `login` or `client.disable`
    #[arg(long)]
    action: Option<String>,

    /// Only records with this subject as actor, or with this id or name as object
    #[arg(long, value_name = "NAME")]
    about: Option<String>,

    /// Only records after the record with this id
    #[arg(long, value_name = "ID")]
    after: Option<String>,

    /// The most records to list
    #[arg(long, value_name = "NUMBER")]
    max: Option<usize>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'r> {
    id: &'r str,
    /// Seconds since the Unix epoch.
    at: i64,
    door: &'static str,
    actor: Option<&'r str>,
    credential: Option<&'r str>,
    address: Option<&'r str>,
    action: &'r str,
    target: &'r str,
    concerns: Option<&'r str>,
    outcome: &'r str,
}

impl<'r> From<&'r AuditRecord> for Shown<'r> {
    fn from(record: &'r AuditRecord) -> Self {
        let AuditRecord { id, at, by, action, target, concerns, outcome } = record;
        Shown {
            id,
            at: *at,
            door: by.door.as_str(),
            actor: by.subject.as_deref(),
            credential: by.credential.as_deref(),
            address: by.address.as_deref(),
            action,
            target,
            concerns: concerns.as_deref(),
            outcome,
        }
    }
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let Command::List(arguments) = &self.command;
        arguments.run()
    }
}

impl List {
    fn run(&self) -> Result<Outcome, CommandError> {
        let url = url(&self.store.name().ok_or(CommandError::NoStore)?)?;
        if !url.exists() {
            return Err(CommandError::StoreMissing { store: url.to_string() });
        }
        let runtime = remote::runtime().map_err(CommandError::Runtime)?;
        let trail = runtime.block_on(AuditTrail::open(&url))?;
        let (action, about) = (self.action.clone(), self.about.clone());
        let filter = AuditFilter { since: self.since, until: self.until, action, about };
        let (mut output, mut after) = (JsonLines::new(), self.after.clone());
        let mut left = self.max.unwrap_or(usize::MAX);
        while left > 0 {
            let wanted = left.min(KEYS_PER_BATCH);
            let page = runtime.block_on(trail.page(&filter, after.as_deref(), wanted));
            let page = page.map_err(|source| CommandError::Store { store: url.to_string(), source })?;
            for record in &page {
                let shown = Shown::from(record);
                let written = if self.json { output.write(&shown) } else { output.write_text(&row(&shown)) };
                if let Err(error) = written {
                    return gone_or_failed(error);
                }
            }
            if page.len() < wanted {
                break;
            }
            left -= page.len();
            after = page.last().map(|record| record.id.clone());
        }
        output.flush().map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted))
    }
}

/// The record as one line. Names are escaped, since callers choose them.
fn row(record: &Shown<'_>) -> String {
    let parts = [record.actor, record.credential, record.address].into_iter().flatten().collect::<Vec<_>>();
    let by = if parts.is_empty() { record.door.to_owned() } else { format!("{} {}", record.door, parts.join(", ")) };
    let concerns = record.concerns.filter(|concerns| !concerns.is_empty() && *concerns != record.target);
    let concerns = concerns.map_or_else(String::new, |concerns| format!(" ({concerns})"));
    let line = format!("{}  {}  {}{concerns}  {}  by {by}", record.at, record.action, record.target, record.outcome);
    format!("{}\n", one_line(&line))
}
