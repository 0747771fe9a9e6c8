//! The checks of a token's header and claims, before its signature: the cheapest first.

#[cfg(feature = "explain")]
mod explained;

use std::fmt::Display;
use std::sync::Arc;

use tollgate_jwt::{ClaimLimits, ClaimNames, Claims, Header, StringList, json};
use tollgate_keys::{Algorithm, KeyUses, VerifyingKey};

use crate::clock::Now;
use crate::confirmation::Confirmation;
use crate::excerpt::{excerpt_of, excerpt_value};
use crate::issuer::{
    ClaimPath, Expected, IssuerSettings, IssuerTemplate, LocatedClaims, Location, Mapping, OptionalClaim,
    SettingsError, Tenants, TypProfile, is_template_of, is_workload_id,
};
use crate::rejection::Rejection;
use crate::revocation::Revocations;
use crate::token::Token;
use crate::unavailable::Unavailable;

/// The requirements for one issuer's tokens: its settings, prepared for checking.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    issuer: Arc<str>,
    is_of_trust_domain: bool,
    tenancy: Option<Tenancy>,
    algorithms: Option<Vec<Algorithm>>,
    key_uses: KeyUses,
    typ: TypProfile,
    /// `None`: any audience is accepted.
    audiences: Option<Arc<[Box<str>]>>,
    accept_missing_exp: bool,
    require_fresh_revocations: bool,
    /// The claims of RFC 9068 that an access token must have besides `iss`, `exp` and `aud`.
    access_token_claims: Vec<OptionalClaim>,
    required: Vec<Location>,
    expected: Vec<(Location, Arc<Expected>)>,
    /// In seconds.
    leeway: u32,
    limits: ClaimLimits,
    mapping: Mapping,
    /// The claims that are looked up in a token.
    names: ClaimNames,
}

/// The accepted tenants of an issuer whose name is a template.
#[derive(Clone, Debug)]
struct Tenancy {
    template: IssuerTemplate,
    claim: Location,
    tenants: Tenants,
}

/// The claims of a token that has passed its policy.
pub(crate) struct Mapped<'c, 's> {
    /// The token's `iss`, or the issuer that answered.
    pub(crate) iss: Option<&'c str>,
    pub(crate) claims: LocatedClaims<'c, 's>,
    pub(crate) mapping: &'c Mapping,
    pub(crate) audience: StringList<'c, 's>,
    pub(crate) subject: Option<&'s str>,
    pub(crate) client: Option<&'s str>,
    pub(crate) confirmation: Confirmation<&'s str>,
}

impl Policy {
    pub(crate) fn new(settings: &IssuerSettings) -> Result<Self, SettingsError> {
        settings.check()?;
        let mut names = ClaimNames::default();
        Mapping::note(&settings.claims, &mut names)?;
        let checked = settings.require_claims.iter().chain(settings.expect.iter().map(|(path, _)| path));
        for path in checked.chain(&settings.tenant_claim) {
            Location::note(path, &mut names)?;
        }
        let location = |path: &ClaimPath| Location::new(path, &names);
        let expected = |(path, expected): &(ClaimPath, Expected)| (location(path), Arc::new(expected.clone()));
        let issuer: Arc<str> = settings.issuer().into();
        let limits = ClaimLimits { max_members: settings.max_members, max_list_entries: settings.max_list_entries };
        let required_of_access_tokens =
            OptionalClaim::ALL.into_iter().filter(|claim| !settings.optional_claims.contains(claim));
        let tenancy = settings.template()?.zip(settings.tenant_claim.as_ref()).map(|(template, claim)| {
            let tenants = Tenants::new(settings.tenants.as_deref());
            Tenancy { template, claim: location(claim), tenants }
        });
        let audiences = settings.audiences.iter().map(|audience| audience.as_str().into());
        Ok(Policy {
            is_of_trust_domain: settings.spiffe_trust_domain.is_some(),
            tenancy,
            algorithms: settings.accepted_algorithms(),
            key_uses: settings.key_uses(),
            typ: settings.typ_profile(),
            audiences: if settings.danger_accept_any_audience { None } else { Some(audiences.collect()) },
            accept_missing_exp: settings.danger_accept_missing_exp,
            require_fresh_revocations: settings.require_fresh_revocations,
            access_token_claims: required_of_access_tokens.collect(),
            required: settings.require_claims.iter().map(location).collect(),
            expected: settings.expect.iter().map(expected).collect(),
            leeway: settings.leeway,
            limits,
            mapping: Mapping::new(issuer.clone(), &settings.claims, &names, limits.max_list_entries),
            issuer,
            names,
        })
    }

