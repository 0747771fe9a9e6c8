//! Everything that can be removed from a running engine, compared with a model of a few maps.

mod keys;
mod operations;
mod revoked;
mod world;

use operations::Operations;
use world::World;

/// After each operation an engine with a cache has the model's verdict on each credential: a removed credential is
/// rejected from then on, and no other is.
pub fn tables(data: &[u8]) {
    let mut world = World::new();
    world.assert_verdicts();
    let mut operations = Operations::new(data);
    // Each costs about twenty verifies, and faults show within a few.
    for _ in 0..24 {
        if operations.is_empty() {
            break;
        }
        world.apply(&mut operations);
        world.assert_verdicts();
    }
}
