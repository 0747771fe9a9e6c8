//! Everything that can be taken away while an engine runs, against a model of a few maps.

mod keys;
mod operations;
mod revoked;
mod world;

use operations::Operations;
use world::World;

/// After each operation an engine with a cache gives each credential the verdict that the model gives it: what was removed
/// is rejected from then on, and nothing else is.
pub fn tables(data: &[u8]) {
    let mut world = World::new();
    world.assert_verdicts();
    let mut operations = Operations::new(data);
    // Each costs some twenty verifies, and what goes wrong does so within a few.
    for _ in 0..24 {
        if operations.is_empty() {
            break;
        }
        world.apply(&mut operations);
        world.assert_verdicts();
    }
}
