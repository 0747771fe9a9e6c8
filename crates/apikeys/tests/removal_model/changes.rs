//! Changes of every kind at once, while a thread reads.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use crate::explore::{explore, thread};
use crate::history::{History, KEYS, Step, is_explained};
use crate::world::{BEFORE, Call, Origin, READER, World};

const REMOVE: Call = Call::Make(Step::Remove(0));
const RETAIN: Call = Call::Make(Step::Retain { unless: (0, 0) });
const UPDATE: Call = Call::Make(Step::Add(0, 1));
const INSERT: Call = Call::Make(Step::Insert(0, 10));
const INSERT_ANOTHER: Call = Call::Make(Step::Insert(1, 11));
const REPLACE_WITH: Call = Call::ReplaceAll([Some(20), None]);
const REPLACE_WITHOUT: Call = Call::ReplaceAll([None, Some(21)]);

const CALLS: [Call; 7] = [REMOVE, RETAIN, UPDATE, INSERT, INSERT_ANOTHER, REPLACE_WITH, REPLACE_WITHOUT];

/// Tries every order of the threads: one thread per call and one that reads.
fn explore_calls(origin: Origin, calls: &[Call]) {
    let (name, calls) = (format!("{origin:?}, {calls:?}"), calls.to_vec());
    let explained = Mutex::new(HashSet::new());
    explore(&name, move || {
        // Changes made during a replacement hold after it.
        let is_replacement = |(call, _): &(&Call, usize)| matches!(call, Call::ReplaceAll(_));
        let replacing = calls.iter().zip(1..).filter(is_replacement).map(|(_, number)| number).collect();
        let world = Arc::new(World::new(origin, replacing));
        let mut history = History::default();
        let threads = calls.iter().copied().zip(1..).map(|(call, number)| {
            let world = world.clone();
            thread(move || world.call(number, call))
        });
        let threads: Vec<_> = threads.collect();
        let find = |key| world.call(READER, Call::Make(Step::Find(key)));
        history[READER] = find(calls[0].key());
        for (thread, events) in threads.into_iter().zip(&mut history[1..]) {
            *events = thread.join().unwrap();
        }
        let there: Vec<_> = (0..KEYS).flat_map(find).collect();
        assert_eq!(world.len(), there.iter().filter(|find| find.answer.is_some()).count());
        history[READER].extend(there);
        let is_new = explained.lock().unwrap().insert(history.clone());
        assert!(!is_new || is_explained(BEFORE, &history), "no order of steps explains {history:#?}");
    });
}

/// Runs the call with each of all calls, with keys of either origin.
fn explore_pairs(call: Call) {
    for other in CALLS {
        explore_calls(Origin::Native, &[call, other]);
        explore_calls(Origin::Foreign, &[call, other]);
    }
}

#[test]
fn a54_a_removal_beside_each_other_change() {
    explore_pairs(REMOVE);
}

#[test]
fn a54_a_retain_beside_each_other_change() {
    explore_pairs(RETAIN);
}

#[test]
fn a54_a_replacement_beside_each_other_change() {
    explore_pairs(REPLACE_WITH);
    explore_pairs(REPLACE_WITHOUT);
}

#[test]
fn a55_an_update_beside_each_other_change() {
    explore_pairs(UPDATE);
}

#[test]
fn an_insertion_beside_each_other_change() {
    explore_pairs(INSERT);
    explore_pairs(INSERT_ANOTHER);
}

#[test]
fn a54_a_removal_beside_two_other_changes() {
    for others in
        [[INSERT, REPLACE_WITH], [UPDATE, REPLACE_WITH], [RETAIN, REPLACE_WITH], [REPLACE_WITHOUT, REPLACE_WITH]]
    {
        explore_calls(Origin::Native, &[REMOVE, others[0], others[1]]);
    }
}

#[test]
fn a55_an_update_beside_two_other_changes() {
    for others in [[UPDATE, REPLACE_WITH], [INSERT, REMOVE], [RETAIN, REPLACE_WITH]] {
        explore_calls(Origin::Native, &[UPDATE, others[0], others[1]]);
    }
}
