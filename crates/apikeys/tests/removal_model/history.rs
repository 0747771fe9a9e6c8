//! The table's guarantees in their plainest form: a single-threaded table, and a search for an order of steps in which
//! it would have given the same answers.

/// Keys in a scenario.
pub(crate) const KEYS: usize = 2;

/// One reads, up to three write.
pub(crate) const THREADS: usize = 4;

pub(crate) type Record = u32;

/// The record of each key.
pub(crate) type Records = [Option<Record>; KEYS];

/// An atomic step. Keys are named by their index.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Step {
    Find(usize),
    Insert(usize, Record),
    /// An update, which adds a number to the record.
    Add(usize, Record),
    Remove(usize),
    /// A `retain` that removes a key if it has this record.
    Retain {
        unless: (usize, Record),
    },
    /// A replacement of everything begins: changes from here on hold in the new contents too.
    BeginReplacing(Records),
    EndReplacing,
}

/// A completed step of a thread.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Event {
    pub(crate) step: Step,
    /// The record that was found, displaced or made; for a `retain`, how many keys it removed.
    pub(crate) answer: Option<Record>,
    /// How many steps of each thread were known to be over before this step began.
    pub(crate) after: [usize; THREADS],
}

/// The events of each thread, in order.
pub(crate) type History = [Vec<Event>; THREADS];

/// Whether a single-threaded table could have given these answers in some order of the steps. The order keeps each
/// thread's order, and puts no step before one that was over when it began.
pub(crate) fn is_explained(before: Records, history: &History) -> bool {
    search(&Reference { now: before, next: None }, history, [0; THREADS])
}

/// `made`: how many steps of each thread `reference` has already applied.
fn search(reference: &Reference, history: &History, made: [usize; THREADS]) -> bool {
    if history.iter().zip(made).all(|(events, made)| events.len() == made) {
        return true;
    }
    (0..THREADS).any(|thread| {
        let Some(event) = history[thread].get(made[thread]) else { return false };
        let (mut reference, mut made) = (reference.clone(), made);
        let may_come = event.after.iter().zip(made).all(|(after, made)| *after <= made);
        made[thread] += 1;
        may_come && reference.make(event.step) == Some(event.answer) && search(&reference, history, made)
    })
}

#[derive(Clone)]
struct Reference {
    now: Records,
    /// During a replacement: the new contents.
    next: Option<Records>,
}

impl Reference {
    /// Applies a step and returns its answer; `None` if the step has to wait for the end of a replacement.
    fn make(&mut self, step: Step) -> Option<Option<Record>> {
        Some(match step {
            Step::Find(key) => self.now[key],
            Step::Insert(key, record) => {
                if let Some(next) = &mut self.next {
                    next[key] = Some(record);
                }
                self.now[key].replace(record)
            }
            Step::Add(key, number) => {
                let sum = self.now[key].map(|record| record + number);
                if let Some(next) = &mut self.next {
                    // A key that the new contents lack is not created.
                    next[key] = next[key].and(sum.or(next[key]));
                }
                self.now[key] = sum;
                sum
            }
            Step::Remove(key) => {
                if let Some(next) = &mut self.next {
                    next[key] = None;
                }
                self.now[key].take()
            }
            Step::Retain { unless: (key, record) } => {
                if self.next.is_some() {
                    return None;
                }
                Some(self.now[key].take_if(|now| *now == record).is_some().into())
            }
            Step::BeginReplacing(next) => {
                if self.next.replace(next).is_some() {
                    return None;
                }
                None
            }
            Step::EndReplacing => {
                self.now = self.next.take()?;
                None
            }
        })
    }
}
