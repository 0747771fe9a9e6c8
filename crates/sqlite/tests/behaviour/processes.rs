//! Several processes on one store: killed during writes, and visible to each other at once.

use crate::support::{Store, format, id, key, secret, wait};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tollgate::{ApiKeyTable, Engine, Revocations};
use tollgate_sqlite::SqliteKeyStore;
use tollgate_storage::{Change, Command, Follower, KeyStore, Position, RevocationKind, Since, StoredRevocation};

const KILLS: u64 = 100;
/// More writes than fit into a round.
const WRITES_PER_ROUND: u64 = 100_000;
const ROLE: &str = "TOLLGATE_STORE_TEST_ROLE";
const FOLDER: &str = "TOLLGATE_STORE_TEST_FOLDER";
const START: &str = "TOLLGATE_STORE_TEST_START";

#[test]
fn nothing_acknowledged_is_lost_and_nothing_half_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    for round in 0..KILLS {
        let start = round * WRITES_PER_ROUND;
        let mut child = spawn("writer", folder.path(), start);
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acks: Vec<_> = answers.by_ref().filter_map(|line| ack(&line.unwrap())).take(1).collect();
        // Another point of a write each time.
        sleep(Duration::from_micros(round * 7919 % 23_000));
        child.kill().unwrap();
        child.wait().unwrap();
        acks.extend(answers.map_while(Result::ok).filter_map(|line| ack(&line)));
        assert!(!acks.is_empty(), "round {round}: the writer has written");

        let store = Store::open(folder.path()).unwrap();
        check_round(&store, start, &acks);
        acknowledged.extend(acks);
        check_feed(&store, &acknowledged);
    }
    let file = rusqlite::Connection::open(Store::open(folder.path()).unwrap().file()).unwrap();
    let integrity: String = file.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    println!("{KILLS} kills, {} acknowledged writes", acknowledged.len());
}

/// Every acknowledged write is complete; the one in flight is complete or absent.
fn check_round(store: &Store, start: u64, acks: &[(u64, u64)]) {
    let (last, _) = *acks.last().unwrap();
    assert_eq!(last - start + 1, acks.len() as u64);
    for number in start..=last {
        assert_eq!(parts(store, number), [true; 3], "write {number} was acknowledged");
    }
    let under_way = parts(store, last + 1);
    assert!(under_way == [true; 3] || under_way == [false; 3], "write {} is {under_way:?}", last + 1);
    assert_eq!(parts(store, last + 2), [false; 3]);
}

fn parts(store: &Store, number: u64) -> [bool; 3] {
    let is_there = |number| match store.key(&id(number)).unwrap() {
        None => false,
        Some(found) => {
            assert_eq!(found, key(number));
            true
        }
    };
    let name = number.to_string();
    [
        is_there(number * 2),
        is_there(number * 2 + 1),
        store.revocation(RevocationKind::ApiKey, "", &name).unwrap().is_some(),
    ]
}

/// The feed has each acknowledged write under its number, and as many changes as the tables have rows.
fn check_feed(store: &Store, acknowledged: &BTreeMap<u64, u64>) {
    let Since::Changes(read) = store.changes_after(Position::START, usize::MAX).unwrap() else { panic!("compacted") };
    let changes: BTreeMap<u64, Change> = read.changes.into_iter().collect();
    for (number, sequence) in acknowledged.iter().rev().take(200) {
        let expected = Change::Revocation(StoredRevocation::new(RevocationKind::ApiKey, "", &number.to_string()));
        assert_eq!(changes[sequence], expected);
        assert_eq!(changes[&(sequence - 1)], Change::Key(key(number * 2 + 1)));
    }
    let (position, rows) = store.snapshot();
    assert_eq!((rows.len(), position.number), (changes.len(), *changes.last_key_value().unwrap().0));
}

#[test]
fn another_process_sees_a_change_within_200_ms() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (table, revocations) = (Arc::new(ApiKeyTable::new(format())), Revocations::new());
    let engine = Engine::builder().api_keys(table.clone()).revocations(revocations.clone()).build().unwrap();
    let follower = Follower::new(store.shared(), table, revocations).spawn().unwrap();
    assert!(follower.wait_for(0, Duration::from_secs(10)));

    let mut child = spawn("on-demand", folder.path(), 0);
    let (mut orders, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut answers = BufReader::new(answers).lines().map_while(Result::ok).filter_map(|line| ack(&line));
    let mut delays = Vec::new();
    for number in 0..20 {
        for (order, is_accepted) in [("add", true), ("revoke", false)] {
            writeln!(orders, "{order} {number}").unwrap();
            orders.flush().unwrap();
            let limit = Instant::now() + Duration::from_secs(10);
            while engine.verify(secret(number).as_str().as_bytes()).is_ok() != is_accepted {
                assert!(Instant::now() < limit, "{order} {number} is not seen at all");
                sleep(Duration::from_micros(500));
            }
            let seen = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let (_, written) = answers.next().unwrap();
            delays.push(seen.saturating_sub(Duration::from_nanos(written)));
        }
    }
    drop(orders);
    assert!(child.wait().unwrap().success());
    delays.sort_unstable();
    println!("seen after {:.1?} in the median, {:.1?} at most", delays[delays.len() / 2], delays[delays.len() - 1]);
    // The machine may stall once; the store may not.
    assert!(delays[delays.len() * 9 / 10] < Duration::from_millis(200), "{delays:?}");
}

