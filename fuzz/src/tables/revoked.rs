use std::collections::BTreeMap;

use tollgate::{Revocation, Revocations};

use super::operations::Operations;
use super::world::{ISSUERS, NOW};

/// A name that can be revoked: its kind, its issuer, and one of two values.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Name {
    kind: Kind,
    issuer: usize,
    which: usize,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    Token,
    Subject,
    Session,
    Client,
    Issuer,
    ApiKey,
}

const KINDS: [Kind; 6] = [Kind::Token, Kind::Subject, Kind::Session, Kind::Client, Kind::Issuer, Kind::ApiKey];

impl Name {
    pub(super) fn new(kind: Kind, issuer: usize, which: usize) -> Self {
        match kind {
            Kind::Issuer => Name { kind, issuer, which: 0 },
            Kind::ApiKey => Name { kind, issuer: 0, which },
            _ => Name { kind, issuer, which },
        }
    }

    /// The text of the name in tokens and records.
    pub(super) fn text(self) -> String {
        let prefix = match self.kind {
            Kind::ApiKey => "key",
            // The same text for four kinds, which must not be confused.
            _ => "name",
        };
        format!("{prefix}-{}", self.which)
    }

    fn revocation(self, (issued_before, until): Times) -> Revocation {
        let (issuer, name) = (ISSUERS[self.issuer], self.text());
        let revocation = match self.kind {
            Kind::Token => Revocation::token(issuer, &name),
            Kind::Subject => Revocation::subject(issuer, &name),
            Kind::Session => Revocation::session(issuer, &name),
            Kind::Client => Revocation::client(issuer, &name),
            Kind::Issuer => Revocation::issuer(issuer),
            Kind::ApiKey => Revocation::api_key(&name),
        };
        revocation.issued_before(issued_before).until(until)
    }
}

/// `issued_before` and `until`.
type Times = (i64, i64);

/// A table of revocations, and its expected contents.
#[derive(Default)]
pub(super) struct Revoked {
    pub(super) table: Revocations,
    model: BTreeMap<Name, Times>,
}

impl Revoked {
    pub(super) fn apply(&mut self, operations: &mut Operations<'_>, now: i64) {
        match operations.choose(6) {
            0 => {
                let (name, times) = chosen(operations);
                self.table.revoke(&name.revocation(times));
                self.merge(name, times);
            }
            1 => {
                let many: Vec<_> = (0..operations.choose(4)).map(|_| chosen(operations)).collect();
                let already = self.table.revoke_all(&revocations(&many));
                assert_eq!(already, many.iter().filter(|(name, times)| self.merge(*name, *times)).count());
            }
            2 => {
                let (name, times) = chosen(operations);
                self.table.replace(&name.revocation(times));
                self.model.insert(name, times);
            }
            3 => {
                let many: Vec<_> = (0..operations.choose(4)).map(|_| chosen(operations)).collect();
                self.table.replace_all(&revocations(&many));
                self.model.clear();
                for (name, times) in many {
                    self.merge(name, times);
                }
            }
            4 => {
                let (name, times) = chosen(operations);
                assert_eq!(self.table.restore(&name.revocation(times)), self.model.remove(&name).is_some());
            }
            _ => {
                let before = self.model.len();
                self.model.retain(|_, (_, until)| *until > now);
                assert_eq!(self.table.forget_expired(now), before - self.model.len());
            }
        }
        assert_eq!(self.table.len(), self.model.len());
    }

    /// Of two revocations of one name the stricter applies. Returns whether there was one.
    fn merge(&mut self, name: Name, (issued_before, until): Times) -> bool {
        let old = self.model.get(&name).copied();
        let (old_before, old_until) = old.unwrap_or((i64::MIN, i64::MIN));
        self.model.insert(name, (issued_before.max(old_before), until.max(old_until)));
        old.is_some()
    }

    /// Whether any of `names` is revoked for a token that was issued at `issued_at`.
    pub(super) fn concerns(&self, names: &[Name], issued_at: Option<i64>) -> bool {
        let times = names.iter().filter_map(|name| self.model.get(name));
        times.into_iter().any(|(issued_before, _)| issued_at.is_none_or(|issued_at| issued_at < *issued_before))
    }
}

fn revocations(many: &[(Name, Times)]) -> Vec<Revocation> {
    many.iter().map(|(name, times)| name.revocation(*times)).collect()
}

fn chosen(operations: &mut Operations<'_>) -> (Name, Times) {
    let name = Name::new(KINDS[operations.choose(6)], operations.choose(2), operations.choose(2));
    let issued_before = [i64::MAX, NOW - 100, NOW - 99, NOW - 50, NOW - 49, i64::MIN][operations.choose(6)];
    let until = [i64::MAX, NOW, NOW + 300, NOW + 600][operations.choose(4)];
    (name, (issued_before, until))
}
