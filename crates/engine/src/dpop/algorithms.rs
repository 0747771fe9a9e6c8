use std::fmt;

use tollgate_keys::Algorithm;

/// The set of algorithms that proofs may be signed with. It is displayed like the parameter `algs` of a challenge:
/// names joined by spaces (RFC 9449 section 7.1).
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct ProofAlgorithms(u32);

impl ProofAlgorithms {
    pub(crate) fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        ProofAlgorithms(algorithms.into_iter().fold(0, |bits, algorithm| bits | bit(algorithm)))
    }

    /// Whether proofs may be signed with `algorithm`.
    #[must_use]
    pub fn contain(self, algorithm: Algorithm) -> bool {
        self.0 & bit(algorithm) != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::all().filter(move |algorithm| self.contain(*algorithm))
    }
}

/// There are fewer than 32 algorithms.
fn bit(algorithm: Algorithm) -> u32 {
    1 << algorithm as u32
}

impl fmt::Display for ProofAlgorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter()
            .enumerate()
            .try_for_each(|(index, algorithm)| write!(f, "{}{algorithm}", if index > 0 { " " } else { "" }))
    }
}

impl fmt::Debug for ProofAlgorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
