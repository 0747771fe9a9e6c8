//! `tollgate site`: the sites of users.

use clap::{Args, Subcommand};
use serde::Serialize;
use tollgate_storage::accounts::Site;

use super::Outcome;
use super::user::owner::Owner;
use crate::error::CommandError;

const HELP: &str = "\
`GET /api/v2/sites` of the service lists sites. They are in its store: --store URL as of `tollgate serve`, or the environment variable TOLLGATE_STORE.
Each line of output is a JSON object: `id`, `name`, `url`, `created_at`. For an unknown user or site the answer is
`{\"ok\":false,...}`, and the exit status is 1.

Examples:
  tollgate site new ada@example.com --name Notes --url https://notes.example/ --store /var/lib/tollgate
  tollgate site list ada@example.com
  tollgate site rename ada@example.com site_01kdzb6y0v8e6q5t3h4jm2n7ra --name Diary
  tollgate site remove ada@example.com site_01kdzb6y0v8e6q5t3h4jm2n7ra";

/// Add, list, rename and remove the sites of a user.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a site for a user
    New(New),
    /// List the sites of a user, the oldest first
    List(List),
    /// Rename a site
    Rename(Rename),
    /// Remove sites of a user
    Remove(Remove),
}

#[derive(Args, Debug)]
struct New {
    #[command(flatten)]
    of: Owner,

    /// A name for people
    #[arg(long)]
    name: String,

    /// The http or https URL of the site
    #[arg(long)]
    url: String,
}

#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    of: Owner,
}

#[derive(Args, Debug)]
struct Rename {
    #[command(flatten)]
    of: Owner,

    /// The id of the site
    #[arg(value_name = "ID")]
    id: String,

    /// The new name
    #[arg(long)]
    name: String,
}

#[derive(Args, Debug)]
struct Remove {
    #[command(flatten)]
    of: Owner,

    /// The ids of the sites
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

#[derive(Serialize)]
struct Shown<'s> {
    id: &'s str,
    name: &'s str,
    url: &'s str,
    /// Seconds since the Unix epoch.
    created_at: i64,
}

impl<'s> From<&'s Site> for Shown<'s> {
    fn from(site: &'s Site) -> Self {
        Shown { id: &site.id, name: &site.name, url: &site.url, created_at: site.created_at }
    }
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        match &self.command {
            Command::New(New { of, name, url }) => of.run(|store, user, output| {
                let site = store.wait(store.users.add_site(&user.id, name, url))?;
                Ok(output.write(&Shown::from(&site)).map(|()| Outcome::Accepted))
            }),
            Command::List(List { of }) => of.run(|store, user, output| {
                let sites = store.wait(store.users.sites(&user.id))?;
                let written = sites.iter().try_for_each(|site| output.write(&Shown::from(site)));
                Ok(written.map(|()| Outcome::Accepted))
            }),
            Command::Rename(Rename { of, id, name }) => {
                of.change_each(std::slice::from_ref(id), UNKNOWN, IS_NONE, |store, user, id| {
                    Ok(store.found(store.users.rename_site(&user.id, id, name))?.is_some())
                })
            }
            Command::Remove(Remove { of, ids }) => of.change_each(ids, UNKNOWN, IS_NONE, |store, user, id| {
                Ok(store.found(store.users.remove_site(&user.id, id))?.is_some())
            }),
        }
    }
}

const UNKNOWN: &str = "unknown-site";
const IS_NONE: &str = "is no site of that user";
