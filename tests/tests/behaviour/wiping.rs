//! The copies of tokens that a process keeps in memory: a child verifies, and its parent searches the child's memory
//! for the signatures. All of it but the stacks is searched, freed memory included.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use tollgate::jwt::base64url;
use tollgate::{Algorithm, ApiKey, ApiKeyTable, CacheConfig, Engine, KeyFormat, KeyRecord, Principal};
use tollgate_tests::{Draft, NOW, issuer, signing_key};

/// The environment variable that selects the child's part.
const PART: &str = "TOLLGATE_WIPING";

#[test]
fn a59_after_a_verify_no_buffer_holds_a_signature() {
    let [good, other] = [0, 1].map(token);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let of_other = format!("{input}.{}", other.rsplit_once('.').unwrap().1);
    // The last character is not base64url, and the ones before are a whole signature.
    let malformed = format!("{input}.{signature}!");
    let too_long = format!("{input}.{signature}AAAA");
    for (text, is_accepted) in [(&good, true), (&of_other, false), (&malformed, false), (&too_long, false)] {
        let mut observed = Observed::start("verify");
        observed.send(text);
        assert_eq!(observed.answer(), is_accepted.to_string());
        assert_eq!(observed.signatures_of(text), 0, "{}", if is_accepted { "accepted" } else { "rejected" });
    }
}

#[test]
fn a59_a_principal_takes_its_token_along() {
    let token = token(0);
    let mut observed = Observed::start("principal");
    observed.send(&token);
    assert_eq!(observed.answer(), "kept");
    assert!(observed.signatures_of(&token) > 0, "this test would find none anywhere");
    observed.send("");
    assert_eq!(observed.answer(), "dropped");
    assert_eq!(observed.signatures_of(&token), 0);
}

#[test]
fn a59_an_owned_principal_keeps_no_signature() {
    let token = token(0);
    let mut observed = Observed::start("owned");
    observed.send(&token);
    assert_eq!(observed.answer(), "kept");
    assert_eq!(observed.signatures_of(&token), 0);
}

#[test]
fn a59_a_token_is_wiped_when_it_is_evicted() {
    let first = token(0);
    let mut observed = Observed::start("evict");
    observed.send(&first);
    assert_eq!(observed.answer(), "cached");
    assert!(observed.signatures_of(&first) > 0, "it was not cached");
    // Others, of another size, so that they do not reuse the same place.
    for index in 1..30 {
        observed.send(&padded_token(index, &"x".repeat(2_000)));
        assert_eq!(observed.answer(), "cached");
    }
    assert_eq!(observed.signatures_of(&first), 0);
}

#[test]
fn a59_a_thread_wipes_what_it_kept_of_a_dropped_engine_at_its_next_verify_with_any() {
    let token = token(0);
    let mut observed = Observed::start("drop-then-verify");
    observed.send(&token);
    assert_eq!(observed.answer(), "engine dropped");
    assert!(observed.signatures_of(&token) > 0, "the thread had kept nothing");
    observed.send("");
    assert_eq!(observed.answer(), "thread verified an API key");
    assert_eq!(observed.signatures_of(&token), 0);
}

#[test]
fn a59_a_thread_wipes_what_it_kept_at_its_end() {
    let token = token(0);
    let mut observed = Observed::start("drop-then-end");
    observed.send(&token);
    assert_eq!(observed.answer(), "engine dropped");
    assert!(observed.signatures_of(&token) > 0, "the thread had kept nothing");
    observed.send("");
    assert_eq!(observed.answer(), "thread ended");
    assert_eq!(observed.signatures_of(&token), 0);
}

fn token(index: usize) -> String {
    padded_token(index, "")
}

fn padded_token(index: usize, pad: &str) -> String {
    let key = signing_key(Algorithm::RS256, 0);
    Draft::new(&key).claim("jti", format!("token-{index}")).claim("pad", pad).sign(&key)
}

/// A child of this process, which runs [`child`].
struct Observed {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// An address in each of the child's stacks.
    stacks: Vec<u64>,
}

