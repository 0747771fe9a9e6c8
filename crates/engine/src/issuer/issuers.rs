use std::collections::HashMap;
use std::sync::Arc;

use tollgate_jwt::{ClaimLimits, Claims, Header, StringList};
use tollgate_keys::KeyRing;

use super::claim_path::ClaimPath;
use super::typ::{TypProfile, is_same};
use super::{Issuer, IssuerSettings};
use crate::builder::BuildError;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::validator::Validators;

/// The configured issuers.
#[derive(Debug, Default)]
pub(crate) struct Issuers {
    all: Vec<ConfiguredIssuer>,
    by_name: HashMap<Arc<str>, Sections>,
    /// The widest of all: whose limits hold is known only when the claims have been read.
    limits: ClaimLimits,
}

/// An issuer whose settings are known to work.
#[derive(Debug)]
pub(crate) struct ConfiguredIssuer {
    name: Arc<str>,
    policy: Policy,
    validators: Validators,
    keys: KeyRing,
}

impl Issuers {
    pub(crate) fn new(configured: Vec<Issuer>) -> Result<Self, BuildError> {
        let mut limits = ClaimLimits::default();
        let (mut all, mut sections) =
            (Vec::<ConfiguredIssuer>::with_capacity(configured.len()), HashMap::<Arc<str>, Vec<usize>>::new());
        for (index, issuer) in configured.iter().enumerate() {
            let policy = issuer.policy()?;
            limits.max_members = limits.max_members.max(policy.limits().max_members);
            limits.max_list_entries = limits.max_list_entries.max(policy.limits().max_list_entries);
            let name: Arc<str> = issuer.settings().name.as_str().into();
            sections.entry(name.clone()).or_default().push(index);
            let (validators, keys) = (issuer.validators().clone(), issuer.key_ring().clone());
            all.push(ConfiguredIssuer { name, policy, validators, keys });
        }
        for issuer in &mut all {
            issuer.policy.read_within(&limits);
        }
        let by_name = sections.into_iter().map(|(name, indexes)| {
            let settings: Vec<_> = indexes.iter().map(|index| (*index, configured[*index].settings())).collect();
            let sections =
                Sections::new(&settings).ok_or_else(|| BuildError::IssuersOverlap { issuer: (*name).into() })?;
            Ok((name, sections))
        });
        let by_name = by_name.collect::<Result<_, BuildError>>()?;
        Ok(Issuers { all, by_name, limits })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How large the claims of a token may be, whoever issued it.
    pub(crate) fn limits(&self) -> &ClaimLimits {
        &self.limits
    }

    /// Which issuer a token is to be checked by: the one that `iss` names, by equality alone (RFC 8725 section 3.8), and of
    /// several of that name the one that takes its `typ`, and then its audience.
    pub(crate) fn find(&self, header: &Header<'_>, claims: &Claims<'_>) -> Result<usize, Rejection> {
        let name = claims.iss().ok_or_else(missing_iss)?;
        let sections = match self.all.as_slice() {
            // Most engines have one, and comparing its name takes less than hashing it.
            [only] if *only.name == *name => return Ok(0),
            [_] => None,
            _ => self.by_name.get_key_value(name),
        };
        match sections {
            None => Err(unknown(name)),
            Some((_, Sections::One(index))) => Ok(*index),
            Some((name, Sections::Several { by_typ, expected })) => {
                let of_typ = by_typ.iter().find(|(typ, _)| is_same(typ.as_deref(), header.media_subtype()));
                let (_, candidates) =
                    of_typ.ok_or_else(|| Rejection::type_not_allowed(header.typ(), expected, name))?;
                candidates.find(claims, name)
            }
        }
    }

    pub(crate) fn at(&self, index: usize) -> &ConfiguredIssuer {
        &self.all[index]
    }
}

impl ConfiguredIssuer {
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn validators(&self) -> &Validators {
        &self.validators
    }

    pub(crate) fn key_ring(&self) -> &KeyRing {
        &self.keys
    }
}

/// The issuers of one name, by their indexes.
#[derive(Debug)]
enum Sections {
    One(usize),
    Several {
        /// For each media type that one of them takes, those that take it. Few, so that they are compared one by one.
        by_typ: Vec<(Option<Box<str>>, Candidates)>,
        /// All these media types.
        expected: TypProfile,
    },
}

/// The issuers of one name that take one `typ`.
#[derive(Debug)]
enum Candidates {
    One(usize),
    Several {
        /// Where the audience stands, in the tokens of all of them.
        sources: Vec<ClaimPath>,
        by_audience: HashMap<Box<str>, usize>,
        /// Which of them says what is wrong with a token that has no audience.
        first: usize,
        /// All these audiences.
        expected: Arc<[Box<str>]>,
    },
}

impl Sections {
    /// `None` where a token could belong to two of them.
    fn new(sections: &[(usize, &IssuerSettings)]) -> Option<Self> {
        if let [(index, _)] = sections {
            return Some(Sections::One(*index));
        }
        let expected = TypProfile::union(sections.iter().map(|(_, settings)| &settings.typ));
        let candidates = |typ: Option<&str>| {
            let takes = |settings: &IssuerSettings| settings.typ.types().iter().any(|one| is_same(*one, typ));
            let of_typ: Vec<_> = sections.iter().filter(|(_, settings)| takes(settings)).copied().collect();
            Some((typ.map(Into::into), Candidates::new(&of_typ)?))
        };
        let by_typ = expected.types().into_iter().map(candidates).collect::<Option<_>>()?;
        Some(Sections::Several { by_typ, expected })
    }
}

impl Candidates {
    /// `None` where they cannot be told apart by the audience.
    fn new(sections: &[(usize, &IssuerSettings)]) -> Option<Self> {
        let ((first, settings), rest) = sections.split_first()?;
        if rest.is_empty() {
            return Some(Candidates::One(*first));
        }
        let sources = settings.claims.audience.clone();
        let mut by_audience: HashMap<Box<str>, usize> = HashMap::new();
        for (index, settings) in sections {
            if settings.danger_accept_any_audience || settings.claims.audience != sources {
                return None;
            }
            for audience in &settings.audiences {
                // One section may name an audience twice.
                if by_audience.insert(audience.as_str().into(), *index).is_some_and(|other| other != *index) {
                    return None;
                }
            }
        }
        let expected = by_audience.keys().cloned().collect();
        Some(Candidates::Several { sources, by_audience, first: *first, expected })
    }

    /// The one that names the first of the token's audiences that any of them names.
    fn find(&self, claims: &Claims<'_>, issuer: &Arc<str>) -> Result<usize, Rejection> {
        match self {
            Candidates::One(index) => Ok(*index),
            Candidates::Several { sources, by_audience, first, expected } => {
                let audience = sources.iter().find_map(|path| path.find(claims.root()));
                let audience = audience.map(StringList::from).unwrap_or_default();
                match audience.iter().find_map(|entry| by_audience.get(entry)) {
                    Some(index) => Ok(*index),
                    None if audience.iter().next().is_none() => Ok(*first),
                    None => Err(Rejection::wrong_audience(audience, expected, issuer)),
                }
            }
        }
    }
}

#[cold]
fn missing_iss() -> Rejection {
    Rejection::MissingClaim { name: "iss".into() }
}

#[cold]
fn unknown(name: &str) -> Rejection {
    Rejection::UnknownIssuer { issuer: name.into() }
}
