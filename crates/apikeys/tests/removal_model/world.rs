//! The table of a scenario, and the calls that its threads make.

use std::iter;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicUsize;
use tollgate_apikeys::{ApiKey, ApiKeyTable, Digest, ForeignKey, KeyDigest, KeyFormat, TableEntry};

use crate::history::{Event, KEYS, Record, Records, Step, THREADS};

/// The contents when the threads start.
pub(crate) const BEFORE: Records = [Some(0), None];

/// The thread that reads. Its answers are checked against every call that it knows to have returned.
pub(crate) const READER: usize = 0;

/// A call of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// A call that is a single step.
    Make(Step),
    ReplaceAll(Records),
}

impl Call {
    /// The key that the call changes, or the first of several.
    pub(crate) fn key(self) -> usize {
        match self {
            Call::Make(Step::Insert(key, _)) => key,
            _ => 0,
        }
    }
}

/// The kind of keys in the table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    Native,
    Foreign,
}

pub(crate) struct World {
    table: ApiKeyTable<Record>,
    keys: [(String, KeyDigest); KEYS],
    /// How many steps of each thread are over.
    steps: [AtomicUsize; THREADS],
    /// The threads whose steps other threads read before they begin. Each such read multiplies the orders.
    watched: Vec<usize>,
}

impl World {
    pub(crate) fn new(origin: Origin, watched: Vec<usize>) -> Self {
        let format = KeyFormat::new("tg", "live").unwrap();
        let table = ApiKeyTable::new(format.clone());
        let keys = std::array::from_fn(|n| match origin {
            Origin::Native => {
                let key = ApiKey::danger_from_entropy(&format, &[n as u8; 32]);
                (key.as_str().to_owned(), KeyDigest::from(&key))
            }
            Origin::Foreign => {
                let text = format!("another-system's-key-8d2f0c71b6-{n}");
                let digest = table.foreign_digest(&ForeignKey::new(&format, text.as_bytes()).unwrap());
                (text, digest)
            }
        });
        let world = World { table, keys, steps: std::array::from_fn(|_| AtomicUsize::new(0)), watched };
        world.table.replace_all(world.entries(BEFORE));
        world
    }

    /// Makes the call as `thread` (a writer makes only one) and returns its events.
    pub(crate) fn call(&self, thread: usize, call: Call) -> Vec<Event> {
        let is_looked_at = |other| other != thread && (thread == READER || self.watched.contains(&other));
        let load = |other: usize| self.steps[other].load(Ordering::Acquire);
        let after = std::array::from_fn(|other| if is_looked_at(other) { load(other) } else { 0 });
        match call {
            Call::Make(step) => {
                let answer = self.make(step);
                self.steps[thread].store(1, Ordering::Release);
                vec![Event { step, answer, after }]
            }
            Call::ReplaceAll(records) => {
                // The table requests the first entry after the replacement has begun.
                let begun = iter::from_fn(|| {
                    self.steps[thread].store(1, Ordering::Release);
                    None
                });
                self.table.replace_all(begun.chain(self.entries(records)));
                self.steps[thread].store(2, Ordering::Release);
                [Step::BeginReplacing(records), Step::EndReplacing]
                    .map(|step| Event { step, answer: None, after })
                    .into()
            }
        }
    }

    fn make(&self, step: Step) -> Option<Record> {
        let record = |entry: TableEntry<Record>| *entry.record();
        match step {
            Step::Find(key) => self.table.find(self.keys[key].0.as_bytes()).ok().map(|found| *found.record()),
            Step::Insert(key, new) => self.table.insert(self.keys[key].1, new).map(record),
            Step::Add(key, number) => self.table.update(self.digest(key), |record| record + number).map(record),
            Step::Remove(key) => self.table.remove(self.digest(key)).map(record),
            Step::Retain { unless: (key, record) } => {
                let is_kept =
                    |entry: &TableEntry<Record>| (entry.digest(), entry.record()) != (self.digest(key), &record);
                Some(self.table.retain(is_kept) as Record)
            }
            Step::BeginReplacing(_) | Step::EndReplacing => unreachable!("the two are one call"),
        }
    }

    fn entries(&self, records: Records) -> impl Iterator<Item = (KeyDigest, Record)> {
        self.keys.iter().zip(records).filter_map(|((_, digest), record)| Some((*digest, record?)))
    }

    fn digest(&self, key: usize) -> &Digest {
        self.keys[key].1.digest()
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}
