//! Where an issuer's tokens have their audience, scopes, client and subject, prepared for reading.

use std::fmt::{self, Display};
use std::sync::Arc;

use tollgate_jwt::json::Value;
use tollgate_jwt::{ClaimNames, Claims, FoundClaims, KnownClaim, ScopeClaim, StringList, is_scope_token};

use super::claim_path::ClaimPath;
use super::settings::SettingsError;
use super::sources::{ClaimSources, ScopeSource, ScopesFrom};
use crate::excerpt::excerpt_of;
use crate::rejection::Rejection;
use crate::scopes::RepeatedScopes;

/// A claim with a known place, or one that is looked up together with the others.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    path: ClaimPath,
    claim: ClaimPlace,
}

#[derive(Clone, Copy, Debug)]
enum ClaimPlace {
    Known(KnownClaim),
    /// By its index among the [`ClaimNames`].
    Found(usize),
}

impl Location {
    /// Adds the names that `path` needs to `names`.
    pub(crate) fn note(path: &ClaimPath, names: &mut ClaimNames) -> Result<(), SettingsError> {
        match KnownClaim::from_name(path.claim()) {
            None if !names.add(path.claim()) => Err(SettingsError::TooManyClaims),
            _ => Ok(()),
        }
    }

    /// Call it after all paths are noted.
    pub(crate) fn new(path: &ClaimPath, names: &ClaimNames) -> Self {
        let claim = match (KnownClaim::from_name(path.claim()), names.index(path.claim())) {
            (Some(known), _) => ClaimPlace::Known(known),
            (None, index) => ClaimPlace::Found(index.expect("it was noted")),
        };
        Location { path: path.clone(), claim }
    }

    pub(crate) fn path(&self) -> &ClaimPath {
        &self.path
    }
}

/// A token's claims, with the places of the claims that its issuer's policy names.
pub(crate) struct LocatedClaims<'c, 's> {
    pub(crate) claims: &'c Claims<'s>,
    found: Option<FoundClaims>,
}

impl<'c, 's> LocatedClaims<'c, 's> {
    pub(crate) fn new(claims: &'c Claims<'s>, names: &ClaimNames) -> Self {
        let found = if names.is_empty() { None } else { Some(claims.find(names)) };
        LocatedClaims { claims, found }
    }

    #[inline]
    pub(crate) fn at(&self, location: &Location) -> Option<Value<'c, 's>> {
        let claim = match (location.claim, &self.found) {
            (ClaimPlace::Known(known), _) => self.claims.known(known)?,
            (ClaimPlace::Found(index), Some(found)) => self.claims.found(found, index)?,
            (ClaimPlace::Found(_), None) => return None,
        };
        location.path.follow(claim)
    }

    /// The first of `locations` with a claim, and its value.
    fn first<'l, T>(&self, locations: &'l [T], location: impl Fn(&T) -> &Location) -> Option<(&'l T, Value<'c, 's>)> {
        locations.iter().find_map(|one| Some((one, self.at(location(one))?)))
    }
}

/// [`ClaimSources`], prepared for reading.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    issuer: Arc<str>,
    audience: Vec<Location>,
    client: Vec<Location>,
    subject: Vec<Location>,
    scopes: Vec<ScopeLocation>,
    scopes_from: ScopesFrom,
    max_list_entries: usize,
}

#[derive(Clone, Debug)]
struct ScopeLocation {
    location: Location,
    /// Whether it is `scope` or `scp`, whose syntax was checked when the claims were read, and whose text has to be
    /// split.
    is_scope_claim: bool,
    prefix: Box<str>,
    /// The prefixes of the scopes of other claims.
    reserved: Vec<Box<str>>,
}

impl Mapping {
    pub(crate) fn note(sources: &ClaimSources, names: &mut ClaimNames) -> Result<(), SettingsError> {
        let ClaimSources { audience, client, subject, scopes, .. } = sources;
        let paths = audience.iter().chain(client).chain(subject).chain(scopes.iter().map(ScopeSource::at));
        paths.into_iter().try_for_each(|path| Location::note(path, names))
    }

    pub(crate) fn new(issuer: Arc<str>, sources: &ClaimSources, names: &ClaimNames, max_list_entries: usize) -> Self {
        let locations =
            |paths: &[ClaimPath]| paths.iter().map(|path| Location::new(path, names)).collect::<Vec<Location>>();
        let scopes = sources.scopes.iter().map(|source| ScopeLocation {
            location: Location::new(source.at(), names),
            is_scope_claim: source.at().is("scope") || source.at().is("scp"),
            prefix: source.prefix().into(),
            reserved: reserved(source, &sources.scopes),
        });
        Mapping {
            issuer,
            audience: locations(&sources.audience),
            client: locations(&sources.client),
            subject: locations(&sources.subject),
            scopes: scopes.collect(),
            scopes_from: sources.scopes_from,
            max_list_entries,
        }
    }

    /// The audience of a token; absent if no claim names it.
    pub(crate) fn audience<'c, 's>(&self, claims: &LocatedClaims<'c, 's>) -> Result<StringList<'c, 's>, Rejection> {
        let Some((location, value)) = claims.first(&self.audience, |location| location) else {
            return Ok(StringList::default());
        };
        if !matches!(location.claim, ClaimPlace::Known(KnownClaim::Aud)) {
            self.check_entries(location, value)?;
            let is_list = match value {
                Value::Array(array) => array.iter().all(|entry| name(entry).is_some()),
                _ => name(value).is_some(),
            };
            if !is_list {
                return Err(self.invalid(location, "a string or an array of strings, none with U+0000"));
            }
        }
        Ok(value.into())
    }

