//! API keys: a look-up among many, beside one SHA-256 of the key.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ring::digest;
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord};
use tollgate_bench::SocketBuffer;

const SIZES: [usize; 2] = [1_000, 100_000];

fn api_key(c: &mut Criterion) {
    let format = KeyFormat::new("tg", "live").expect("a format");
    let new_key = || ApiKey::generate(&format).expect("random bytes");

    let keys: Vec<_> = (0..1024).map(|_| new_key()).collect();
    let mut next = keys.iter().cycle();
    c.bench_function("sha256/api_key", |b| {
        b.iter(|| digest::digest(&digest::SHA256, black_box(next.next().expect("endless").as_str().as_bytes())));
    });

    for size in SIZES {
        let table = ApiKeyTable::with_capacity(format.clone(), size);
        let keys: Vec<_> = (0..size)
            .map(|index| {
                let key = new_key();
                table.insert(key.digest(), KeyRecord::api_key(&format!("key-{index}"), "user-1").into());
                key.as_str().to_owned()
            })
            .collect();
        let engine = Engine::builder().api_keys(table).build().expect("a table is enough");
        let mut socket = SocketBuffer::new(keys);
        c.bench_function(&format!("api_key/{size}"), |b| {
            b.iter_custom(|iterations| socket.time(iterations, |key| drop(engine.verify(key).expect("a good key"))));
        });
    }
}

criterion_group!(benches, api_key);
criterion_main!(benches);
