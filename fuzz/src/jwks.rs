use tollgate::KeySet;
use tollgate::keys::limits::MAX_KEYS;

/// What loads does so the same way again, within the limit, and its keys refuse a signature of zeros.
pub fn jwks(data: &[u8]) {
    let Ok(builder) = KeySet::builder().jwks(data) else { return };
    let loaded = builder.build_with_reports();
    assert!(loaded.set.len() <= MAX_KEYS && loaded.set.len() <= loaded.reports.len() * 2);
    let again = KeySet::builder().jwks(data).expect("loaded once").build_with_reports();
    assert!(loaded.set.len() == again.set.len() && again.set.iter().all(|key| loaded.set.contains(key)));
    for key in loaded.set.iter().take(4) {
        for length in [0, 32, 64, 96, 256] {
            assert!(key.verify(b"message", &vec![0; length]).is_err());
        }
    }
}
