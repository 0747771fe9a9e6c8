use std::sync::Arc;

use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord};

use crate::path::{INPUTS, Path};

/// The paths of API keys and other secrets of the table.
pub(crate) fn paths() -> Vec<Path> {
    let format = KeyFormat::new("tg", "live").expect("a format");
    let new_key = || ApiKey::generate(&format).expect("random bytes");
    let keys: Vec<ApiKey> = (0..1_000).map(|_| new_key()).collect();
    let table = Arc::new(ApiKeyTable::builder(format.clone()).capacity(keys.len() + INPUTS).build());
    for (index, key) in keys.iter().enumerate() {
        table.insert(key, KeyRecord::api_key(&format!("key-{index}"), "user-1"));
    }
    let engine = || Engine::builder().api_keys(table.clone()).build().expect("a table is enough");
    let texts = |keys: &[ApiKey]| keys[..INPUTS].iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>();
    let strangers: Vec<ApiKey> = (0..INPUTS).map(|_| new_key()).collect();
    let mistyped = texts(&keys).into_iter().map(|key| key.replacen("_2", "_2z", 1)[..key.len()].to_owned()).collect();
    vec![
        Path::accepted("api-key/known", engine(), texts(&keys)),
        Path::rejected("reject/unknown-api-key", engine(), texts(&strangers)),
        Path::rejected("reject/malformed-api-key", engine(), mistyped),
    ]
}
