use crate::json::fingerprint;
use crate::limits::MAX_CLAIM_NAMES;

/// The claims that [`Claims`](super::Claims) finds while parsing, so that looking one up needs no search.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KnownClaim {
    /// `iss`.
    Iss,
    /// `sub`.
    Sub,
    /// `aud`.
    Aud,
    /// `jti`.
    Jti,
    /// `sid`.
    Sid,
    /// `client_id`.
    ClientId,
    /// `azp`.
    Azp,
    /// `cid`: the client in Okta's tokens. Not registered, so of any type.
    Cid,
    /// `appid`: the client in Microsoft Entra's v1.0 tokens. Not registered, so of any type.
    Appid,
    /// `scope`.
    Scope,
    /// `scp`.
    Scp,
}

impl KnownClaim {
    /// The known claim called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "iss" => KnownClaim::Iss,
            "sub" => KnownClaim::Sub,
            "aud" => KnownClaim::Aud,
            "jti" => KnownClaim::Jti,
            "sid" => KnownClaim::Sid,
            "client_id" => KnownClaim::ClientId,
            "azp" => KnownClaim::Azp,
            "cid" => KnownClaim::Cid,
            "appid" => KnownClaim::Appid,
            "scope" => KnownClaim::Scope,
            "scp" => KnownClaim::Scp,
            _ => return None,
        })
    }
}

/// Names of claims that [`Claims::find`](super::Claims::find) finds in one pass: at most [`MAX_CLAIM_NAMES`].
#[derive(Clone, Debug, Default)]
pub struct ClaimNames {
    /// Sorted by length, then by text: most comparisons end with the lengths.
    names: Vec<Box<str>>,
    /// A bit for each name's length, and one for its fingerprint: these alone rule out most members.
    lengths: u64,
    fingerprints: u64,
    /// Whether [`Claims`](super::Claims) finds one of the names while parsing.
    is_any_read: bool,
}

impl ClaimNames {
    /// Adds `name` unless present. Returns whether there was room.
    pub fn add(&mut self, name: &str) -> bool {
        if let Err(index) = self.search(name) {
            if self.names.len() == MAX_CLAIM_NAMES {
                return false;
            }
            self.names.insert(index, name.into());
            let is_read = KnownClaim::from_name(name).is_some() || matches!(name, "exp" | "nbf" | "iat" | "cnf");
            self.is_any_read |= is_read;
            self.lengths |= length_bit(name);
            self.fingerprints |= bit(name);
        }
        true
    }

    /// The index of `name`. Adding names changes it.
    #[inline]
    #[must_use]
    pub fn index(&self, name: &str) -> Option<usize> {
        if self.lengths & length_bit(name) == 0 || self.fingerprints & bit(name) == 0 {
            None
        } else if self.names.len() <= FEW {
            self.names.iter().position(|one| **one == *name)
        } else {
            self.search(name).ok()
        }
    }

    /// Whether [`Claims`](super::Claims) finds none of the names while parsing.
    #[inline]
    pub(super) fn are_others(&self) -> bool {
        !self.is_any_read
    }

    fn search(&self, name: &str) -> Result<usize, usize> {
        self.names.binary_search_by(|one| one.len().cmp(&name.len()).then_with(|| (**one).cmp(name)))
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Up to this many names are compared one after the other.
const FEW: usize = 8;

#[inline]
fn length_bit(name: &str) -> u64 {
    1 << (name.len() & 63)
}

#[inline]
fn bit(name: &str) -> u64 {
    1 << (fingerprint(name) & 63)
}

/// The positions of the claims that [`Claims::find`](super::Claims::find) found for some [`ClaimNames`].
#[derive(Clone, Copy, Debug)]
pub struct FoundClaims {
    /// The position of each name's value in the root object; 0, a name's position, if the claim is absent.
    pub(super) positions: [u32; MAX_CLAIM_NAMES],
}
