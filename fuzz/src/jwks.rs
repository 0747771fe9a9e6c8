use tollgate::KeySet;
use tollgate::keys::limits::MAX_KEYS;
use tollgate::keys::{KeySetBuilder, NotAKeyFile};

/// A document that loads does so again with the same result, within the limits, and its keys reject a signature of
/// zeros. A document loaded twice is one set: equal keys are one. Every key is used, or refused with a reason that fits
/// into a log line.
///
/// Covers both published forms: a JWK set, and certificates by key id.
pub fn jwks(data: &[u8]) {
    check(|builder| builder.jwks(data));
    check(|builder| builder.certificates(data));
}

fn check(read: impl Fn(KeySetBuilder) -> Result<KeySetBuilder, NotAKeyFile>) {
    let Ok(builder) = read(KeySet::builder()) else { return };
    let loaded = builder.build_with_reports();
    assert!(loaded.set.len() <= MAX_KEYS && loaded.set.len() <= loaded.reports.len() * 2);
    let again = read(KeySet::builder()).expect("loaded once").build_with_reports();
    assert!(loaded.set.len() == again.set.len() && again.set.iter().all(|key| loaded.set.contains(key)));
    let twice = read(KeySet::builder()).and_then(&read);
    if let Ok(twice) = twice.map(KeySetBuilder::build_with_reports) {
        assert!(twice.set.len() == again.set.len() && twice.set.iter().all(|key| again.set.contains(key)));
    }
    for report in &loaded.reports {
        assert_eq!(report.refused.is_none(), !report.algs.is_empty());
        let text = report.to_string();
        assert!(text.len() <= 1024 && !text.contains(char::is_control), "{text:?}");
    }
    for key in loaded.set.iter().take(4) {
        for length in [0, 32, 64, 96, 256] {
            assert!(key.verify(b"message", &vec![0; length]).is_err());
        }
    }
}