    /// The configured name of the issuer, or the SPIFFE ID of its trust domain.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether the issuer is a SPIFFE trust domain. Then its name is the issuer of its tokens' principals, whatever
    /// `iss` says.
    #[inline]
    pub(crate) fn is_of_trust_domain(&self) -> bool {
        self.is_of_trust_domain
    }

    /// The issuer of a token of this policy, given the token's `iss`.
    #[inline]
    pub(crate) fn issuer_of<'i>(&'i self, iss: Option<&'i str>) -> Option<&'i str> {
        if self.is_of_trust_domain { Some(&self.issuer) } else { iss }
    }

    /// The issuer's name, if it is a template.
    pub(crate) fn template(&self) -> Option<&IssuerTemplate> {
        self.tenancy.as_ref().map(|tenancy| &tenancy.template)
    }

    /// The configured name of the issuer.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.issuer
    }

    pub(crate) fn limits(&self) -> ClaimLimits {
        self.limits
    }

    /// Checks everything but the signature, and of `iss` the variable part. `limits`: those that the claims were read
    /// within, which may be wider than the policy's own.
    pub(crate) fn check<'c, 's>(
        &'c self,
        algorithm: Algorithm,
        header: &Header<'_>,
        claims: &'c Claims<'s>,
        limits: &ClaimLimits,
        now: Now,
    ) -> Result<Mapped<'c, 's>, Rejection> {
        self.check_algorithm(algorithm)?;
        let is_access_token = self.check_typ(header)?;
        if self.limits != *limits {
            claims.check_within(&self.limits)?;
        }
        let claims = LocatedClaims::new(claims, &self.names);
        if self.is_of_trust_domain && !claims.claims.sub().is_some_and(is_workload_id) {
            return Err(self.not_a_workload());
        }
        if let Some(tenancy) = &self.tenancy {
            tenancy.check(&claims, &self.issuer)?;
        }
        self.check_claims(claims.claims.iss(), claims, is_access_token, now)
    }

    /// Checks the claims of an introspection response (RFC 7662 section 2.2).
    pub(crate) fn check_answer<'c, 's>(
        &'c self,
        claims: &'c Claims<'s>,
        now: Now,
    ) -> Result<Mapped<'c, 's>, Rejection> {
        let claims = LocatedClaims::new(claims, &self.names);
        if let Some(iss) = claims.claims.iss()
            && *iss != *self.issuer
        {
            return Err(self.wrong_issuer(iss, &self.issuer));
        }
        self.check_claims(Some(&self.issuer), claims, false, now)
    }

    /// Checks an issuer's answer about one of its JWTs that was found valid here: `iss`, the audience, `exp`, `nbf` and
    /// `cnf`, where present, have to agree with the token.
    pub(crate) fn check_agreement(&self, claims: &Claims<'_>, token: &Token, now: Now) -> Result<(), Rejection> {
        if let Some(iss) = claims.iss()
            && Some(iss) != token.iss()
        {
            return Err(self.wrong_issuer(iss, token.iss().unwrap_or_default()));
        }
        let claims = LocatedClaims::new(claims, &self.names);
        let audience = self.mapping.audience(&claims)?;
        if !audience.is_absent() {
            self.check_audience(audience)?;
        }
        claims.claims.exp().map_or(Ok(()), |exp| check_not_expired(exp, self.leeway, now.latest))?;
        claims.claims.nbf().map_or(Ok(()), |nbf| check_begun(nbf, self.leeway, now.earliest))?;
        match claims.claims.cnf().map(Confirmation::read).transpose()? {
            Some(confirmation) if confirmation != token.confirmation() => Err(Rejection::InvalidClaim {
                claim: "cnf".parse().expect("a name"),
                expected: "in the answer what it is in the token",
                issuer: self.issuer.clone(),
            }),
            _ => Ok(()),
        }
    }

    #[inline]
    fn check_claims<'c, 's>(
        &'c self,
        iss: Option<&'c str>,
        claims: LocatedClaims<'c, 's>,
        is_access_token: bool,
        now: Now,
    ) -> Result<Mapped<'c, 's>, Rejection> {
        let audience = self.mapping.audience(&claims)?;
        self.check_audience(audience)?;
        let confirmation = claims.claims.cnf().map_or(Ok(Confirmation::default()), Confirmation::read)?;
        self.check_time(claims.claims.exp(), claims.claims.nbf(), now)?;
        self.check_required(&claims, is_access_token)?;
        self.check_expected(&claims)?;
        self.mapping.check_scopes(&claims)?;
        let (subject, client) = (self.mapping.subject(&claims)?, self.mapping.client(&claims)?);
        Ok(Mapped { iss, claims, mapping: &self.mapping, audience, subject, client, confirmation })
    }

    #[cold]
    fn wrong_issuer(&self, iss: &str, expected: &str) -> Rejection {
        Rejection::WrongClaim {
            claim: "iss".parse().expect("a name"),
            sent: excerpt_of(format_args!("{iss:?}")),
            expected: Arc::new(expected.into()),
            issuer: self.issuer.clone(),
        }
    }

    #[cold]
    fn not_a_workload(&self) -> Rejection {
        Rejection::InvalidClaim {
            claim: ClaimPath::from_steps(["sub".into()]).expect("there is a step"),
            expected: "the SPIFFE ID of a workload, with a path of plain segments",
            issuer: self.issuer.clone(),
        }
    }

    fn check_algorithm(&self, algorithm: Algorithm) -> Result<(), Rejection> {
        if self.admits(algorithm) { Ok(()) } else { Err(Rejection::AlgorithmNotAllowed) }
    }

    /// Whether tokens with this algorithm are accepted.
    pub(crate) fn admits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.as_ref().is_none_or(|allowed| allowed.contains(&algorithm))
    }

    /// Whether `key`, which is in the issuer's ring, is for tokens with this `iss` according to its JWKs.
    #[inline]
    pub(crate) fn admits_key(&self, key: &VerifyingKey, iss: &str) -> bool {
        let is_usual = self.key_uses.is_default() && !key.has_special_purpose();
        is_usual || self.admits_purpose(key, |name| self.is_meant(name, iss))
    }

    /// Whether `key` can be for any token at all.
    pub(crate) fn may_admit_key(&self, key: &VerifyingKey) -> bool {
        self.admits_purpose(key, |name| match &self.tenancy {
            None => self.is_meant(name, &self.issuer),
            Some(tenancy) => *name == *self.issuer || tenancy.may_be_meant(name),
        })
    }

    fn admits_purpose(&self, key: &VerifyingKey, is_meant: impl Fn(&str) -> bool) -> bool {
        let mut purposes = key.purposes().iter();
        purposes.len() == 0
            || purposes.any(|purpose| self.key_uses.admit(purpose.key_use()) && purpose.issuer().is_none_or(&is_meant))
    }

    /// Whether a key for the issuer `name` is for tokens with this `iss`, which is a name of this issuer.
    fn is_meant(&self, name: &str, iss: &str) -> bool {
        // Most keys of an issuer whose name is a template name exactly that template.
        *name == *self.issuer || name == iss || is_template_of(name, iss)
    }

    /// Whether the token is an access token as defined by RFC 9068.
    fn check_typ(&self, header: &Header<'_>) -> Result<bool, Rejection> {
        self.typ.check(header).ok_or_else(|| Rejection::type_not_allowed(header.typ(), &self.typ, &self.issuer))
    }

    fn check_audience(&self, audience: StringList<'_, '_>) -> Result<(), Rejection> {
        let Some(expected) = &self.audiences else {
            return Ok(());
        };
        if audience.is_absent() {
            return Err(self.mapping.missing_audience());
        }
        // By equality alone: no pattern, no normalisation (RFC 7519 section 4.1.3).
        if audience.iter().any(|entry| expected.iter().any(|one| **one == *entry)) {
            Ok(())
        } else {
            Err(Rejection::wrong_audience(audience, expected, &self.issuer))
        }
    }

    fn check_required(&self, claims: &LocatedClaims<'_, '_>, is_access_token: bool) -> Result<(), Rejection> {
        if is_access_token
            && let Some(absent) = self.access_token_claims.iter().find(|claim| !claim.is_in(claims.claims))
        {
            return Err(missing(absent.name()));
        }
        match self.required.iter().find(|claim| matches!(claims.at(claim), None | Some(json::Value::Null))) {
            Some(absent) => Err(missing(absent.path())),
            None => Ok(()),
        }
    }

    fn check_expected(&self, claims: &LocatedClaims<'_, '_>) -> Result<(), Rejection> {
        for (location, expected) in &self.expected {
            let Some(value) = claims.at(location) else {
                return Err(missing(location.path()));
            };
            self.mapping.check_entries(location, value)?;
            if !expected.admits(value) {
                return Err(Rejection::WrongClaim {
                    claim: location.path().clone(),
                    sent: excerpt_value(value),
                    expected: expected.clone(),
                    issuer: self.issuer.clone(),
                });
            }
        }
        Ok(())
    }

    /// Checks that the revocations are fresh, if the issuer requires that.
    pub(crate) fn check_fresh(&self, revocations: &Revocations) -> Result<(), Rejection> {
        if self.require_fresh_revocations && !revocations.are_fresh() {
            return Err(Unavailable::StaleRevocations { issuer: self.issuer.clone() }.into());
        }
        Ok(())
    }

    /// Checks the times, which are in seconds since the Unix epoch.
    pub(crate) fn check_time(&self, exp: Option<i64>, nbf: Option<i64>, now: Now) -> Result<(), Rejection> {
        match exp {
            None if !self.accept_missing_exp => return Err(missing("exp")),
            Some(exp) => check_not_expired(exp, self.leeway, now.latest)?,
            None => {}
        }
        match nbf {
            Some(nbf) => check_begun(nbf, self.leeway, now.earliest),
            None => Ok(()),
        }
    }
}

