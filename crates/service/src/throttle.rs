//! How many passwords may be guessed, so that nobody who guesses keeps the account's owner out.

use crate::limits::{
    ACCOUNT_ATTEMPT_PERIOD, ACCOUNT_ATTEMPTS, ACCOUNT_ATTEMPTS_FROM_ANYWHERE, ADDRESS_ATTEMPT_PERIOD, ADDRESS_ATTEMPTS,
    DEVICE_REQUEST_PERIOD, DEVICE_REQUESTS, NETWORKS, PUBLIC_PROOF_PERIOD, PUBLIC_PROOFS, USER_CODE_ATTEMPT_PERIOD,
    USER_CODE_ATTEMPTS,
};
use crate::network::{FACTORS, networks};
use crate::rate_limit::{RateLimiter, RetryAfter};
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

/// Counts attempts to log in: per network, per account and network, per account. A browser in which the user has logged in before has a
/// count of its own, which nobody else can use up.
pub(crate) struct LoginThrottle {
    per_network: Nested,
    per_account_and_network: Nested,
    per_account: RateLimiter,
    per_known_device: RateLimiter,
}

impl LoginThrottle {
    pub(crate) fn new() -> Self {
        Self {
            per_network: Nested::new(ADDRESS_ATTEMPTS, ADDRESS_ATTEMPT_PERIOD),
            per_account_and_network: Nested::new(ACCOUNT_ATTEMPTS, ACCOUNT_ATTEMPT_PERIOD),
            per_account: RateLimiter::new(ACCOUNT_ATTEMPTS_FROM_ANYWHERE, ACCOUNT_ATTEMPT_PERIOD),
            per_known_device: RateLimiter::new(ACCOUNT_ATTEMPTS, ACCOUNT_ATTEMPT_PERIOD),
        }
    }

    /// Counts an attempt from a browser in which nobody, or somebody else, has logged in before.
    pub(crate) fn attempt(&self, email: &str, from: IpAddr) -> Result<(), RetryAfter> {
        self.attempt_of_network(from)?;
        self.per_account_and_network.attempt(email, from)?;
        self.per_account.attempt(&email)
    }

    /// Counts an attempt at no account.
    pub(crate) fn attempt_of_network(&self, from: IpAddr) -> Result<(), RetryAfter> {
        self.per_network.attempt("", from)
    }

    /// Counts an attempt from a browser in which the user has logged in before. `device`: the digest of its cookie.
    pub(crate) fn attempt_at_known_device(&self, email: &str, device: &[u8; 32]) -> Result<(), RetryAfter> {
        self.per_known_device.attempt(&(email, device))
    }

    /// Gives the account's attempts back: it was its owner.
    pub(crate) fn succeeded(&self, email: &str, from: IpAddr, device: Option<&[u8; 32]>) {
        if let Some(device) = device {
            return self.per_known_device.reset(&(email, device));
        }
        self.per_account_and_network.reset(email, from);
        self.per_account.reset(&email);
    }
}

/// Counts the requests of devices, and the looks for their user codes, which are short (RFC 8628 section 5.1).
pub(crate) struct DeviceThrottle {
    requests: Nested,
    looks_of_network: Nested,
    looks_of_session: RateLimiter,
}

impl DeviceThrottle {
    pub(crate) fn new() -> Self {
        Self {
            requests: Nested::new(DEVICE_REQUESTS, DEVICE_REQUEST_PERIOD),
            looks_of_network: Nested::new(ADDRESS_ATTEMPTS, ADDRESS_ATTEMPT_PERIOD),
            looks_of_session: RateLimiter::new(USER_CODE_ATTEMPTS, USER_CODE_ATTEMPT_PERIOD),
        }
    }

    /// Counts a device authorization request.
    pub(crate) fn request(&self, from: IpAddr) -> Result<(), RetryAfter> {
        self.requests.attempt("", from)
    }

    /// Counts a look for a user code in that login session.
    pub(crate) fn look(&self, session_id: &str, from: IpAddr) -> Result<(), RetryAfter> {
        self.looks_of_network.attempt("", from)?;
        self.looks_of_session.attempt(&session_id)
    }
}

