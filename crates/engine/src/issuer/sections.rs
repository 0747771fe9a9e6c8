use std::collections::HashMap;
use std::sync::Arc;

use tollgate_jwt::{Claims, Header, StringList};

use super::IssuerSettings;
use super::claim_path::ClaimPath;
use super::typ::{TypProfile, is_same};
use crate::rejection::Rejection;

/// The issuers with one name, by their indexes.
#[derive(Debug)]
pub(super) enum Sections {
    One(usize),
    Several {
        /// For each accepted media type, the issuers that accept it. They are few, and are compared one by one.
        by_typ: Vec<(Option<Box<str>>, Candidates)>,
        /// All these media types.
        expected: TypProfile,
    },
}

/// The issuers with one name that accept one `typ`.
#[derive(Debug)]
pub(super) enum Candidates {
    One(usize),
    Several {
        /// The claims with the audience, in the tokens of all of them.
        sources: Vec<ClaimPath>,
        by_audience: HashMap<Box<str>, usize>,
        /// The issuer that rejects tokens without an audience.
        first: usize,
        /// All these audiences.
        expected: Arc<[Box<str>]>,
    },
}

impl Sections {
    /// `None` if a token could belong to two of them.
    pub(super) fn new(sections: &[(usize, &IssuerSettings)]) -> Option<Self> {
        if let [(index, _)] = sections {
            return Some(Sections::One(*index));
        }
        let profiles: Vec<TypProfile> = sections.iter().map(|(_, settings)| settings.typ_profile()).collect();
        let expected = TypProfile::union(&profiles);
        let candidates = |typ: Option<&str>| {
            let takes = |profile: &TypProfile| profile.types().iter().any(|one| is_same(*one, typ));
            let of_typ: Vec<_> = sections
                .iter()
                .zip(&profiles)
                .filter(|(_, profile)| takes(profile))
                .map(|(section, _)| *section)
                .collect();
            Some((typ.map(Into::into), Candidates::new(&of_typ)?))
        };
        let by_typ = expected.types().into_iter().map(candidates).collect::<Option<_>>()?;
        Some(Sections::Several { by_typ, expected })
    }

    /// The issuer that accepts the token's `typ`, and then its audience. `name` is the name of all.
    pub(super) fn find(&self, header: &Header<'_>, claims: &Claims<'_>, name: &Arc<str>) -> Result<usize, Rejection> {
        match self {
            Sections::One(index) => Ok(*index),
            Sections::Several { by_typ, expected } => {
                let of_typ = by_typ.iter().find(|(typ, _)| is_same(typ.as_deref(), header.media_subtype()));
                let (_, candidates) =
                    of_typ.ok_or_else(|| Rejection::type_not_allowed(header.typ(), expected, name))?;
                candidates.find(claims, name)
            }
        }
    }
}

impl Candidates {
    /// `None` if their audiences do not tell them apart.
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
                // One issuer may name an audience twice.
                if by_audience.insert(audience.as_str().into(), *index).is_some_and(|other| other != *index) {
                    return None;
                }
            }
        }
        let expected = by_audience.keys().cloned().collect();
        Some(Candidates::Several { sources, by_audience, first: *first, expected })
    }

    /// The issuer with the first of the token's audiences that any of them accepts.
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
