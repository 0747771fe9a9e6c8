//! Events for a log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tollgate::{Algorithm, Engine};
use tollgate_telemetry::Trace;
use tollgate_tests::{Draft, ISSUER, NOW, issuer, signing_key};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;

    fn make_writer(&self) -> Log {
        self.clone()
    }
}

/// The log of a valid token and one for another audience, both of `user-1`.
fn logged(trace: Trace) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let key = signing_key(Algorithm::HS256, 0);
    let engine =
        Engine::builder().issuer(issuer([&key])).untimed_observer(move |seen| trace.record(seen)).build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        assert!(engine.verify_at(Draft::new(&key).sign(&key), NOW).is_ok());
        assert!(engine.verify_at(Draft::new(&key).claim("aud", "somewhere-else").sign(&key), NOW).is_err());
    });
    let logged = log.0.lock().unwrap().clone();
    String::from_utf8(logged).unwrap()
}

#[test]
fn a_rejection_is_one_event_without_personal_data() {
    let logged = logged(Trace::new());
    assert_eq!(logged.lines().count(), 1, "{logged}");
    assert!(logged.contains("INFO tollgate::verify: rejected"), "{logged}");
    assert!(logged.contains(r#"error.type="wrong-audience""#), "{logged}");
    assert!(logged.contains(ISSUER) && logged.contains("status=401"), "{logged}");
    for personal in ["user-1", "somewhere-else", "client-1", "token-1"] {
        assert!(!logged.contains(personal), "{logged}");
    }
}

#[test]
fn personal_data_and_accepted_credentials_are_told_of_when_asked_for() {
    let logged = logged(Trace::new().accepted(true).personal_data(true));
    assert_eq!(logged.lines().count(), 2, "{logged}");
    assert!(
        logged.contains("TRACE tollgate::verify: accepted") && logged.contains(r#"enduser.id="user-1""#),
        "{logged}"
    );
    assert!(logged.contains("somewhere-else"), "{logged}");
}
