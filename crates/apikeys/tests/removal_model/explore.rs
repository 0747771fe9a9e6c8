//! Runs a scenario once in every order of its threads. The model check of the engine includes this file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread::{Builder, JoinHandle};

/// The most involuntary switches between threads in one order. The environment variable `LOOM_MAX_PREEMPTIONS` sets
/// another number.
///
/// CONTRIBUTING.md lists the defects that two were seen to find.
const PREEMPTIONS: usize = 2;

/// In words. loom's default stacks are too small for unoptimised code.
const STACK: usize = 1 << 17;

/// Tries every order of the threads that `scenario` starts.
pub(crate) fn explore(name: &str, scenario: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.max_branches = 10_000;
    model.preemption_bound = model.preemption_bound.or(Some(PREEMPTIONS));
    let orders = Arc::new(AtomicUsize::new(0));
    let (counter, scenario) = (orders.clone(), Arc::new(scenario));
    model.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        let scenario = scenario.clone();
        // Needs a larger stack too.
        thread(move || scenario()).join().unwrap();
    });
    println!("{name}: {} orders", orders.load(Ordering::Relaxed));
}

pub(crate) fn thread<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().stack_size(STACK).spawn(run).unwrap()
}