impl Tenancy {
    /// Whether a key for the issuer `name` is for an accepted tenant.
    fn may_be_meant(&self, name: &str) -> bool {
        match IssuerTemplate::of(name) {
            Ok(Some(other)) => other.overlaps(&self.template),
            Ok(None) => self.template.tenant(name).is_some_and(|tenant| self.tenants.contain(tenant)),
            Err(_) => false,
        }
    }

    /// Checks that `iss` names an accepted tenant, and that the tenant's claim agrees.
    fn check(&self, claims: &LocatedClaims<'_, '_>, issuer: &Arc<str>) -> Result<(), Rejection> {
        let iss = claims.claims.iss().unwrap_or_default();
        let tenant = self.template.tenant(iss).filter(|tenant| self.tenants.contain(tenant));
        let tenant = tenant.ok_or_else(|| Rejection::unknown_issuer(iss))?;
        let Some(claimed) = claims.at(&self.claim) else {
            return Err(missing(self.claim.path()));
        };
        if claimed.as_str() == Some(tenant) {
            Ok(())
        } else {
            Err(Rejection::WrongClaim {
                claim: self.claim.path().clone(),
                sent: excerpt_value(claimed),
                expected: Arc::new(tenant.into()),
                issuer: issuer.clone(),
            })
        }
    }
}

/// RFC 7519 section 4.1.4: "on or after which" it must not be accepted; `leeway` seconds are tolerated.
pub(crate) fn check_not_expired(expired_at: i64, leeway: u32, now: i64) -> Result<(), Rejection> {
    // An `exp` of the epoch or before is never intended: some issuers write 0 for "none".
    if expired_at > 0 && now < expired_at.saturating_add(i64::from(leeway)) {
        Ok(())
    } else {
        Err(Rejection::Expired { expired_at, now })
    }
}

/// RFC 7519 section 4.1.5: "before which" it must not be accepted; `leeway` seconds are tolerated.
pub(crate) fn check_begun(not_before: i64, leeway: u32, now: i64) -> Result<(), Rejection> {
    if now >= not_before.saturating_sub(i64::from(leeway)) {
        Ok(())
    } else {
        Err(Rejection::NotYetValid { not_before, now })
    }
}

#[cold]
fn missing(name: impl Display) -> Rejection {
    Rejection::MissingClaim { name: excerpt_of(name) }
}