/// Counts the DPoP proofs of public clients, each of which is recorded before anything else of the client is known.
pub(crate) struct ProofThrottle(Nested);

impl ProofThrottle {
    pub(crate) fn new() -> Self {
        Self(Nested::new(PUBLIC_PROOFS, PUBLIC_PROOF_PERIOD))
    }

    pub(crate) fn proof(&self, from: IpAddr) -> Result<(), RetryAfter> {
        self.0.attempt("", from)
    }
}

/// A limiter for each of the networks that an address is in, the larger ones with more attempts: whoever can take any address of a block
/// has no more than the block has.
struct Nested {
    levels: [RateLimiter; NETWORKS],
}

impl Nested {
    fn new(attempts: u32, period: Duration) -> Self {
        let levels = FACTORS.map(|factor| RateLimiter::new(attempts * factor, period / factor));
        Self { levels }
    }

    fn attempt(&self, account: &str, from: IpAddr) -> Result<(), RetryAfter> {
        networks(from).iter().zip(&self.levels).try_for_each(|(network, level)| level.attempt(&key(account, network)))
    }

    fn reset(&self, account: &str, from: IpAddr) {
        networks(from).iter().zip(&self.levels).for_each(|(network, level)| level.reset(&key(account, network)));
    }
}

fn key<'k>(account: &'k str, network: &'k IpAddr) -> impl Hash + use<'k> {
    (account, network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(throttle: &LoginThrottle, email: &str, from: impl Fn(u32) -> IpAddr) -> u32 {
        (0..1_000).take_while(|number| throttle.attempt(email, from(*number)).is_ok()).count() as u32
    }

    #[test]
    fn one_network_does_not_use_up_the_attempts_of_others() {
        let throttle = LoginThrottle::new();
        let near = |_| IpAddr::from([192, 0, 2, 1]);
        assert_eq!(attempts(&throttle, "ada", near), ACCOUNT_ATTEMPTS);
        assert_eq!(attempts(&throttle, "ada", |_| IpAddr::from([198, 51, 100, 1])), ACCOUNT_ATTEMPTS);
        throttle.succeeded("ada", near(0), None);
        assert_eq!(attempts(&throttle, "ada", near), ACCOUNT_ATTEMPTS);
    }

    #[test]
    fn an_ipv6_block_has_no_more_than_its_networks_together_may() {
        let throttle = LoginThrottle::new();
        let of =
            |site: u128, number: u32| IpAddr::V6((0x2001_0db8_u128 << 96 | site << 64 | u128::from(number)).into());
        assert_eq!(attempts(&throttle, "ada", |number| of(0, number)), ACCOUNT_ATTEMPTS, "one /64");
        // Another /64 of the same /56 has what is left of twice as many.
        assert_eq!(attempts(&throttle, "ada", |number| of(1, number)), ACCOUNT_ATTEMPTS);
        assert_eq!(attempts(&throttle, "ada", |number| of(2, number)), 0);
        // Each /64 another one: the /48 ends it.
        assert_eq!(attempts(&throttle, "ada", |number| of(0x100 * u128::from(number + 1), 0)), 2 * ACCOUNT_ATTEMPTS);
        assert_eq!(attempts(&throttle, "ada", |number| of(0x1_0000, number)), ACCOUNT_ATTEMPTS, "another /48");
    }

    #[test]
    fn a74_guesses_from_everywhere_leave_a_known_device_its_attempts() {
        let throttle = LoginThrottle::new();
        let anywhere = |number: u32| IpAddr::from(number.wrapping_mul(0x0101_0101).to_be_bytes());
        assert_eq!(attempts(&throttle, "ada", anywhere), ACCOUNT_ATTEMPTS_FROM_ANYWHERE);
        assert!(throttle.attempt_at_known_device("ada", &[1; 32]).is_ok());
        assert!(
            (0..100).any(|_| throttle.attempt_at_known_device("ada", &[1; 32]).is_err()),
            "it may not guess either"
        );
    }
}