impl Observed {
    fn start(part: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "wiping::child", "--ignored", "--nocapture"])
            .env(PART, part)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Observed { child, to, from, stacks: Vec::new() }
    }

    fn send(&mut self, text: &str) {
        self.to.write_all(&(text.len() as u32).to_le_bytes()).unwrap();
        self.to.write_all(text.as_bytes()).unwrap();
    }

    /// The child's next message.
    fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the child has ended");
            if let Some((address, answer)) = line.trim_end().strip_prefix(SAID).and_then(|said| said.split_once(' ')) {
                self.stacks.push(address.parse().unwrap());
                return answer.to_owned();
            }
        }
    }

    /// How often a part of the signature of `token` occurs in the child's memory, encoded or decoded.
    fn signatures_of(&self, token: &str) -> usize {
        let encoded = token.rsplit_once('.').unwrap().1.as_bytes();
        let mut decoded = Vec::new();
        base64url::decode(&encoded[..340], &mut decoded).unwrap();
        let parts =
            [encoded, &decoded].map(|whole| [0, 100, 200, whole.len() - 24].map(|start| &whole[start..start + 24]));
        let process = self.child.id();
        let memory = File::open(format!("/proc/{process}/mem")).unwrap();
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        let regions = maps.lines().filter_map(writable_region);
        regions.map(|(start, end)| self.search(&memory, start, end, parts.as_flattened())).sum()
    }

    fn search(&self, memory: &File, start: u64, end: u64, parts: &[&[u8]]) -> usize {
        const STACK_BYTES: u64 = 2 << 20;
        let is_stack = |address: u64| {
            self.stacks.iter().any(|stack| (stack.saturating_sub(STACK_BYTES)..stack + (64 << 10)).contains(&address))
        };
        let mut found = 0;
        for page in (start..end).step_by(4096).filter(|page| !is_stack(*page)) {
            // And the beginning of the next page, for text that lies in both. The last page has none, or the next one
            // is gone.
            let mut bytes = vec![0; 4096 + 23];
            let length = memory.read_at(&mut bytes, page).unwrap_or(0);
            if bytes[..length].iter().all(|byte| *byte == 0) {
                continue;
            }
            found += parts.iter().filter(|part| bytes[..length].windows(24).any(|window| window == **part)).count();
        }
        found
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The addresses in a line of `/proc/PID/maps`, for writable memory that belongs to no file.
fn writable_region(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.split_ascii_whitespace();
    let (addresses, access) = (fields.next()?, fields.next()?);
    let name = fields.nth(3).unwrap_or_default();
    if !access.starts_with("rw") || name == "[stack]" || name.starts_with('/') {
        return None;
    }
    let (start, end) = addresses.split_once('-')?;
    Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
}

/// The beginning of a line from the child to its parent.
const SAID: &str = "wiping: ";

#[test]
#[ignore = "a part of the tests above, which run it in a process of its own"]
fn child() {
    let Ok(part) = std::env::var(PART) else { return };
    let key = signing_key(Algorithm::RS256, 0);
    let builder = || Engine::builder().issuer(issuer([&key]));
    // Unbuffered: otherwise the token would be found in the buffer.
    let mut parent = File::open("/dev/stdin").unwrap();
    match &*part {
        "verify" => {
            let engine = builder().no_cache().build().unwrap();
            say(verify_next(&engine, &mut parent).is_some());
        }
        "principal" => {
            let principal = verify_next(&builder().no_cache().build().unwrap(), &mut parent).unwrap();
            say("kept");
            receive(&mut parent);
            drop(principal);
            say("dropped");
        }
        "owned" => {
            let principal = verify_next(&builder().no_cache().build().unwrap(), &mut parent).unwrap().into_owned();
            say("kept");
            receive(&mut parent);
            assert!(principal.subject().is_some());
        }
        "evict" => {
            let small = CacheConfig { bytes: 16 << 10, per_thread_slots: 1, ..CacheConfig::default() };
            let engine = builder().cache(small).build().unwrap();
            while verify_next(&engine, &mut parent).is_some() {
                say("cached");
            }
        }
        _ => drop_engine(builder().build().unwrap().into(), &mut parent, part == "drop-then-verify"),
    }
    // Until the parent is done.
    receive(&mut parent);
}

/// Verifies a token in a thread until the thread has its own copy, drops the engine, and then has the thread verify
/// another kind of credential with another engine, or end.
fn drop_engine(engine: Arc<Engine>, parent: &mut File, has_to_verify: bool) {
    let (to_thread, work) = channel::<Box<dyn FnOnce() + Send>>();
    let (tell, done) = channel();
    let worker = thread::spawn(move || work_off(&work, &tell));
    let run = |work: Box<dyn FnOnce() + Send>| {
        to_thread.send(work).unwrap();
        done.recv().unwrap();
    };
    let text = receive(parent);
    let verifying = engine.clone();
    run(Box::new(move || {
        let mut text = text;
        assert!((0..5).all(|_| verifying.verify_at(&text, NOW).is_ok()));
        assert!(verifying.cache_statistics().unwrap().front_hits > 0);
        wipe(&mut text);
    }));
    drop(engine);
    run(Box::new(|| say("engine dropped")));
    receive(parent);
    if has_to_verify {
        run(Box::new(verify_an_api_key));
        say("thread verified an API key");
        // The thread lives on while the parent searches.
        receive(parent);
    } else {
        end(worker, to_thread);
        say("thread ended");
    }
}

fn work_off(work: &Receiver<Box<dyn FnOnce() + Send>>, tell: &Sender<()>) {
    for work in work {
        work();
        tell.send(()).unwrap();
    }
}

fn end(worker: JoinHandle<()>, to_thread: Sender<Box<dyn FnOnce() + Send>>) {
    drop(to_thread);
    worker.join().unwrap();
}

fn verify_an_api_key() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let (key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(&key, KeyRecord::api_key("key-1", "user-1"));
    assert!(Engine::builder().api_keys(table).build().unwrap().verify_at(key.as_str(), NOW).is_ok());
}

/// Verifies the parent's next message, and wipes it.
fn verify_next(engine: &Engine, parent: &mut File) -> Option<Principal> {
    let mut text = receive(parent);
    let verified = engine.verify_at(&text, NOW).ok();
    wipe(&mut text);
    verified
}

fn receive(parent: &mut File) -> Vec<u8> {
    let mut length = [0; 4];
    // The parent has ended its part.
    if parent.read_exact(&mut length).is_err() {
        return Vec::new();
    }
    let mut text = vec![0; u32::from_le_bytes(length) as usize];
    parent.read_exact(&mut text).unwrap();
    text
}

fn wipe(text: &mut [u8]) {
    text.fill(0);
    std::hint::black_box(text);
}

/// Sends `what` to the parent, with the address of this thread's stack.
fn say(what: impl std::fmt::Display) {
    let here = 0_u8;
    println!("\n{SAID}{} {what}", std::ptr::from_ref(std::hint::black_box(&here)) as usize);
}
