//! User code that the engine calls may itself verify.

use std::cell::RefCell;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use tollgate::keys::{KeyRefresher, Refreshed};
use tollgate::{Algorithm, Engine, KeyRing};
use tollgate_tests::{Draft, NOW, engine, issuer, key_set, signing_key};

#[test]
fn a62_a_refresher_that_verifies_gets_an_answer() {
    let (known, unknown) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::ES256, 1));
    let refresher = Arc::new(Verifies {
        engine: OnceLock::new(),
        token: Draft::new(&known).sign(&known),
        answers: Mutex::default(),
    });
    let ring = KeyRing::with_refresher(key_set([&known]), refresher.clone());
    let engine = Arc::new(Engine::builder().issuer(issuer([]).keys(ring)).build().unwrap());
    refresher.engine.set(engine.clone()).unwrap();
    let asked = Draft::new(&unknown).sign(&unknown);
    for _ in 0..4 {
        assert_eq!(engine.verify_at(asked.as_bytes(), NOW).unwrap_err().code(), "unknown-key");
    }
    let told = (Some(unknown.kid().to_owned()), true);
    assert_eq!(*refresher.answers.lock().unwrap(), [told.clone(), told.clone(), told.clone(), told]);
    // Both used the thread's table of the cache.
    assert!(engine.cache_statistics().unwrap().front_hits > 0);
}

/// Verifies a valid token whenever it is told of an unknown key.
struct Verifies {
    engine: OnceLock<Arc<Engine>>,
    token: String,
    answers: Mutex<Vec<(Option<String>, bool)>>,
}

impl KeyRefresher for Verifies {
    fn unknown_key(&self, kid: Option<&str>) {
        let is_accepted = self.engine.get().unwrap().verify_at(self.token.as_bytes(), NOW).is_ok();
        self.answers.lock().unwrap().push((kid.map(str::to_owned), is_accepted));
    }

    fn refreshed<'r>(&'r self, _: Option<&'r str>) -> Option<Refreshed<'r>> {
        None
    }
}

#[test]
fn a62_a_clock_that_verifies_gets_an_answer() {
    let key = signing_key(Algorithm::ES256, 0);
    let (inner, token) = (engine([&key]), Draft::new(&key).sign(&key));
    let for_the_clock = token.clone();
    let outer = Engine::builder()
        .issuer(issuer([&key]))
        .clock(move || inner.verify_at(for_the_clock.as_bytes(), NOW).map_or(0, |_| NOW))
        .build()
        .unwrap();
    for _ in 0..4 {
        assert!(outer.verify(token.as_bytes()).is_ok());
    }
}

thread_local! {
    static LAST_WORDS: RefCell<Option<LastWords>> = const { RefCell::new(None) };
}

/// Verifies when its thread ends.
struct LastWords {
    engine: Arc<Engine>,
    header: String,
    answers: Sender<Result<(), &'static str>>,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        for _ in 0..4 {
            let answer = self.engine.verify_at(self.header.as_bytes(), NOW);
            self.answers.send(answer.map(drop).map_err(|rejection| rejection.code())).unwrap();
        }
    }
}

#[test]
fn a62_a_destructor_of_thread_local_storage_that_verifies_gets_an_answer() {
    let (key, stranger) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::ES256, 0));
    let engine = Arc::new(engine([&key]));
    for (signer, expected) in [(&key, Ok(())), (&stranger, Err("bad-signature"))] {
        let header = format!("Bearer {}", Draft::new(signer).sign(signer));
        // The destructors of a thread run in some order: the engine's state is destroyed first, or last, or never
        // existed.
        for order in [&["set", "verify"][..], &["verify", "set"], &["set"]] {
            let (answers, received) = channel();
            let words = LastWords { engine: engine.clone(), header: header.clone(), answers };
            let run = move || {
                let mut words = Some(words);
                for step in order {
                    match *step {
                        "set" => LAST_WORDS.set(words.take()),
                        _ => drop(words.as_ref().map_or_else(
                            || LAST_WORDS.with_borrow(|words| words.as_ref().map(verify)),
                            |words| Some(verify(words)),
                        )),
                    }
                }
            };
            thread::spawn(run).join().unwrap();
            assert_eq!(received.iter().collect::<Vec<_>>(), [expected; 4], "{order:?}");
        }
    }
}

fn verify(words: &LastWords) -> bool {
    words.engine.verify_at(words.header.as_bytes(), NOW).is_ok()
}
