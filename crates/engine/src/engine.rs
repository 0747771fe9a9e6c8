use std::sync::Arc;

use tollgate_jwt::{CompactJws, UnverifiedText};
use tollgate_keys::{Algorithm, KeyRing, VerifyError, VerifyingKey};

use crate::accepted::{AcceptedCredentials, Kinds};
use crate::builder::{BuildError, EngineBuilder, check_freshness};
use crate::cache::{Cache, CacheStatistics, Judgement};
use crate::clock::{Clock, Now};
use crate::confirmation::Sender;
use crate::credential::{Credential, CredentialKind, contains, unless_joined};
use crate::dpop::{DpopChecks, ProofError, ReplayStatistics, VerifiedProof};
use crate::examined::Examined;
use crate::introspection::{Introspection, confirm};
use crate::issuer::{Issuer, Issuers, Withdrawals};
use crate::observer::{Notes, Observer};
use crate::principal::{Principal, PrincipalKind};
use crate::record::KeyRecord;
use crate::rejection::Rejection;
use crate::request::{Presented, Proofs, Request};
use crate::revocation::{Marks, Revocations};
use crate::status_lists::StatusReference;
use crate::table::{ApiKeyTable, LastUse};
use crate::thread::Thread;
use crate::token::{Stamp, Token};

/// The token verification engine: it takes the value of an Authorization header, or a [`Request`], and returns a
/// [`Principal`] or a [`Rejection`].
///
/// Build it once, put it into an [`Arc`] and use it in every thread. It never blocks and does no I/O.
#[derive(Debug)]
pub struct Engine {
    pub(crate) issuers: Issuers,
    pub(crate) api_keys: Option<Arc<ApiKeyTable<KeyRecord>>>,
    pub(crate) require_fresh_api_keys: bool,
    pub(crate) introspection: Option<Introspection>,
    pub(crate) last_use: Option<Arc<LastUse>>,
    pub(crate) accepted: AcceptedCredentials,
    pub(crate) max_header_bytes: usize,
    pub(crate) cache: Option<Cache>,
    pub(crate) revocations: Revocations,
    pub(crate) clock: Clock,
    pub(crate) observer: Option<Observer>,
    pub(crate) dpop: Option<DpopChecks>,
}

impl Engine {
    /// Begins to configure an engine.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    /// Verifies the value of an Authorization header: `Bearer` with a JWT, an API key or an opaque token; `Basic` with
    /// a client's id and secret; or a JWT or API key with no scheme.
    ///
    /// This is [`Engine::verify_request`] for a request with nothing but the credential.
    ///
    /// # Errors
    /// [`Rejection`] says why the credential is not accepted.
    pub fn verify(&self, header: impl AsRef<[u8]>) -> Result<Principal, Rejection> {
        self.verify_alone(Presented::Authorization(header.as_ref()), self.clock.now())
    }

