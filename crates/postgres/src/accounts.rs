//! What the service keeps of its users.

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate_storage::accounts::{
    AuthorizationCode, LoginSession, PresentedCode, Redemption, Site, StoredSigningKeys, User,
};
use tollgate_storage::{AccountStore, Refusal, StorageError};

use crate::append::Changed;
use crate::error::of_server;
use crate::store::PostgresStore;
use crate::transaction::PostgresTransaction;
use crate::write::{Done, Work};

/// A change of accounts. It is made, numbered and acknowledged as one of keys is, and the feed shows it as a heartbeat.
#[derive(Clone, Copy)]
pub(crate) enum AccountWork<'w> {
    AddUser(&'w User, &'w str),
    AddSite(&'w Site),
    AddLoginSession(&'w LoginSession),
    AddCode(&'w AuthorizationCode, i64),
    RedeemCode(&'w PresentedCode, i64),
    ReplaceSigningKeys(i64, &'w str),
}

#[async_trait]
impl AccountStore for PostgresStore {
    async fn add_user(&self, user: &User, password_hash: &str) -> Result<(), StorageError> {
        self.account(AccountWork::AddUser(user, password_hash)).await.map(drop)
    }

    async fn user_by_id(&self, id: &str) -> Result<Option<User>, StorageError> {
        let select = "SELECT id, email, scopes, created_at FROM tollgate.users WHERE id = $1";
        let rows = self.select_text(select, id).await?;
        Ok(rows.first().map(user))
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StorageError> {
        let select = "SELECT id, email, scopes, created_at, password_hash FROM tollgate.users WHERE email = $1";
        let rows = self.select_text(select, email).await?;
        Ok(rows.first().map(|row| (user(row), row.get(4))))
    }

    async fn add_site(&self, site: &Site) -> Result<(), StorageError> {
        self.account(AccountWork::AddSite(site)).await.map(drop)
    }

    async fn sites_of(&self, user_id: &str, limit: u32) -> Result<Vec<Site>, StorageError> {
        let select = format!(
            "SELECT id, user_id, name, url, created_at FROM tollgate.sites WHERE user_id = $1 ORDER BY created_at, id LIMIT {limit}"
        );
        let site = |row: &Row| {
            let (id, user_id, name, url) = (row.get(0), row.get(1), row.get(2), row.get(3));
            Site { id, user_id, name, url, created_at: row.get(4) }
        };
        Ok(self.select_text(&select, user_id).await?.iter().map(site).collect())
    }

    async fn add_login_session(&self, session: &LoginSession) -> Result<(), StorageError> {
        self.account(AccountWork::AddLoginSession(session)).await.map(drop)
    }

    async fn login_session(&self, digest: &[u8; 32], now: i64) -> Result<Option<LoginSession>, StorageError> {
        let select =
            "SELECT user_id, created_at, expires_at FROM tollgate.login_sessions WHERE digest = $1 AND expires_at > $2";
        let rows = self.select(select, &[&&digest[..], &now]).await?;
        let session = |row: &Row| {
            let (user_id, created_at) = (row.get(0), row.get(1));
            LoginSession { digest: *digest, user_id, created_at, expires_at: row.get(2) }
        };
        Ok(rows.first().map(session))
    }

    async fn add_code(&self, code: &AuthorizationCode, keep_for: i64) -> Result<(), StorageError> {
        self.account(AccountWork::AddCode(code, keep_for)).await.map(drop)
    }

    async fn redeem_code(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError> {
        match self.account(AccountWork::RedeemCode(presented, now)).await? {
            Done::Redeemed(redemption) => Ok(*redemption),
            _ => Ok(Redemption::Unknown),
        }
    }

    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StorageError> {
        let rows = self.select("SELECT version, private_jwks FROM tollgate.signing_keys", &[]).await?;
        let keys = |row: &Row| {
            let private_jwks: String = row.get(1);
            StoredSigningKeys { version: row.get(0), private_jwks: private_jwks.into() }
        };
        Ok(rows.first().map(keys))
    }

    async fn replace_signing_keys(&self, version: i64, private_jwks: &str) -> Result<bool, StorageError> {
        let done = self.account(AccountWork::ReplaceSigningKeys(version, private_jwks)).await?;
        Ok(matches!(done, Done::Added(added) if added == [true]))
    }
}

impl PostgresStore {
    async fn account(&self, work: AccountWork<'_>) -> Result<Done, StorageError> {
        let (done, _) = self.acknowledged(Work::Account(work)).await?;
        Ok(done)
    }

    /// By a text, which PostgreSQL could not hold with U+0000 in it.
    async fn select_text(&self, select: &str, text: &str) -> Result<Vec<Row>, StorageError> {
        if text.contains('\0') { Ok(Vec::new()) } else { self.select(select, &[&text]).await }
    }
}

/// Does the work in the transaction that has begun on `client`.
pub(crate) async fn run(
    client: &ClientWrapper,
    transaction: &mut PostgresTransaction<'_>,
    work: AccountWork<'_>,
) -> Result<Done, StorageError> {
    let rows = Rows(client);
    let added = |added: u64, what| if added > 0 { Ok(()) } else { Err(Refusal::AlreadyExists { what }) };
    let done = match work {
        AccountWork::AddUser(user, password_hash) => {
            let values: [&(dyn ToSql + Sync); 5] =
                [&user.id, &user.email, &password_hash, &user.scopes, &user.created_at];
            let insert = "INSERT INTO tollgate.users (id, email, password_hash, scopes, created_at)
                          VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
            added(rows.execute(insert, &values).await?, "user")?;
            Done::Nothing
        }
        AccountWork::AddSite(site) => {
            let insert = "INSERT INTO tollgate.sites (id, user_id, name, url, created_at)
                          SELECT $1, id, $3, $4, $5 FROM tollgate.users WHERE id = $2 ON CONFLICT DO NOTHING";
            let values: [&(dyn ToSql + Sync); 5] = [&site.id, &site.user_id, &site.name, &site.url, &site.created_at];
            added(rows.execute(insert, &values).await?, "site")?;
            Done::Nothing
        }
        AccountWork::AddLoginSession(LoginSession { digest, user_id, created_at, expires_at }) => {
            rows.execute("DELETE FROM tollgate.login_sessions WHERE expires_at <= $1", &[created_at]).await?;
            let insert = "INSERT INTO tollgate.login_sessions (digest, user_id, created_at, expires_at)
                          VALUES ($1, $2, $3, $4)";
            rows.execute(insert, &[&&digest[..], user_id, created_at, expires_at]).await?;
            Done::Nothing
        }
        AccountWork::AddCode(code, keep_for) => {
            let kept = code.created_at.saturating_sub(keep_for);
            rows.execute("DELETE FROM tollgate.authorization_codes WHERE expires_at < $1", &[&kept]).await?;
            let insert = "INSERT INTO tollgate.authorization_codes (digest, client_id, user_id, redirect_uri, code_challenge, scope,
                                                                   created_at, expires_at, token_id)
                          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
            let values: [&(dyn ToSql + Sync); 9] = [
                &&code.digest[..],
                &code.client_id,
                &code.user_id,
                &code.redirect_uri,
                &code.code_challenge,
                &code.scope,
                &code.created_at,
                &code.expires_at,
                &code.token_id,
            ];
            rows.execute(insert, &values).await?;
            Done::Nothing
        }
        AccountWork::RedeemCode(presented, now) => match rows.redeem(presented, now).await? {
            first @ Redemption::First(_) => Done::Redeemed(Box::new(first)),
            // Nothing has changed.
            other => return Ok(Done::Redeemed(Box::new(other))),
        },
        AccountWork::ReplaceSigningKeys(version, private_jwks) => {
            let replace = match version {
                0 => {
                    "INSERT INTO tollgate.signing_keys (id, version, private_jwks) VALUES (1, $1::bigint + 1, $2) ON CONFLICT DO NOTHING"
                }
                _ => "UPDATE tollgate.signing_keys SET version = $1::bigint + 1, private_jwks = $2 WHERE version = $1",
            };
            if rows.execute(replace, &[&version, &private_jwks]).await? == 0 {
                return Ok(Done::Added(vec![false]));
            }
            Done::Added(vec![true])
        }
    };
    transaction.changed(Changed::Heartbeat);
    Ok(done)
}

struct Rows<'c>(&'c ClientWrapper);

impl Rows<'_> {
    async fn execute(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, StorageError> {
        let statement = self.0.prepare_cached(text).await.map_err(of_server)?;
        self.0.execute(&statement, parameters).await.map_err(of_server)
    }

    async fn redeem(&self, presented: &PresentedCode, now: i64) -> Result<Redemption, StorageError> {
        // Of two at once the later one waits here, and finds the code used.
        let select =
            "SELECT client_id, user_id, redirect_uri, code_challenge, scope, created_at, expires_at, token_id, used_at
                      FROM tollgate.authorization_codes WHERE digest = $1 FOR UPDATE";
        let statement = self.0.prepare_cached(select).await.map_err(of_server)?;
        let digest = &presented.digest[..];
        let Some(row) = self.0.query_opt(&statement, &[&digest]).await.map_err(of_server)? else {
            return Ok(Redemption::Unknown);
        };
        let code = AuthorizationCode {
            digest: presented.digest,
            client_id: row.get(0),
            user_id: row.get(1),
            redirect_uri: row.get(2),
            code_challenge: row.get(3),
            scope: row.get(4),
            created_at: row.get(5),
            expires_at: row.get(6),
            token_id: row.get(7),
        };
        let redemption = code.redeem(row.get::<_, Option<i64>>(8).is_some(), presented, now);
        if let Redemption::First(_) = redemption {
            self.execute("UPDATE tollgate.authorization_codes SET used_at = $2 WHERE digest = $1", &[&digest, &now])
                .await?;
        }
        Ok(redemption)
    }
}

fn user(row: &Row) -> User {
    User { id: row.get(0), email: row.get(1), scopes: row.get(2), created_at: row.get(3) }
}
