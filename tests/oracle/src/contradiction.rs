//! The configurations that an engine must refuse, according to the documentation of each setting.

use std::collections::BTreeSet;

use crate::spiffe;
use crate::template::{Template, is_tenant};
use crate::world::{Issuer, Typ};

/// Whether one issuer contradicts itself, or two issuers could accept the same token.
pub(crate) fn contradict(issuers: &[Issuer]) -> bool {
    let pairs = || issuers.iter().enumerate().flat_map(|(n, one)| issuers[n + 1..].iter().map(move |two| (one, two)));
    issuers.iter().any(contradicts_itself) || pairs().any(|(one, two)| overlap(one, two))
}

fn contradicts_itself(issuer: &Issuer) -> bool {
    let is_twice = |paths: &[&str]| {
        let steps: Vec<_> = paths.iter().map(|path| steps(path)).collect();
        (1..steps.len()).any(|n| steps[..n].contains(&steps[n]))
    };
    let scope_claims: Vec<_> = issuer.scope_claims.iter().map(|(path, _)| *path).collect();
    let prefixes = || issuer.scope_claims.iter().map(|(_, prefix)| *prefix).filter(|prefix| !prefix.is_empty());
    issuer.audiences.is_empty() != issuer.any_audience
        || issuer.audiences.contains(&"")
        || issuer.audience_claims.is_empty()
        || [&issuer.audience_claims, &issuer.client_claims, &issuer.subject_claims, &scope_claims]
            .into_iter()
            .any(|paths| is_twice(paths))
        || prefixes().any(|one| prefixes().any(|two| one != two && two.starts_with(one)))
        || issuer.optional.iter().any(|name| !["sub", "client_id", "iat", "jti"].contains(name))
        || (!issuer.optional.is_empty() && !matches!(issuer.typ, Typ::AccessToken | Typ::Both))
        || issuer.optional.iter().any(|name| issuer.required.iter().any(|path| steps(path) == [*name]))
        || issuer.expected.iter().any(|(_, values)| values.is_empty())
        || issuer.max_list_entries == 0
        || issuer.max_members < least_members(issuer)
        || issuer.leeway > 300
        || issuer.key_use.as_ref().is_some_and(|uses| uses.is_empty() || uses.contains(&""))
        || (issuer.is_trust_domain && contradicts_jwt_svid(issuer))
        || contradicts_its_name(issuer)
}

fn contradicts_its_name(issuer: &Issuer) -> bool {
    let has_tenants = issuer.tenant_claim.is_some() || issuer.tenants.is_some();
    match Template::of(&issuer.name) {
        Err(_) => true,
        Ok(None) => has_tenants || issuer.name.is_empty(),
        Ok(Some(_)) => {
            let tenants = issuer.tenants.as_deref();
            let are_tenants =
                tenants.is_none_or(|tenants| !tenants.is_empty() && tenants.iter().all(|one| is_tenant(one)));
            issuer.tenant_claim.is_none() || !are_tenants
        }
    }
}

/// Settings that JWT-SVID fixes cannot be configured.
fn contradicts_jwt_svid(issuer: &Issuer) -> bool {
    !spiffe::is_trust_domain(&issuer.name)
        || issuer.typ != Typ::Jwt
        || issuer.audience_claims != ["aud"]
        || issuer.subject_claims != ["sub"]
        || issuer.any_audience
        || issuer.missing_exp
        || issuer.algorithms.iter().flatten().any(|alg| !spiffe::ALGORITHMS.contains(alg))
}

/// The number of members that the claims of every acceptable token of `issuer` have at least.
fn least_members(issuer: &Issuer) -> usize {
    let mut names: BTreeSet<String> = [if issuer.is_trust_domain { "sub" } else { "iss" }.to_owned()].into();
    if !issuer.missing_exp {
        names.insert("exp".to_owned());
    }
    let looked_at = issuer.required.iter().chain(issuer.expected.iter().map(|(path, _)| path));
    names.extend(looked_at.chain(&issuer.tenant_claim).map(|path| steps(path).remove(0)));
    if matches!(issuer.typ, Typ::AccessToken) {
        let required = ["sub", "client_id", "iat", "jti"].into_iter().filter(|name| !issuer.optional.contains(name));
        names.extend(required.map(str::to_owned));
    }
    let has_audience = issuer.audience_claims.iter().any(|path| names.contains(&steps(path)[0]));
    names.len() + usize::from(!has_audience && !issuer.any_audience)
}

/// Whether both could accept the same token.
fn overlap(one: &Issuer, two: &Issuer) -> bool {
    if let (Ok(Some(template)), Ok(Some(other))) = (Template::of(&one.name), Template::of(&two.name))
        && one.name != two.name
    {
        return template.overlaps(&other);
    }
    one.name == two.name && (one.is_trust_domain != two.is_trust_domain || take_the_same(one, two))
}

fn take_the_same(one: &Issuer, two: &Issuer) -> bool {
    let sources = |issuer: &Issuer| issuer.audience_claims.iter().map(|path| steps(path)).collect::<Vec<_>>();
    types(&one.typ()).iter().any(|typ| types(&two.typ()).contains(typ))
        && (one.any_audience
            || two.any_audience
            || sources(one) != sources(two)
            || one.audiences.iter().any(|audience| two.audiences.contains(audience)))
}

fn types(typ: &Typ) -> Vec<String> {
    let plain = |typ: &&str| typ.to_ascii_lowercase().trim_start_matches("application/").to_owned();
    match typ {
        Typ::Jwt => vec![String::new(), "jwt".into()],
        Typ::AccessToken => vec!["at+jwt".into()],
        Typ::Both => vec![String::new(), "jwt".into(), "at+jwt".into()],
        Typ::OneOf(types) => types.iter().map(plain).collect(),
    }
}

/// The steps of a JSON Pointer, or a plain name as the only step.
fn steps(path: &str) -> Vec<String> {
    let unescape = |step: &str| step.replace("~1", "/").replace("~0", "~");
    match path.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(unescape).collect(),
        None => vec![path.to_owned()],
    }
}
