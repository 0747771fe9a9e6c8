use fastrand::Rng;
use tollgate::jwt::base64url;
use tollgate_issuer::SigningKey;
use tollgate_tests::traffic_token;

/// How many good tokens of others an attacker can start from.
const SPECIMENS: usize = 64;

/// The kind of requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Attack {
    Garbage,
    BadSignatures,
    RandomKids,
    Expired,
    DistinctTokens,
}

impl Attack {
    pub(crate) const ALL: [Attack; 5] =
        [Attack::Garbage, Attack::BadSignatures, Attack::RandomKids, Attack::Expired, Attack::DistinctTokens];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Attack::Garbage => "random garbage",
            Attack::BadSignatures => "bad signatures",
            Attack::RandomKids => "random kids",
            Attack::Expired => "expired tokens",
            Attack::DistinctTokens => "10^6 valid tokens of one client",
        }
    }

    /// Whether the engine accepts the requests.
    pub(crate) fn is_accepted(self) -> bool {
        self == Attack::DistinctTokens
    }
}

/// Makes the requests of an attack. They all differ, except for expired tokens, which are never cached.
pub(crate) struct Attacker<'k> {
    attack: Attack,
    random: Rng,
    /// Good tokens, or expired ones.
    specimens: Vec<String>,
    client: &'k SigningKey,
    now: i64,
    next: usize,
}

impl<'k> Attacker<'k> {
    /// `issuer` signs everybody's tokens, `client` those of the one client, fast enough to make a million.
    pub(crate) fn new(attack: Attack, issuer: &SigningKey, client: &'k SigningKey, now: i64, thread: usize) -> Self {
        let signed_at = if attack == Attack::Expired { now - 7200 } else { now };
        // Different from those of the legitimate callers.
        let specimens = (0..SPECIMENS).map(|index| traffic_token(issuer, 10_000_000 + index, signed_at)).collect();
        let next = (thread + 1) * 20_000_000;
        Attacker { attack, random: Rng::with_seed(next as u64), specimens, client, now, next }
    }

    /// The value of the next Authorization header.
    pub(crate) fn header(&mut self) -> String {
        let index = self.random.usize(..SPECIMENS);
        let token = match self.attack {
            Attack::Garbage => self.garbage(index),
            Attack::BadSignatures => self.bad_signature(index),
            Attack::RandomKids => self.random_kid(index),
            Attack::Expired => self.specimens[index].clone(),
            Attack::DistinctTokens => {
                self.next += 1;
                traffic_token(self.client, self.next, self.now)
            }
        };
        format!("Bearer {token}")
    }

    /// As many base64url characters as a token has; every other time with a token's beginning and dots.
    fn garbage(&mut self, index: usize) -> String {
        let looks_like_a_token = self.random.bool();
        let random = &mut self.random;
        let place = |(index, one): (usize, char)| match one {
            '.' if looks_like_a_token => '.',
            _ if looks_like_a_token && index < 2 => one,
            _ => random.alphanumeric(),
        };
        self.specimens[index].chars().enumerate().map(place).collect()
    }

    /// A good token with eight characters of its signature replaced.
    fn bad_signature(&mut self, index: usize) -> String {
        let token = &self.specimens[index];
        let (before, after) = (&token[..token.len() - 100], &token[token.len() - 92..]);
        let changed: String = (0..8).map(|_| self.random.alphanumeric()).collect();
        format!("{before}{changed}{after}")
    }

    /// A good token with the `kid` of a key that does not exist.
    fn random_kid(&mut self, index: usize) -> String {
        let (_, rest) = self.specimens[index].split_once('.').expect("a token");
        let header = format!(r#"{{"alg":"RS256","kid":"{:016x}","typ":"JWT"}}"#, self.random.u64(..));
        format!("{}.{rest}", base64url::encode(header))
    }
}