    /// The subject of a token.
    pub(crate) fn subject<'s>(&self, claims: &LocatedClaims<'_, 's>) -> Result<Option<&'s str>, Rejection> {
        self.one(&self.subject, claims)
    }

    /// The client that a token was issued to.
    pub(crate) fn client<'s>(&self, claims: &LocatedClaims<'_, 's>) -> Result<Option<&'s str>, Rejection> {
        self.one(&self.client, claims)
    }

    fn one<'s>(&self, locations: &[Location], claims: &LocatedClaims<'_, 's>) -> Result<Option<&'s str>, Rejection> {
        for location in locations {
            // The form of these three was checked when the claims were read.
            let text = match location.claim {
                ClaimPlace::Known(KnownClaim::Sub) => claims.claims.sub(),
                ClaimPlace::Known(KnownClaim::ClientId) => claims.claims.client_id(),
                ClaimPlace::Known(KnownClaim::Azp) => claims.claims.azp(),
                _ => match claims.at(location) {
                    Some(value) => return self.name_in(location, value).map(Some),
                    None => None,
                },
            };
            if text.is_some() && location.path.is_claim() {
                return Ok(text);
            }
        }
        Ok(None)
    }

    fn name_in<'s>(&self, location: &Location, value: Value<'_, 's>) -> Result<&'s str, Rejection> {
        name(value)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.invalid(location, "a string of one character or more, without U+0000"))
    }

    /// Checks that no claim with scopes has more entries than the limit.
    pub(crate) fn check_scopes(&self, claims: &LocatedClaims<'_, '_>) -> Result<(), Rejection> {
        let others = self.scopes.iter().filter(|source| !source.is_scope_claim);
        for ScopeLocation { location, .. } in others {
            if let Some(value) = claims.at(location) {
                self.check_entries(location, value)?;
            }
        }
        Ok(())
    }

    /// Appends each scope and a space to `text`. The scopes of several claims are a set, in the order of first
    /// appearance.
    pub(crate) fn write_scopes(
        &self,
        claims: &LocatedClaims<'_, '_>,
        text: &mut String,
        repeated: &mut RepeatedScopes,
    ) {
        match self.scopes_from {
            ScopesFrom::First => {
                if let Some((source, value)) = claims.first(&self.scopes, |source| &source.location) {
                    source.write(value, text);
                }
            }
            ScopesFrom::All => {
                let start = text.len();
                for source in &self.scopes {
                    if let Some(value) = claims.at(&source.location) {
                        source.write(value, text);
                    }
                }
                repeated.remove_from(text, start);
            }
        }
    }

    /// Checks that a claim that is an array has at most as many entries as the limit.
    pub(crate) fn check_entries(&self, location: &Location, value: Value<'_, '_>) -> Result<(), Rejection> {
        match value {
            Value::Array(array) if array.len() > self.max_list_entries => Err(Rejection::TooManyEntries {
                claim: location.path.clone(),
                entries: array.len(),
                max: self.max_list_entries,
                issuer: self.issuer.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// The rejection of a token without a claim that the audience is read from.
    #[cold]
    pub(crate) fn missing_audience(&self) -> Rejection {
        Rejection::MissingClaim { name: excerpt_of(AnyOf(&self.audience)) }
    }

    #[cold]
    fn invalid(&self, location: &Location, expected: &'static str) -> Rejection {
        Rejection::InvalidClaim { claim: location.path.clone(), expected, issuer: self.issuer.clone() }
    }
}

impl ScopeLocation {
    fn write(&self, value: Value<'_, '_>, text: &mut String) {
        if self.is_scope_claim {
            let claim = ScopeClaim::from(value);
            match claim.as_joined() {
                Some(joined) if self.prefix.is_empty() && !self.reserves_any(joined) => push(text, "", joined),
                _ => claim.iter().for_each(|scope| self.write_one(scope, text)),
            }
        } else {
            StringList::from(value)
                .iter()
                .filter(|scope| is_scope_token(scope))
                .for_each(|scope| self.write_one(scope, text));
        }
    }

    fn write_one(&self, scope: &str, text: &mut String) {
        if !self.reserves(scope) {
            push(text, &self.prefix, scope);
        }
    }

    /// Whether a scope could be mistaken for one of another claim.
    fn reserves(&self, scope: &str) -> bool {
        self.reserved.iter().any(|prefix| scope.starts_with(&**prefix))
    }

    /// Whether one of several scopes, joined by spaces, could.
    fn reserves_any(&self, joined: &str) -> bool {
        !self.reserved.is_empty() && joined.split(' ').any(|scope| self.reserves(scope))
    }
}

/// The prefixes of the other sources. A source with a prefix of its own needs none: of two different prefixes, none
/// begins with the other.
fn reserved(source: &ScopeSource, all: &[ScopeSource]) -> Vec<Box<str>> {
    let prefixes = all.iter().map(ScopeSource::prefix).filter(|prefix| !prefix.is_empty());
    if source.prefix().is_empty() { prefixes.map(Into::into).collect() } else { Vec::new() }
}

fn push(text: &mut String, prefix: &str, scope: &str) {
    text.reserve(prefix.len() + scope.len() + 1);
    text.push_str(prefix);
    text.push_str(scope);
    text.push(' ');
}

/// Alternative claims.
struct AnyOf<'l>(&'l [Location]);

impl Display for AnyOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, location) in self.0.iter().enumerate() {
            write!(f, "{}{}", if index > 0 { " or " } else { "" }, location.path)?;
        }
        Ok(())
    }
}

/// A string that can be a name.
fn name<'s>(value: Value<'_, 's>) -> Option<&'s str> {
    value.as_str().filter(|text| !text.contains('\0'))
}