#[test]
fn writers_of_two_processes_do_not_get_into_each_others_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut child = spawn("writer", folder.path(), WRITES_PER_ROUND);
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut theirs = answers.by_ref().filter_map(|line| ack(&line.unwrap()));
    let first = theirs.next().unwrap();
    for number in 0..50 {
        store.add_key(&key(number)).unwrap();
    }
    let later = theirs.next().unwrap();
    assert!(later > first);
    child.kill().unwrap();
    child.wait().unwrap();
    for number in 0..50 {
        assert_eq!(store.key(&id(number)).unwrap(), Some(key(number)));
    }
}

/// A process loses its `fcntl` locks on a file when it closes any descriptor of that file. If opening a store again did that,
/// an older `sqlite3 FILE '.backup COPY'` would remove the active log when it closes the file.
#[cfg(unix)]
#[test]
fn a_process_that_opens_a_store_twice_keeps_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(others_find_it_locked(folder.path()));
    let again = Store::open(folder.path()).unwrap();
    assert!(others_find_it_locked(folder.path()));
    drop(again);
    assert!(others_find_it_locked(folder.path()));
    drop(store);
    assert!(!others_find_it_locked(folder.path()));
}

/// A process does not see its own locks.
#[cfg(unix)]
fn others_find_it_locked(folder: &Path) -> bool {
    let child = spawn("look-at-locks", folder, 0).wait_with_output().unwrap();
    let (is_locked, _) = String::from_utf8(child.stdout).unwrap().lines().find_map(ack).unwrap();
    is_locked == 1
}

#[cfg(unix)]
fn is_locked(file: &Path) -> bool {
    use rustix::process::{Flock, FlockType, fcntl_getlk};
    let file = std::fs::File::open(file).unwrap();
    // From the beginning to any end of the file.
    fcntl_getlk(file, &Flock::from(FlockType::WriteLock)).unwrap().is_some()
}

fn spawn(role: &str, folder: &Path, start: u64) -> Child {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["processes::the_other_process", "--exact", "--nocapture"])
        .env(ROLE, role)
        .env(FOLDER, folder)
        .env(START, start.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn ack(line: &str) -> Option<(u64, u64)> {
    // Output of the test harness may be on the same line.
    let (_, numbers) = line.split_once("ack ")?;
    let (number, other) = numbers.split_once(' ')?;
    Some((number.parse().ok()?, other.strip_suffix('.')?.parse().ok()?))
}

fn answer(number: u64, other: u64) {
    // In one write that bypasses the harness, so that no partial line is read.
    let mut output = std::io::stdout().lock();
    output.write_all(format!("ack {number} {other}.\n").as_bytes()).unwrap();
    output.flush().unwrap();
}

/// Does nothing when it is run as a test.
#[test]
fn the_other_process() {
    let (Ok(role), Ok(folder)) = (std::env::var(ROLE), std::env::var(FOLDER)) else { return };
    let start: u64 = std::env::var(START).unwrap().parse().unwrap();
    #[cfg(unix)]
    if role == "look-at-locks" {
        return answer(is_locked(&SqliteKeyStore::file_in(Path::new(&folder))).into(), 0);
    }
    let store = Store::open(Path::new(&folder)).unwrap();
    if role == "writer" {
        for number in start..start + WRITES_PER_ROUND {
            let revocation = StoredRevocation::new(RevocationKind::ApiKey, "", &number.to_string());
            let add = |number| Command::AddKey { key: key(number), max: None };
            let revoke = Command::Revoke { revocation, with_opaque: false };
            let executed = wait(store.0.execute(vec![add(number * 2), add(number * 2 + 1), revoke])).unwrap();
            assert!(executed.outcomes.iter().all(Result::is_ok));
            answer(number, executed.position.number);
        }
        return;
    }
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let (order, number) = line.split_once(' ').unwrap();
        let number = number.parse().unwrap();
        if order == "add" {
            store.add_key(&key(number)).unwrap();
        } else {
            store.revoke_key(&id(number)).unwrap().unwrap();
        }
        answer(number, SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64);
    }
}
