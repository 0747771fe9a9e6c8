//! What is removed stays removed, in every order in which threads can run: the engine's own code under loom, which tries
//! them all, and with them every older value that the memory orderings let a load see.
//!
//! A removal is a revocation, or a key set without the key. It meets verifies that are under way: of tokens that are new,
//! that lie in the table of all threads or in a thread's own, that evict each other. Once it has returned, no verify that
//! starts later accepts, on any thread. See CONTRIBUTING.md for the command.
//!
//! Loom tries every order with at most [`PREEMPTIONS`] involuntary switches between threads; the environment variable
//! `LOOM_MAX_PREEMPTIONS` sets another number.
#![cfg(tollgate_model)]

mod api_keys;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread::{Builder, JoinHandle};

/// Two find what was put in to try this: a stamp read after the check instead of before, in the engine's three places
/// that make one; a generation that goes up before the change, or never; and a generation that is read without acquiring.
const PREEMPTIONS: usize = 2;

/// In words; loom's own are too small for a verify without optimisation.
const STACK: usize = 1 << 17;

/// Tries every order of the threads that `scenario` starts.
fn explore(name: &str, scenario: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.max_branches = 10_000;
    model.preemption_bound = model.preemption_bound.or(Some(PREEMPTIONS));
    let orders = Arc::new(AtomicUsize::new(0));
    let (counter, scenario) = (orders.clone(), Arc::new(scenario));
    model.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        let scenario = scenario.clone();
        // On a stack of its own size.
        thread(move || scenario()).join().unwrap();
    });
    println!("{name}: {} orders", orders.load(Ordering::Relaxed));
}

fn thread(run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    Builder::new().stack_size(STACK).spawn(run).unwrap()
}
