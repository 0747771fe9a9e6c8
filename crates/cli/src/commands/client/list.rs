//! `tollgate client list`.

use clap::Args;

use super::secrets::{Shown, secrets};
use crate::commands::Outcome;
use crate::error::{CommandError, one_line};
use crate::limits::KEYS_PER_BATCH;
use crate::store_options::StoreOption;
use crate::stream::{JsonLines, gone_or_failed};

const EXAMPLES: &str = "\
Examples:
  tollgate client list --store /var/lib/tollgate
  tollgate client list --json | jq -r .id";

/// List the clients in the order of their ids.
///
/// With --json one line a client: `id`, `name`, `scopes`, `user_scopes`, `type`, `grants`, `token_endpoint_auth_method`,
/// `operators_own`, `require_pushed_authorization_requests`, `dpop_bound_access_tokens`, `tls_client_certificate_bound_access_tokens`, `jwks`, `redirect_uris`,
/// `post_logout_redirect_uris`, `backchannel_logout_uri`, `created_at`, and `secrets`, each with `id`, `state` and `expires_at`. Revoked secrets are left out.
/// A client with `tls_client_auth` has one of `tls_client_auth_subject_dn`, `tls_client_auth_san_dns`, `tls_client_auth_san_uri`,
/// `tls_client_auth_san_ip` and `tls_client_auth_san_email`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreOption,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let (mut output, mut after) = (JsonLines::new(), None::<String>);
        loop {
            let page = store.wait(store.clients(after.as_deref(), KEYS_PER_BATCH))?;
            for client in &page {
                let secrets = secrets(&store, client.id())?;
                let row = || {
                    let (id, name) = (one_line(client.id()), one_line(client.name()));
                    format!("{id:<30}  {:<40}  {name}\n", one_line(client.scopes()))
                };
                let written = match self.json {
                    true => output.write(&Shown::new(client, &secrets)),
                    false => output.write_text(&row()),
                };
                if let Err(error) = written {
                    return gone_or_failed(error);
                }
            }
            match page.last() {
                Some(last) if page.len() == KEYS_PER_BATCH => after = Some(last.id().to_owned()),
                _ => return output.flush().map_or_else(gone_or_failed, |()| Ok(Outcome::Accepted)),
            }
        }
    }
}
