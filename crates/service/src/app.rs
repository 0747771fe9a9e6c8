use crate::accounts::Accounts;
use crate::audit;
use crate::config::{Config, DpopNonces};
use crate::demo::Demo;
use crate::error::ServerError;
use crate::ids::now;
use crate::key_store::FollowedStore;
use crate::keys::{Schedule, SealingKeyFile, SigningKeyStore};
use crate::limits::{ENDPOINT_PROOF_BYTES, SIGNING_KEY_MARGIN_SECONDS};
use crate::login::Login;
use crate::mutual_tls::MutualTls;
use crate::nonce_secrets;
use crate::oauth::DPOP_ALGORITHMS;
use crate::pages::Cookies;
use crate::refresh_tokens::RefreshLifetimes;
use crate::routes::scopes;
use crate::store::StoreUrl;
use crate::throttle::{DeviceThrottle, ProofThrottle};
use crate::tokens::{Tokens, seconds};
use crate::undelivered::{self, Undelivered};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tollgate::{Algorithm, Dpop, Engine, Issuer, NonceSecrets, PublicOrigin, TrustedProxies, TypProfile};
use tollgate_issuer::SigningKeys;
use tollgate_storage::{Actor, Command, WriteGate};
use tollgate_telemetry::Metrics;
use tollgate_tower::ResourceMetadata;
use tracing::Span;

/// Everything a request can need, shared by all of them.
pub(crate) struct App {
    /// The service's public origin: `iss` and `aud` of its tokens.
    pub(crate) origin: String,
    /// Where clients reach it: that origin, and the one that asks for certificates.
    pub(crate) origins: Vec<PublicOrigin>,
    pub(crate) mutual_tls: Option<MutualTls>,
    pub(crate) engine: Arc<Engine>,
    /// Verifies the DPoP proofs at the endpoints that clients call.
    pub(crate) proofs: Arc<Engine>,
    nonces: NonceSecrets,
    /// Verifies ID tokens that come back as hints.
    pub(crate) hints: Engine,
    pub(crate) trusted_proxies: TrustedProxies,
    /// Whose pages may call the API.
    pub(crate) cors_origins: Vec<PublicOrigin>,
    /// Of the API, for clients that find their way by themselves (RFC 9728).
    pub(crate) resource_metadata: ResourceMetadata,
    pub(crate) accounts: Accounts,
    pub(crate) login: Login,
    pub(crate) device_throttle: DeviceThrottle,
    pub(crate) proof_throttle: ProofThrottle,
    pub(crate) tokens: Tokens,
    pub(crate) refresh_lifetimes: RefreshLifetimes,
    pub(crate) signing_keys: Arc<SigningKeys>,
    signing_key_store: SigningKeyStore,
    signing_key_schedule: Schedule,
    audit_retention: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) requires_pushed_requests: bool,
    pub(crate) cookies: Cookies,
    pub(crate) metrics: Option<Metrics>,
    /// Where this is the demo.
    pub(crate) demo: Option<Demo>,
}

