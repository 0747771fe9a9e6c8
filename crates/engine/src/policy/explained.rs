//! Explains the policy's checks one by one, in the order of [`Policy::check`].

use tollgate_jwt::{Claims, Header, StringList};
use tollgate_keys::Algorithm;

use super::{LocatedClaims, Location, Mapped, Policy, check_begun};
use crate::clock::Now;
use crate::confirmation::Confirmation;
use crate::excerpt::{excerpt_list, excerpt_value};
use crate::explain::{Walk, at, list, quoted};
use crate::issuer::is_workload_id;
use crate::rejection::Rejection;
use tollgate_jwt::ClaimLimits;

impl Policy {
    /// [`Policy::check`], step by step.
    pub(crate) fn explain<'c, 's>(
        &'c self,
        walk: &mut Walk<'_>,
        algorithm: Algorithm,
        header: &Header<'_>,
        claims: &'c Claims<'s>,
        limits: &ClaimLimits,
        now: Now,
    ) -> Result<Mapped<'c, 's>, Rejection> {
        walk.check("algorithms", self.check_algorithm(algorithm), |_| match &self.algorithms {
            Some(allowed) => {
                format!("alg is {}; accepted: {}", algorithm.name(), list(allowed.iter().map(|one| one.name())))
            }
            None => format!("alg is {}; every algorithm of the issuer's keys is accepted", algorithm.name()),
        })?;
        let is_access_token = walk.check("typ", self.check_typ(header), |_| {
            let typ = header.typ().map_or_else(|| "absent".into(), quoted);
            format!("typ is {typ}; accepted: {}", self.typ)
        })?;
        if self.limits != *limits {
            walk.check("limits", claims.check_within(&self.limits).map_err(Into::into), |checked| {
                let text =
                    format!("at most {} members and {} entries", self.limits.max_members, self.limits.max_list_entries);
                checked.map_or_else(|rejection| format!("{rejection}; {text}"), |()| text.clone())
            })?;
        }
        let claims = LocatedClaims::new(claims, &self.names);
        if self.is_of_trust_domain && !claims.claims.sub().is_some_and(is_workload_id) {
            return walk.check("sub", Err(self.not_a_workload()), told);
        }
        if let Some(tenancy) = &self.tenancy {
            walk.check("tenant", tenancy.check(&claims, &self.issuer), |checked| match checked {
                Ok(()) => {
                    let value = claims.at(&tenancy.claim).map_or_else(|| "absent".into(), excerpt_value);
                    format!("{} is {value}, as in iss, and is accepted", tenancy.claim.path())
                }
                Err(rejection) => rejection.to_string(),
            })?;
        }
        self.explain_claims(walk, claims, is_access_token, now)
    }

    fn explain_claims<'c, 's>(
        &'c self,
        walk: &mut Walk<'_>,
        claims: LocatedClaims<'c, 's>,
        is_access_token: bool,
        now: Now,
    ) -> Result<Mapped<'c, 's>, Rejection> {
        let audience =
            self.mapping.audience(&claims).and_then(|audience| self.check_audience(audience).map(|()| audience));
        let audience = walk.check("aud", audience, |checked| match (checked, &self.audiences) {
            (Ok(audience), Some(expected)) => compared(*audience, expected),
            (Ok(audience), None) => format!("is {}; any is accepted", excerpt_list(*audience)),
            (Err(Rejection::WrongAudience { sent, expected, .. }), _) => {
                format!("is {sent}; expected: {}", list(expected.iter().map(|one| quoted(one))))
            }
            (Err(rejection), Some(expected)) => {
                format!("{rejection}; expected: {}", list(expected.iter().map(|one| quoted(one))))
            }
            (Err(rejection), None) => rejection.to_string(),
        })?;
        let confirmation = claims.claims.cnf().map_or(Ok(Confirmation::default()), Confirmation::read);
        let confirmation = match confirmation {
            Ok(confirmation) => confirmation,
            Err(rejection) => walk.check("cnf", Err(rejection), told)?,
        };
        self.explain_times(walk, &claims, now)?;
        walk.check("required-claims", self.check_required(&claims, is_access_token), |checked| match checked {
            Ok(()) => {
                let of_access_tokens =
                    self.access_token_claims.iter().filter(|_| is_access_token).map(|claim| claim.name().to_owned());
                let names = of_access_tokens.chain(self.required.iter().map(|claim| claim.path().to_string()));
                format!("required: {}", list(names))
            }
            Err(rejection) => rejection.to_string(),
        })?;
        if !self.expected.is_empty() {
            walk.check("expected-claims", self.check_expected(&claims), |checked| match checked {
                Ok(()) => {
                    let value =
                        |location: &Location| claims.at(location).map_or_else(|| "absent".into(), excerpt_value);
                    let each = self.expected.iter().map(|(location, expected)| {
                        format!("{} is {}, expected {expected}", location.path(), value(location))
                    });
                    list(each)
                }
                Err(rejection) => rejection.to_string(),
            })?;
        }
        let named = self
            .mapping
            .check_scopes(&claims)
            .and_then(|()| Ok((self.mapping.subject(&claims)?, self.mapping.client(&claims)?)));
        let (subject, client) = walk.check("names", named, |named| match named {
            Ok((subject, client)) => {
                let [subject, client] = [subject, client].map(|name| name.map_or_else(|| "absent".into(), quoted));
                format!("subject {subject}, client {client}")
            }
            Err(rejection) => rejection.to_string(),
        })?;
        Ok(Mapped { iss: claims.claims.iss(), claims, mapping: &self.mapping, audience, subject, client, confirmation })
    }

    fn explain_times(&self, walk: &mut Walk<'_>, claims: &LocatedClaims<'_, '_>, now: Now) -> Result<(), Rejection> {
        let (exp, leeway) = (claims.claims.exp(), self.leeway);
        walk.check("exp", self.check_time(exp, None, now), |checked| match (exp, checked) {
            (Some(exp), _) => format!("expires at {}; {leeway} s of leeway", at(exp, now.latest)),
            (None, Ok(())) => "absent, and not required".to_owned(),
            (None, Err(rejection)) => rejection.to_string(),
        })?;
        if let Some(iat) = claims.claims.iat() {
            walk.note("iat", format_args!("issued at {}", at(iat, now.earliest)));
        }
        match claims.claims.nbf() {
            Some(nbf) => walk.check("nbf", check_begun(nbf, leeway, now.earliest), |_| {
                format!("begins at {}; {leeway} s of leeway", at(nbf, now.earliest))
            }),
            None => Ok(()),
        }
    }
}

fn told<T>(checked: Result<&T, &Rejection>) -> String {
    checked.err().map(ToString::to_string).unwrap_or_default()
}

fn compared(audience: StringList<'_, '_>, expected: &[Box<str>]) -> String {
    format!("is {}; expected: {}", excerpt_list(audience), list(expected.iter().map(|one| quoted(one))))
}