    /// [`Engine::verify`] at a given time: `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub fn verify_at(&self, header: impl AsRef<[u8]>, now: i64) -> Result<Principal, Rejection> {
        self.verify_alone(Presented::Authorization(header.as_ref()), now.into())
    }

    /// Verifies an API key from a header of its own, such as `X-API-Key`.
    ///
    /// This is [`Engine::verify_request`] for a request with nothing but the credential.
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub fn verify_api_key(&self, value: impl AsRef<[u8]>) -> Result<Principal, Rejection> {
        self.verify_alone(Presented::ApiKey(value.as_ref()), self.clock.now())
    }

    /// [`Engine::verify_api_key`] at a given time: `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub fn verify_api_key_at(&self, value: impl AsRef<[u8]>, now: i64) -> Result<Principal, Rejection> {
        self.verify_alone(Presented::ApiKey(value.as_ref()), now.into())
    }

    /// Verifies a client's id and secret from the body of a request (`client_secret_post`, RFC 6749 section 2.3.1),
    /// decoded from the form. They are looked up as given, and count as `Basic` where kinds of credentials are
    /// [restricted](EngineBuilder::accept).
    ///
    /// This is [`Engine::verify_request`] for a request with nothing but the credential.
    ///
    /// ```
    /// use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord};
    ///
    /// let format = KeyFormat::new("tg", "live")?;
    /// let (secret, table) = (ApiKey::generate(&format)?, ApiKeyTable::new(format));
    /// table.insert(&secret, KeyRecord::client_secret("secret_1", "urn:app:7"));
    /// let engine = Engine::builder().api_keys(table).build()?;
    /// assert_eq!(engine.verify_client("urn:app:7", secret.as_str())?.client_id(), Some("urn:app:7"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub fn verify_client(&self, id: impl AsRef<[u8]>, secret: impl AsRef<[u8]>) -> Result<Principal, Rejection> {
        self.verify_alone(Presented::Client { id: id.as_ref(), secret: secret.as_ref() }, self.clock.now())
    }

    /// [`Engine::verify_client`] at a given time: `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub fn verify_client_at(
        &self,
        id: impl AsRef<[u8]>,
        secret: impl AsRef<[u8]>,
        now: i64,
    ) -> Result<Principal, Rejection> {
        self.verify_alone(Presented::Client { id: id.as_ref(), secret: secret.as_ref() }, now.into())
    }

    /// Verifies the credential of a request, with everything else of the request that a check needs.
    ///
    /// # Errors
    /// As [`Engine::verify`]. For a key with [allowed addresses](KeyRecord::allowed_addresses),
    /// [`Rejection::AddressRequired`] if the request has no address, and [`Rejection::AddressNotAllowed`] if it has
    /// another one.
    pub fn verify_request(&self, request: &Request<'_>) -> Result<Principal, Rejection> {
        self.verify_whole(request, self.clock.now())
    }

    /// [`Engine::verify_request`] at a given time: `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`Engine::verify_request`].
    pub fn verify_request_at(&self, request: &Request<'_>, now: i64) -> Result<Principal, Rejection> {
        self.verify_whole(request, now.into())
    }

    /// Verifies an access token whose sender is not its holder: an endpoint of an authorization server is asked about it
    /// (introspection, RFC 7662) or is to revoke it (RFC 7009). All that [`verify`](Self::verify) checks of a JWT or an
    /// opaque token is checked, but for the key or certificate that it is bound to: the sender has neither. So the result
    /// is no [`Principal`], and authenticates nobody.
    ///
    /// `token` is the token alone, without a scheme. No observer is told, and the token does not count as used.
    ///
    /// # Errors
    /// [`Rejection`] says why the token is not valid; [`Rejection::CredentialNotAccepted`] for other credentials.
    pub fn examine(&self, token: impl AsRef<[u8]>) -> Result<Examined, Rejection> {
        Thread::release_dropped();
        let token = token.as_ref();
        let tokens = AcceptedCredentials::only([PrincipalKind::Jwt, PrincipalKind::AccessToken]);
        let request = Request::new().token(token).accept(tokens);
        let (credential, kinds) = self.credential(&request)?;
        let sender = Sender { is_examiner: true, ..self.sender(&request, false, self.clock.now()) };
        let verified = match credential.kind {
            CredentialKind::Jws => self.admit_jws(credential.text, &sender, &()),
            CredentialKind::OpaqueToken => self.admit_opaque(credential.text, kinds, &sender, &()),
            _ => Err(Rejection::CredentialNotAccepted),
        };
        verified.map(Examined::new)
    }

    /// Verifies the DPoP proof of a request that has no token: one to an endpoint of an authorization server, which binds what
    /// it issues to the proof's key (RFC 9449 section 5). The request's method and URI have to be given. The credential, if
    /// there is one, is not looked at.
    ///
    /// The proof is spent: verify what else can be wrong first.
    ///
    /// # Errors
    /// [`Rejection::Dpop`], whose [`dpop_nonce`](Rejection::dpop_nonce) is the nonce that the client should use;
    /// [`Rejection::SenderConstrained`] if the engine [accepts no proofs](EngineBuilder::no_dpop).
    pub fn verify_proof(&self, request: &Request<'_>) -> Result<VerifiedProof, Rejection> {
        let dpop = self.dpop.as_ref().ok_or_else(|| Rejection::SenderConstrained { member: "jkt".into() })?;
        let now = self.clock.now();
        let verdict = match request.proofs {
            Proofs::None => Err(ProofError::Required.into()),
            _ => Thread::with(|thread| dpop.check_alone(request, now, thread)),
        };
        verdict.map_err(|rejection| self.challenge_dpop(rejection, true, now))
    }

    /// The next nonce, for the field `DPoP-Nonce` of the response to an accepted request (RFC 9449 section 8.2). `None`
    /// unless the engine [requires nonces](crate::Dpop::require_nonce) and the nonce of the request's proof is
    /// [to be renewed](crate::limits::NONCE_RENEWAL_SECONDS). A response with the field should not be stored: `Cache-Control: no-store`.
    #[must_use]
    pub fn renewed_dpop_nonce(&self, request: &Request<'_>) -> Option<Box<str>> {
        self.dpop.as_ref()?.renewed_nonce(request, self.clock.now())
    }

    fn verify_whole(&self, request: &Request<'_>, now: Now) -> Result<Principal, Rejection> {
        match &self.observer {
            None => self.admit(request, now, &()),
            Some(observer) => observer.watch(|notes| self.admit(request, now, notes)),
        }
    }

    #[inline]
    fn admit<N: Notes + ?Sized>(&self, request: &Request<'_>, now: Now, notes: &N) -> Result<Principal, Rejection> {
        Thread::release_dropped();
        let (credential, kinds) = self.credential(request)?;
        notes.kinds(kinds);
        let sender = self.sender(request, credential.is_dpop, now);
        let verdict = match credential.kind {
            CredentialKind::Jws => self.admit_jws(credential.text, &sender, notes),
            CredentialKind::ApiKey => self.admit_key(credential.text, kinds, &sender),
            CredentialKind::OpaqueToken => self.admit_opaque(credential.text, kinds, &sender, notes),
            CredentialKind::Basic => self.admit_basic(credential.text, &sender),
            CredentialKind::BasicUser => self.admit_basic_user(credential.text, kinds, &sender),
            CredentialKind::Client => self.admit_client(request.client_id(), credential.text, &sender),
        };
        verdict.map_err(|rejection| self.challenge_dpop(rejection, credential.is_dpop, now))
    }

    /// The sender of that request.
    #[inline]
    pub(crate) fn sender<'e>(&'e self, request: &'e Request<'e>, is_dpop: bool, now: Now) -> Sender<'e> {
        Sender { request, is_dpop, dpop: self.dpop.as_ref(), now, is_examiner: false }
    }

    /// Adds a DPoP challenge if the client used DPoP, or has to.
    #[cold]
    fn challenge_dpop(&self, rejection: Rejection, is_dpop: bool, now: Now) -> Rejection {
        match &self.dpop {
            Some(dpop) if is_dpop || matches!(rejection, Rejection::Proof(_)) => rejection.of_dpop(dpop.challenge(now)),
            _ => rejection,
        }
    }

    /// Verifies a request with nothing but the credential.
    #[inline]
    fn verify_alone(&self, credential: Presented<'_>, now: Now) -> Result<Principal, Rejection> {
        self.verify_whole(&Request { credential, ..Request::new() }, now)
    }

    /// The credentials that the engine accepts: those it was [told to](EngineBuilder::accept), as far as something is
    /// configured that verifies them.
    #[must_use]
    pub fn accepted(&self) -> AcceptedCredentials {
        self.accepted
    }

    /// The counters of the verified-token cache; `None` without a cache.
    #[must_use]
    pub fn cache_statistics(&self) -> Option<CacheStatistics> {
        self.cache.as_ref().map(Cache::statistics)
    }

    /// The counters of the memory of spent [DPoP](crate::Dpop) proofs; `None` before the first proof, and if another
    /// [store](crate::Dpop::replay_store) is configured that has none.
    #[must_use]
    pub fn replay_statistics(&self) -> Option<ReplayStatistics> {
        self.dpop.as_ref()?.statistics()
    }

    /// The keys that a request's JWT is verified with: those of the issuer that the JWT names. Nothing of the JWT is
    /// verified by this. For callers that can fetch a missing key.
    ///
    /// # Errors
    /// [`Rejection`] if there is no JWT, it cannot be read, or its issuer is not configured.
    pub fn key_ring_of(&self, request: &Request<'_>) -> Result<KeyRing, Rejection> {
        let (Credential { kind: CredentialKind::Jws, text, .. }, _) = self.credential(request)? else {
            return Err(Rejection::CredentialNotAccepted);
        };
        let jws = self.split(text)?;
        Thread::with(|thread| {
            let header = thread.headers.decode(&jws)?;
            let issuers = self.issuers.load();
            let claims = jws.decode_claims_within(issuers.limits(), &mut thread.claims)?;
            Ok(issuers.find(&header, &claims)?.key_ring().clone())
        })
    }

    /// Accepts the JWTs of `issuer` from the next verify on. Cached tokens of other issuers are not verified again.
    ///
    /// An engine that is built without an issuer accepts JWTs only if it was built for [issuers at run
    /// time](EngineBuilder::issuers_at_run_time).
    ///
    /// ```
    /// use tollgate::{Engine, Issuer, KeyRing, KeySet};
    ///
    /// let engine = Engine::builder().issuers_at_run_time().build()?;
    /// let keys = KeyRing::new(KeySet::default());
    /// engine.add_issuer(Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys))?;
    /// assert!(engine.remove_issuer("https://auth.example.com/"));
    /// # Ok::<(), tollgate::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError`] if the issuer's settings cannot work, or there are issuers of its name.
    pub fn add_issuer(&self, issuer: Issuer) -> Result<(), BuildError> {
        self.check_takes_issuers()?;
        check_freshness(std::slice::from_ref(&issuer), &self.revocations)?;
        self.issuers.add(issuer)
    }

    /// Replaces all issuers that have the same names by `issuers`, or adds them, atomically. Their tokens are verified
    /// again, by the new policy and under the new keys; those of other issuers are not. When this has returned, no
    /// verify that starts later uses a replaced issuer.
    ///
    /// # Errors
    /// As [`add_issuer`](Engine::add_issuer). On an error nothing is changed.
    pub fn replace_issuers(&self, issuers: impl IntoIterator<Item = Issuer>) -> Result<(), BuildError> {
        self.check_takes_issuers()?;
        let issuers: Vec<_> = issuers.into_iter().collect();
        check_freshness(&issuers, &self.revocations)?;
        self.issuers.replace(issuers)
    }

    /// Removes the issuers of this name, which may be a template, or `spiffe://` and a trust domain. Returns whether
    /// there were any.
    ///
    /// When this has returned, no verify that starts later accepts their tokens, cached ones included.
    pub fn remove_issuer(&self, name: &str) -> bool {
        self.issuers.remove(name)
    }

    fn check_takes_issuers(&self) -> Result<(), BuildError> {
        if self.accepted.contains(PrincipalKind::Jwt) { Ok(()) } else { Err(BuildError::JwtsNotAccepted) }
    }

    /// The credential of a request, and its accepted kinds. Inlined, because a call would return both in memory, as
    /// large as a rejection.
    #[inline(always)]
    pub(crate) fn credential<'r>(&self, request: &Request<'r>) -> Result<(Credential<'r>, Kinds), Rejection> {
        let credential = Credential::of(request.credential, self.max_header_bytes)?;
        if credential.is_dpop && self.dpop.is_none() {
            return Err(Rejection::UnsupportedScheme);
        }
        let kinds = self.accepted.and(request.accepted).kinds_of(&credential)?;
        Ok((credential, kinds))
    }

    fn admit_jws<N: Notes + ?Sized>(
        &self,
        token: &[u8],
        sender: &Sender<'_>,
        notes: &N,
    ) -> Result<Principal, Rejection> {
        let mut asked = None;
        let verdict = Thread::with(|thread| {
            let verified = self.find_jws(token, sender, thread, &mut asked, notes)?;
            // The cache holds facts about the token. Each request has to show that its sender has the key or
            // certificate.
            if verified.is_bound() || sender.is_dpop {
                let confirmed = verified.confirmation().decoded().and_then(|cnf| cnf.check(token, sender, thread));
                confirmed.inspect_err(|_| notes.issuer(verified.configured_issuer()))?;
            }
            Ok(verified)
        });
        // After the thread's state is released: the refresher is the user's code, and may verify in turn.
        if let Some(key_ring) = asked
            && let Some(missing) = verdict.as_ref().err().and_then(Rejection::missing_key)
        {
            key_ring.report_unknown_key(missing.kid.map(UnverifiedText::as_str));
        }
        verdict.map(Principal::from_token)
    }

    /// The JWT: from the cache if it is there and still valid, otherwise verified. The sender of a bound token is not
    /// checked here.
    #[inline(always)]
    pub(crate) fn find_jws<N: Notes + ?Sized>(
        &self,
        token: &[u8],
        sender: &Sender<'_>,
        thread: &mut Thread,
        asked: &mut Option<KeyRing>,
        notes: &N,
    ) -> Result<Token, Rejection> {
        let judge = |token: &Token| {
            let judgement = self.judge(token, sender);
            if !matches!(judgement, Judgement::Good) {
                notes.issuer(token.configured_issuer());
            }
            judgement
        };
        let now = sender.now.earliest;
        let mut cached = self.cache.as_ref().and_then(|cache| cache.find(&mut thread.fronts, token, now, judge));
        if let Some(Err(rejection)) = &cached
            && rejection.unasked_issuer().is_some()
        {
            // Another thread may have received an answer since.
            cached = self.cache.as_ref().and_then(|cache| cache.find_shared(&mut thread.fronts, token, now, judge));
        }
        match cached {
            Some(judged) => {
                notes.cache_hit();
                judged
            }
            None => {
                let verified =
                    self.verify_jws(token, sender, thread, asked, notes).map_err(|rejection| match rejection {
                        Rejection::Token(_) | Rejection::MalformedSignature => unless_joined(rejection, token),
                        other => other,
                    })?;
                self.keep(token, verified, sender, thread)
            }
        }
    }

    /// Caches a token that was verified here, even if its issuer has yet to confirm it.
    fn keep(
        &self,
        text: &[u8],
        mut token: Token,
        sender: &Sender<'_>,
        thread: &mut Thread,
    ) -> Result<Token, Rejection> {
        let issuer = token.configured_issuer();
        let is_to_be_confirmed = issuer.withdrawals().is_some_and(|withdrawals| withdrawals.introspection.is_some());
        let confirmed = if is_to_be_confirmed { confirm(&mut token, sender, thread) } else { Ok(()) };
        if let Some(cache) = &self.cache {
            cache.insert(text, &token);
        }
        confirmed.map(|()| token)
    }

    /// Verifies a JWT in full. If its signature was not verified, `asked` receives the key ring.
    fn verify_jws<N: Notes + ?Sized>(
        &self,
        token: &[u8],
        sender: &Sender<'_>,
        thread: &mut Thread,
        asked: &mut Option<KeyRing>,
        notes: &N,
    ) -> Result<Token, Rejection> {
        let now = sender.now;
        // Read before any look-up: a later revocation or removal is found by the next hit.
        let (revocations, issuers) = (self.revocations.generation(), self.issuers.load());
        let jws = self.split(token)?;
        let header = thread.headers.decode(&jws)?;
        let algorithm = Algorithm::from_name(header.alg()).ok_or(Rejection::AlgorithmNotAllowed)?;
        let claims = jws.decode_claims_within(issuers.limits(), &mut thread.claims)?;
        let issuer = issuers.find(&header, &claims)?;
        notes.issuer(issuer);
        let mapped = issuer.policy().check(algorithm, &header, &claims, issuers.limits(), now)?;
        mapped.confirmation.check_presented(sender)?;
        let keys = issuer.key_ring().load();
        let iss = issuer.policy().issuer_of(claims.iss()).unwrap_or_default();
        let admits = |key: &VerifyingKey| issuer.policy().admits_key(key, iss);
        let verified = thread.signature.with(|memory| keys.verify_if(&jws, &header, memory, admits));
        if matches!(verified, Ok(_) | Err(VerifyError::BadSignature | VerifyError::NoKeyVerifies { .. })) {
            notes.signature_checked();
        }
        let proof = verified.map_err(|error| {
            *asked = Some(issuer.key_ring().clone());
            match error {
                VerifyError::KeyNotAdmitted => Rejection::key_not_admitted(&keys, algorithm, header.kid(), iss),
                error => Rejection::unverified(error, &header),
            }
        })?;
        thread.headers.remember(&jws);
        let stamp = Stamp { keys: keys.generation(), revocations, issuers: issuers.generation() };
        let status = match issuer.withdrawals().and_then(|withdrawals| withdrawals.status_lists.as_ref()) {
            Some(lists) => lists.refer(&mapped.claims, issuer.policy().name(), now)?,
            None => StatusReference::NONE,
        };
        let verified = Token::new(&proof, &mapped, &mut thread.fields, issuer, status, now.earliest, stamp);
        self.check_not_revoked(|| verified.marks())?;
        if let Some(Withdrawals { status_lists: Some(lists), .. }) = issuer.withdrawals() {
            lists.check(status, issuer.policy().name(), now)?;
        }
        issuer.policy().check_fresh(&self.revocations)?;
        issuer.validators().check_new(&verified, now.latest)?;
        Ok(verified)
    }

    /// Whether a cached token is still valid: everything is checked that can have changed since it was verified.
    fn judge(&self, token: &Token, sender: &Sender<'_>) -> Judgement<Rejection> {
        let now = sender.now;
        let (issuer, times, stamp) = (token.configured_issuer(), token.times(), token.stamp());
        let mut issuers = self.issuers.generation();
        if stamp.issuers != issuers {
            // First of all, since the checks below use this issuer's policy.
            match self.issuers.confirm(issuer, token.iss()) {
                Some(generation) => issuers = generation,
                None => return Judgement::Gone,
            }
        }
        if let Err(rejection) = issuer.policy().check_time(times.expires_at(), times.not_before(), now) {
            return Judgement::Rejected(rejection);
        }
        let revocations = self.revocations.generation();
        if stamp != (Stamp { keys: issuer.key_ring().generation(), revocations, issuers }) {
            let keys = issuer.key_ring().load();
            let iss = token.issuer().unwrap_or_default();
            let same = token.key().and_then(|key| keys.find_same(key));
            if !same.is_some_and(|key| issuer.policy().admits_key(key, iss)) {
                return Judgement::Gone;
            }
            let unrevoked = self.check_not_revoked(|| token.marks());
            if let Err(rejection) = unrevoked.and_then(|()| issuer.policy().check_fresh(&self.revocations)) {
                return Judgement::Rejected(rejection);
            }
            token.restamp(Stamp { keys: keys.generation(), revocations, issuers });
        }
        if let Some(withdrawals) = issuer.withdrawals()
            && let Some(judgement) = withdrawals.judge(token, issuer.policy(), sender)
        {
            return judgement;
        }
        match issuer.validators().check_hit(token, now.latest) {
            Ok(()) => Judgement::Good,
            Err(rejection) => Judgement::Rejected(rejection),
        }
    }

    pub(crate) fn check_not_revoked<'m>(&self, marks: impl FnOnce() -> Marks<'m>) -> Result<(), Rejection> {
        if self.revocations.contain_any(marks) { Err(Rejection::Revoked) } else { Ok(()) }
    }

    pub(crate) fn split<'t>(&self, token: &'t [u8]) -> Result<CompactJws<'t>, Rejection> {
        let token = std::str::from_utf8(token).map_err(|_| Rejection::MalformedCredential)?;
        let jws = CompactJws::parse_within(token, self.max_header_bytes)?;
        // The signature is decoded last, when its key is known, but several tokens in one value are detected now.
        if contains(jws.signature().as_bytes(), b',') { Err(Rejection::MalformedSignature) } else { Ok(jws) }
    }
}
