use crate::accounts::Accounts;
use crate::error::ServerError;
use crate::ids::now;
use crate::keys;
use crate::limits::{
    ACCOUNT_ATTEMPT_PERIOD, ACCOUNT_ATTEMPTS, ADDRESS_ATTEMPT_PERIOD, ADDRESS_ATTEMPTS, SIGNING_KEY_MARGIN_SECONDS,
};
use crate::login::Login;
use crate::oauth::Cookies;
use crate::rate_limit::RateLimiter;
use crate::storage::Store;
use crate::tokens::Tokens;
use std::sync::Arc;
use tollgate::{Engine, Issuer, Revocation, Revocations, TypProfile};
use tollgate_issuer::SigningKeys;

/// Everything a request can need, shared by all of them.
pub(crate) struct App {
    /// The service's public origin: `iss` and `aud` of its tokens.
    pub(crate) origin: String,
    pub(crate) engine: Arc<Engine>,
    pub(crate) accounts: Accounts,
    pub(crate) login: Login,
    pub(crate) tokens: Tokens,
    pub(crate) signing_keys: Arc<SigningKeys>,
    revocations: Revocations,
    pub(crate) cookies: Cookies,
}

impl App {
    /// Reads the store and wires the parts. Lifetimes in seconds. Blocks.
    pub(crate) fn open(
        store: Store,
        origin: String,
        session_ttl: i64,
        access_token_ttl: i64,
    ) -> Result<Self, ServerError> {
        let overlap = session_ttl.max(access_token_ttl) + SIGNING_KEY_MARGIN_SECONDS;
        let signing_keys = Arc::new(keys::open(&store, overlap)?);
        let revoked = store.revoked_tokens(now())?;
        let (accounts, table) = Accounts::load(Arc::new(store))?;
        let issuer = Issuer::new(&origin)
            .audience(&origin)
            .keys(signing_keys.key_ring())
            .typ(TypProfile::JwtOrAccessToken)
            // The clock that wrote the times is the one that checks them.
            .leeway(0);
        let revocations = Revocations::new();
        let revoked: Vec<_> = revoked.iter().map(|(id, until)| Revocation::token(&origin, id).until(*until)).collect();
        revocations.revoke_all(&revoked);
        let engine = Engine::builder().issuer(issuer).api_keys(table).revocations(revocations.clone()).build()?;
        let login = Login::new(
            accounts.clone(),
            RateLimiter::new(ACCOUNT_ATTEMPTS, ACCOUNT_ATTEMPT_PERIOD),
            RateLimiter::new(ADDRESS_ATTEMPTS, ADDRESS_ATTEMPT_PERIOD),
        );
        let tokens = Tokens::new(&origin, Arc::clone(&signing_keys), session_ttl, access_token_ttl)?;
        let cookies = Cookies { secure: origin.starts_with("https://") };
        Ok(Self { origin, engine: Arc::new(engine), accounts, login, tokens, signing_keys, revocations, cookies })
    }

    /// Refuses the token of that `jti` from now on, which expires by itself at `until`.
    pub(crate) fn revoke_token(&self, token_id: &str, until: i64) {
        self.revocations.revoke(&Revocation::token(&self.origin, token_id).until(until));
    }

    /// Clears away what has expired. Blocks.
    pub(crate) fn upkeep(&self) -> Result<(), ServerError> {
        let now = now();
        self.revocations.forget_expired(now);
        keys::prune(&self.accounts.store, &self.signing_keys, now)
    }

    /// Runs `work` where blocking is allowed. It runs to its end even when the caller goes away, so what must happen
    /// together, the write to the store and the change in the table, belongs into one `work`.
    pub(crate) async fn blocking<T: Send + 'static, E: From<ServerError> + Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let app = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(result) => result,
            Err(_) => Err(ServerError::Task.into()),
        }
    }
}
