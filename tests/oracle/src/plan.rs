use std::fmt;

use crate::draft::{Draft, base_of, is_jwt};
use crate::jws::ALGORITHMS;
use crate::mutation::{Kind, Mutation};
use crate::setting::NOW;

/// A description of a credential: its base, and the changes to it.
///
/// Any bytes are a plan, so that a fuzzer can write them. The same bytes always make the same credential.
#[derive(Clone, PartialEq)]
pub struct Plan {
    /// The algorithm or API key.
    pub(crate) base: u8,
    pub(crate) issuer: u8,
    /// Bits that choose the key, the scheme, the times.
    pub(crate) style: u8,
    /// The changes, in the order of [`Kind`]'s variants.
    pub mutations: Vec<Mutation>,
    /// Text that some mutations insert.
    pub(crate) free: Vec<u8>,
}

/// The credential of a plan.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The value of the header.
    pub header: Vec<u8>,
    /// Whether the value is for an `X-API-Key` header instead of Authorization.
    pub is_api_key_header: bool,
    /// The times of the first and the second presentation.
    pub times: [i64; 2],
}

/// More changes would only make garbage.
const MAX_MUTATIONS: usize = 6;

impl Plan {
    /// Reads a plan: three bytes for the base, one for the number of changes, four for each change, then free text.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Plan {
        let mut bytes = bytes.iter().copied();
        let mut next = || bytes.next().unwrap_or(0);
        let (base, issuer, style, count) = (next(), next(), next(), next());
        let mut mutation = || Mutation {
            kind: Kind::ALL[usize::from(next()) % Kind::ALL.len()],
            argument: u32::from_be_bytes([0, next(), next(), next()]),
        };
        let mutations = (0..usize::from(count) % (MAX_MUTATIONS + 1)).map(|_| mutation()).collect();
        Plan { base, issuer, style, mutations, free: bytes.collect() }
    }

    /// A valid token of that algorithm under the first issuer's first key, as Bearer.
    ///
    /// # Panics
    /// If the name is not an algorithm's.
    #[must_use]
    pub fn untouched(alg: &str) -> Plan {
        let base = base_of(ALGORITHMS.iter().position(|one| *one == alg).expect("an algorithm"));
        Plan { base, issuer: 0, style: 0, mutations: Vec::new(), free: Vec::new() }
    }

    /// The same plan with a fast algorithm, for a fuzzer, which gains more from many inputs.
    #[must_use]
    pub fn with_quick_algorithm(mut self) -> Plan {
        const QUICK: [&str; 6] = ["HS256", "HS384", "HS512", "ES256", "EdDSA", "Ed25519"];
        if is_jwt(self.base) {
            self.base = Plan::untouched(QUICK[usize::from(self.base) % QUICK.len()]).base;
        }
        self
    }

    /// The bytes that [`Plan::from_bytes`] reads.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.base, self.issuer, self.style, self.mutations.len() as u8];
        for mutation in &self.mutations {
            let [_, argument @ ..] = mutation.argument.to_be_bytes();
            bytes.push(Kind::ALL.iter().position(|kind| *kind == mutation.kind).unwrap_or(0) as u8);
            bytes.extend(argument);
        }
        bytes.extend(&self.free);
        bytes
    }

    /// The plan of that number: mostly one or two changes; no change in one of eight.
    #[must_use]
    pub fn random(number: u64) -> Plan {
        let mut random = Random::new(number);
        let count = [0, 1, 1, 1, 1, 2, 2, 3 + random.below(3)][random.below(8)];
        let mut bytes = vec![random.byte(), random.byte(), random.byte(), count as u8];
        bytes.extend((0..4 * count).map(|_| random.byte()));
        for _ in 0..random.below(8) {
            bytes.extend(PIECES[random.below(PIECES.len())].as_bytes());
        }
        Plan::from_bytes(&bytes)
    }

    /// The credential and the times of its presentation.
    #[must_use]
    pub fn trial(&self) -> Trial {
        let draft = Draft::new(self);
        let later = [0, 1, 59, 60, 599, 600, 659, 660, 661, 899, 900, 901, -1, -60, -61, 86_400];
        Trial {
            is_api_key_header: draft.is_api_key_header(),
            header: draft.finish(self),
            times: [NOW, NOW + later[usize::from(self.style >> 4)]],
        }
    }

    /// Smaller variants of the plan, the smallest first, to find the cause of a disagreement.
    #[must_use]
    pub fn smaller(&self) -> Vec<Plan> {
        let mut plans = Vec::new();
        for index in 0..self.mutations.len() {
            let mut plan = self.clone();
            plan.mutations.remove(index);
            plans.push(plan);
        }
        plans.push(Plan { free: self.free[..self.free.len() / 2].to_vec(), ..self.clone() });
        plans.push(Plan { free: self.free[..self.free.len().saturating_sub(1)].to_vec(), ..self.clone() });
        plans.push(Plan { free: self.free.iter().skip(1).copied().collect(), ..self.clone() });
        for (base, issuer, style) in
            [(0, self.issuer, self.style), (self.base, 0, self.style), (self.base, self.issuer, 0)]
        {
            plans.push(Plan { base, issuer, style, ..self.clone() });
        }
        plans.retain(|plan| plan != self);
        plans
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { base, issuer, style, mutations, free } = self;
        write!(f, "{base} {issuer} {style:#04x} {mutations:?} {:?}", String::from_utf8_lossy(free))
    }
}

/// The pieces of free text.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"iss\"",
    "\"exp\"",
    "\"alg\"",
    "\"aud\"",
    "\"a\"",
    "1",
    "0",
    "-",
    ".",
    "e",
    "1763800600",
    "9007199254740993",
    "1e3",
    "true",
    "null",
    " ",
    "\t",
    "\n",
    "\\u0061",
    "\\ud800",
    "\\udc00",
    "\\n",
    "\\",
    "\u{e9}",
    "\0",
    "\u{feff}",
    "/**/",
    "NaN",
    "Bearer ",
    "eyJ",
    "=",
    "[[[[[[[[",
    "{\"a\":",
];

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(number: u64) -> Self {
        Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x746f_6c6c_6761_7465)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
