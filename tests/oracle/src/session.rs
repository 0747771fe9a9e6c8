use std::collections::HashMap;

use crate::contradiction::contradict;
use crate::judge::judge_with;
use crate::jws;
use crate::validator;
use crate::verdict::Verdict;
use crate::world::{Issuer, World};

/// A running engine whose issuers change: its accepted tokens, and those that it has cached.
#[derive(Debug)]
pub struct Session {
    world: World,
    /// The serial of each issuer, in the world's order. A replacement has a new serial, even if it is equal.
    serials: Vec<u64>,
    /// The number of serials so far.
    count: u64,
    /// The accepted tokens, by their text.
    known: HashMap<Vec<u8>, Known>,
}

#[derive(Debug)]
struct Known {
    /// The serial of the issuer that verified the token.
    issuer: u64,
    verified_at: i64,
}

/// The seconds after which a token is verified again (the default of `CacheConfig::max_token_age`).
const MAX_TOKEN_AGE: i64 = 3600;

/// The result for a token.
#[derive(Debug)]
pub struct Judged {
    /// The correct verdict.
    pub verdict: Verdict,
    /// Whether it is a cache hit, so that the signature is not checked again.
    pub is_known: bool,
    /// The codes of the validators that run, in order.
    pub validators: Vec<&'static str>,
}

impl Session {
    /// A session that begins with the issuers of `world`; `None` if they contradict themselves or each other.
    #[must_use]
    pub fn begin(world: &World) -> Option<Session> {
        let issuers = world.issuers.clone();
        let empty = World { issuers: Vec::new(), ..world.clone() };
        let mut session = Session { world: empty, serials: Vec::new(), count: 0, known: HashMap::new() };
        session.replace(issuers).then_some(session)
    }

    /// Judges the value of an Authorization header at `now`, in seconds since the Unix epoch.
    pub fn judge(&mut self, header: &[u8], now: i64) -> Judged {
        let (mut is_known, mut validators) = (false, Vec::new());
        let Session { world, serials, known, .. } = self;
        let verdict = judge_with(world, header, now, |token| {
            let checked = jws::check(world, token, now);
            let serial = checked.issuer.map(|index| serials[index]);
            let is_young = |known: &&Known| (0..=MAX_TOKEN_AGE).contains(&(now - known.verified_at));
            if let Some(earlier) = known.get(token).filter(is_young) {
                is_known = Some(earlier.issuer) == serial;
                if !is_known {
                    known.remove(token);
                }
            }
            let facts = match checked.outcome {
                Ok(facts) => facts,
                Err(verdict) => return verdict,
            };
            let (Some(index), Some(issuer)) = (checked.issuer, serial) else { return Verdict::Accept(facts) };
            if let Some(code) = validator::refusal(&world.issuers[index], is_known, &facts, now, &mut validators) {
                return Verdict::reject(code);
            }
            if !is_known {
                known.insert(token.to_vec(), Known { issuer, verified_at: now });
            }
            Verdict::Accept(facts)
        });
        Judged { verdict, is_known, validators }
    }

    /// Adds an issuer. Returns whether the engine must accept it.
    pub fn add(&mut self, issuer: Issuer) -> bool {
        let is_new = self.world.issuers.iter().all(|other| other.name != issuer.name);
        is_new && self.replace(vec![issuer])
    }

    /// Replaces the issuers with the same names, or adds them. Returns whether the engine must accept them.
    pub fn replace(&mut self, issuers: Vec<Issuer>) -> bool {
        let before = (self.world.issuers.clone(), self.serials.clone());
        for issuer in &issuers {
            self.remove(&issuer.name);
        }
        for issuer in issuers {
            self.world.issuers.push(issuer);
            self.serials.push(self.count);
            self.count += 1;
        }
        let can_be = !contradict(&self.world.issuers);
        if !can_be {
            (self.world.issuers, self.serials) = before;
        }
        can_be
    }

    /// Removes the issuers of that name. Returns whether there were any.
    pub fn remove(&mut self, name: &str) -> bool {
        let is_kept: Vec<bool> = self.world.issuers.iter().map(|issuer| issuer.name != name).collect();
        let (mut of_issuers, mut of_serials) = (is_kept.iter(), is_kept.iter());
        self.world.issuers.retain(|_| of_issuers.next() == Some(&true));
        self.serials.retain(|_| of_serials.next() == Some(&true));
        is_kept.contains(&false)
    }
}