impl App {
    /// Reads what is in the store and wires the parts. Blocks, on a thread of a runtime where that is allowed.
    pub(crate) fn open(
        url: &StoreUrl,
        origin: String,
        mtls_origin: Option<String>,
        config: &Config,
    ) -> Result<Self, ServerError> {
        let parsed = |origin: &String| origin.parse().map_err(|_| ServerError::BaseUrl { base_url: origin.clone() });
        let origins = [&origin].into_iter().chain(&mtls_origin).map(parsed).collect::<Result<_, _>>()?;
        let mutual_tls = MutualTls::open(config, mtls_origin)?;
        let runtime = Handle::current();
        // First, since it makes the folder.
        let store = runtime.block_on(url.open_accounts())?;
        let keys = FollowedStore::open(runtime.block_on(url.open_keys())?, config)?;
        if !runtime.block_on(store.issuers())?.contains(&origin) {
            runtime.block_on(store.add_issuer(&origin))?;
        }
        let overlap = config.longest_ttl().saturating_add(SIGNING_KEY_MARGIN_SECONDS);
        let schedule = Schedule { lifetime: seconds(config.signing_key_ttl), overlap };
        let sealing_key_file = SealingKeyFile::of(url, config.sealing_key_file.as_deref());
        if sealing_key_file == SealingKeyFile::None {
            tracing::warn!(
                "the signing keys are in clear in the database and its backups: name a file with --sealing-key-file"
            );
        }
        let signing_key_store = runtime.block_on(SigningKeyStore::open(Arc::clone(&store), &sealing_key_file))?;
        let signing_keys = Arc::new(runtime.block_on(signing_key_store.signing_keys(schedule, now()))?);
        let issuer = Issuer::new(&origin)
            .audience(&origin)
            .keys(signing_keys.key_ring())
            .typ(TypProfile::JwtOrAccessToken)
            // They are revoked in the store that is followed.
            .require_fresh_revocations()
            // The clock that wrote the times is the one that checks them.
            .leeway(0);
        // A hint names a user; what was revoked still does. The caller of it compares the audience, a client.
        let id_tokens = Issuer::new(&origin).keys(signing_keys.key_ring()).typ(TypProfile::Jwt).leeway(0);
        let hints = Engine::builder().issuer(id_tokens.danger_accept_any_audience()).no_cache().build()?;
        let nonces = nonce_secrets::of(&signing_keys);
        nonce_secrets::renew(&nonces, &signing_keys);
        let dpop = |with_nonce: bool| {
            let dpop = Dpop::new().algorithms(DPOP_ALGORITHMS);
            if with_nonce { dpop.require_nonce_of(&nonces) } else { dpop }
        };
        // The store knows the proofs from before the start and of other processes.
        let proofs =
            dpop(config.dpop_nonces != DpopNonces::Off).started_at(i64::MIN).replay_bytes(ENDPOINT_PROOF_BYTES);
        let proofs = Arc::new(Engine::builder().issuers_at_run_time().no_cache().dpop(proofs).build()?);
        let dpop = dpop(config.dpop_nonces == DpopNonces::Everywhere);
        let (table, revocations) = keys.tables();
        let engine = Engine::builder().issuer(issuer).api_keys(table).revocations(revocations).dpop(dpop);
        let mut engine = engine.require_fresh_api_keys();
        if let Some(metrics) = config.metrics.clone() {
            metrics.watch_store(&url.to_string(), keys.progress());
            engine = engine.untimed_observer(move |seen| metrics.count(seen));
        }
        let engine = Arc::new(engine.build()?);
        if let Some(metrics) = &config.metrics {
            metrics.watch_engine(&engine);
            metrics.watch_engine(&proofs);
        }
        let accounts = Accounts::new(store, keys)?;
        let login = Login::new(accounts.clone());
        let tokens = Tokens::new(&origin, Arc::clone(&signing_keys), Arc::clone(&accounts.keys), config)?;
        let cookies = Cookies { secure: origin.starts_with("https://") };
        let trusted_proxies = config.trusted_proxies.clone();
        let algorithms = DPOP_ALGORITHMS.map(Algorithm::name).to_vec();
        let resource_metadata = ResourceMetadata::new(&origin)?.authorization_servers([&*origin]).scopes(scopes::ALL);
        let resource_metadata = resource_metadata
            .member("dpop_signing_alg_values_supported", algorithms)
            .member("tls_client_certificate_bound_access_tokens", mutual_tls.is_some());
        Ok(Self {
            origin,
            origins,
            mutual_tls,
            engine,
            proofs,
            nonces,
            hints,
            trusted_proxies,
            cors_origins: config.cors_origins.clone(),
            resource_metadata,
            accounts,
            login,
            device_throttle: DeviceThrottle::new(),
            proof_throttle: ProofThrottle::new(),
            tokens,
            refresh_lifetimes: RefreshLifetimes {
                idle: seconds(config.refresh_token_idle_ttl),
                of_grant: seconds(config.refresh_token_ttl),
            },
            signing_keys,
            signing_key_store,
            signing_key_schedule: schedule,
            audit_retention: config.audit_retention,
            request_timeout: config.request_timeout,
            requires_pushed_requests: config.require_pushed_requests,
            cookies,
            metrics: config.metrics.clone(),
            demo: None,
        })
    }

    /// Ends the sessions of keys whose overlap is over, and clears away what has expired on the disk and old audit records; what has in memory is the follower's. Blocks.
    pub(crate) fn upkeep(&self) -> Result<(), ServerError> {
        let now = now();
        self.accounts.keys.wait(self.accounts.keys.store.run(Command::EndSessions { now }))?;
        self.accounts.keys.wait(self.accounts.keys.store.forget_expired(now))?;
        self.accounts.keys.wait(self.accounts.store.forget_refresh_families(now))?;
        let forgotten = now.saturating_sub(seconds(self.audit_retention));
        self.accounts.keys.wait(self.accounts.keys.store.forget_audit(forgotten))?;
        self.accounts.keys.wait(self.accounts.store.forget_audit(forgotten))?;
        let schedule = self.signing_key_schedule;
        self.accounts.keys.wait(self.signing_key_store.upkeep(&self.signing_keys, schedule, now))?;
        nonce_secrets::renew(&self.nonces, &self.signing_keys);
        Ok(())
    }

    /// As [`blocking`](Self::blocking), for that caller in the audit log.
    pub(crate) async fn blocking_for<T: Send + 'static, E: From<ServerError> + Send + 'static>(
        self: &Arc<Self>,
        by: Actor,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.blocking(move |app| audit::on_behalf_of(by, || work(app))).await
    }

    /// Runs `work` where blocking is allowed. It runs to its end even when the caller goes away; then nothing more is written unless a write
    /// was begun ([`WriteGate`]), and no secret stays that it made ([`undelivered`]).
    pub(crate) async fn blocking<T: Send + 'static, E: From<ServerError> + Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (app, caller, span) = (Arc::clone(self), audit::caller(), Span::current());
        let (runtime, gate) = (Handle::current(), WriteGate::current().unwrap_or_default());
        let noted = move || undelivered::noting(&app, runtime, || work(&app));
        let work = move || span.in_scope(|| gate.sync_scope(|| audit::on_behalf_of(caller, noted)));
        let done = tokio::task::spawn_blocking(work).await.ok().and_then(Undelivered::deliver);
        done.unwrap_or_else(|| Err(ServerError::Task.into()))
    }
}
