use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tollgate::{Algorithm, Engine, Issuer, KeyRing, KeySet};
use tollgate_issuer::SigningKey;
use tollgate_tests::{AUDIENCE, ISSUER, signing_key};

/// The time between two replacements: 1,000 a second.
const INTERVAL: Duration = Duration::from_millis(1);

/// A key ring like that of an identity provider, and the document that its refresher would publish.
pub struct RotatingKeys {
    /// One of the Ed25519 keys.
    pub signing_key: SigningKey,
    ring: KeyRing,
    jwks: String,
}

impl RotatingKeys {
    /// Two Ed25519 keys, one ES256 key and one RS256 key.
    ///
    /// # Panics
    /// Never: the test keys are good.
    #[must_use]
    pub fn new() -> Self {
        let keys = [(Algorithm::EdDSA, 0), (Algorithm::EdDSA, 1), (Algorithm::ES256, 0), (Algorithm::RS256, 0)]
            .map(|(algorithm, index)| signing_key(algorithm, index));
        let public: Vec<String> = keys.iter().map(|key| key.public_jwk().expect("a public key").to_string()).collect();
        let jwks = format!(r#"{{"keys":[{}]}}"#, public.join(","));
        let [signing_key, ..] = keys;
        RotatingKeys { ring: KeyRing::new(read(&jwks)), jwks, signing_key }
    }

    /// An issuer whose keys these are.
    #[must_use]
    pub fn issuer(&self) -> Issuer {
        Issuer::new(ISSUER).audience(AUDIENCE).keys(self.ring.clone())
    }

    /// An engine of that issuer, without a cache.
    ///
    /// # Panics
    /// Never: an issuer is enough to build an engine.
    #[must_use]
    pub fn cold_engine(&self) -> Engine {
        Engine::builder().issuer(self.issuer()).no_cache().build().expect("an issuer is enough")
    }

    /// Starts another thread that parses the set and replaces it, 1,000 times a second, until the value is dropped.
    #[must_use]
    pub fn swap(&self) -> Swaps {
        let stop = Arc::new(AtomicBool::new(false));
        let (ring, jwks, stopped) = (self.ring.clone(), self.jwks.clone(), stop.clone());
        let thread = thread::spawn(move || {
            let mut next = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                ring.replace(read(&jwks));
                next += INTERVAL;
                thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        });
        Swaps { stop, thread: Some(thread) }
    }

    /// How often the set was replaced so far.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.ring.generation()
    }
}

impl Default for RotatingKeys {
    fn default() -> Self {
        RotatingKeys::new()
    }
}

/// The thread that replaces the set; stops on drop.
pub struct Swaps {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Swaps {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the replacing thread does not panic");
        }
    }
}

fn read(jwks: &str) -> KeySet {
    KeySet::builder().jwks(jwks.as_bytes()).expect("a key set").build().expect("usable keys")
}
