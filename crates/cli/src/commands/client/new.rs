//! `tollgate client new`.

use clap::Args;
use tollgate::jwt::is_scope_token;
use tollgate::{ApiKey, KeyRecord};
use tollgate_storage::{Client, Command, Refusal, StoredKey, new_key_id};

use super::secrets::Shown;
use crate::commands::Outcome;
use crate::commands::api_key::made::Made;
use crate::error::{CommandError, warn};
use crate::store_options::{FormatOption, StoreOption};
use crate::stream::{JsonLines, gone_or_failed};
use crate::values::{self, now};

const HELP: &str = "\
Standard output has the secret and nothing else, or with --json {\"key\":...} with the members of `tollgate client list --json`.

Examples:
  tollgate client new --id billing --scope 'read:sites write:sites' --store /var/lib/tollgate
  tollgate client new --id app --public --redirect-uri https://app.example/callback";

/// Register a client and print its secret, once: only its digest is kept.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The client id; random otherwise
    #[arg(long)]
    id: Option<String>,

    #[command(flatten)]
    store: StoreOption,

    /// A name for people
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,

    /// What the client may ask for; to be given once for each, or with spaces between them
    #[arg(long)]
    scope: Vec<String>,

    /// Where authorization codes may be sent; to be given once for each
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,

    /// A public client (RFC 6749 section 2.1), which has no secret
    #[arg(long, conflicts_with = "expires_in")]
    public: bool,

    /// How long the secret is good: seconds, or 90s, 15m, 12h, 30d; without end otherwise
    #[arg(long, value_name = "TIME", value_parser = values::seconds)]
    expires_in: Option<u32>,

    #[command(flatten)]
    format: FormatOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let scopes: Vec<&str> = self.scope.iter().flat_map(|scope| scope.split_ascii_whitespace()).collect();
        if !scopes.iter().all(|scope| is_scope_token(scope)) {
            return Err(CommandError::Options("--scope holds what is no scope-token (RFC 6749 section 3.3)"));
        }
        let store = self.store.open_or_make()?;
        let failed = |source| store.failed(source);
        let refused = |refusal: Refusal| failed(refusal.into());
        let id = self.id.clone().map_or_else(|| new_key_id("client").map_err(failed), Ok)?;
        let client = Client::new(&id, &self.name, &scopes.join(" "), &self.redirect_uri, now()).map_err(refused)?;
        let add = |secret| {
            let added = store.run_command(Command::AddClient { client: client.clone(), secret })?;
            added.map_err(refused)
        };
        if self.public {
            add(None)?;
            store.tell_new();
            let mut output = JsonLines::new();
            let text = format!("{id}\n");
            let written = if self.json { output.write(&Shown::new(&client, &[])) } else { output.write_text(&text) };
            return written.and_then(|()| output.flush()).map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted));
        }
        let format = self.format.format(Some(&store))?;
        let secret = ApiKey::generate(&format).map_err(|_| CommandError::Random)?;
        let key_id = new_key_id("key").map_err(failed)?;
        let expires_at = self.expires_in.map(|seconds| client.created_at() + i64::from(seconds));
        let record = KeyRecord::client_secret(&key_id, &id).scopes(scopes).expires_at(expires_at);
        let key = StoredKey::native(&format, &secret, record).made_at(client.created_at());
        add(Some(key.clone()))?;
        store.tell_new();
        let outcome = Made::new(self.json).print(&secret, &Shown::new(&client, &[key]))?;
        warn(&format!("the client's id is {id}; its secret is shown only this once"));
        Ok(outcome)
    }
}
