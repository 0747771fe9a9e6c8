//! Behaviours of a provider, good and bad.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::server::{Behaviour, Peer, Request};

const JSON: &str = "Content-Type: application/json";

/// A good answer.
pub(crate) fn publishes(document: impl Into<String>) -> Behaviour {
    publishes_with(document, JSON)
}

/// An answer of status 200 with these fields.
pub(crate) fn publishes_with(document: impl Into<String>, fields: &str) -> Behaviour {
    let document = document.into();
    let length = format!("Content-Length: {}", document.len());
    let fields = if fields.is_empty() { length } else { format!("{fields}\r\n{length}") };
    sends(format!("HTTP/1.1 200 OK\r\n{fields}\r\nConnection: close\r\n\r\n{document}"))
}

/// Publishes a current document: the closure is called for each request.
pub(crate) fn publishes_current(document: impl Fn() -> String + Send + Sync + 'static) -> Behaviour {
    Arc::new(move |request, peer| publishes(document())(request, peer))
}

/// An answer of this status line and these fields, without a body.
pub(crate) fn answers_status(status: &str, fields: &str) -> Behaviour {
    sends(format!("HTTP/1.1 {status}\r\n{fields}Content-Length: 0\r\nConnection: close\r\n\r\n"))
}

/// Sends exactly these bytes, then closes the connection.
pub(crate) fn sends(bytes: impl Into<Vec<u8>>) -> Behaviour {
    let bytes = bytes.into();
    Arc::new(move |_, peer| {
        peer.write_all(&bytes)?;
        peer.flush()
    })
}

/// Sends these bytes, then nothing until the client gives up.
pub(crate) fn sends_and_hangs(bytes: impl Into<Vec<u8>>) -> Behaviour {
    let bytes = bytes.into();
    Arc::new(move |_, peer| {
        peer.write_all(&bytes)?;
        peer.flush()?;
        while peer.read(&mut [0; 64])? > 0 {}
        Ok(())
    })
}

pub(crate) fn hangs() -> Behaviour {
    sends_and_hangs("")
}

/// A good answer, byte by byte with this pause between them.
pub(crate) fn drips(document: impl Into<String>, pause: Duration) -> Behaviour {
    let document = document.into();
    Arc::new(move |_, peer| {
        write!(peer, "HTTP/1.1 200 OK\r\n{JSON}\r\nContent-Length: {}\r\n\r\n", document.len())?;
        for byte in document.bytes() {
            peer.write_all(&[byte])?;
            peer.flush()?;
            thread::sleep(pause);
        }
        Ok(())
    })
}

/// Waits for the gate to open, then does `behaviour`.
pub(crate) fn waits_for(gate: &Gate, behaviour: Behaviour) -> Behaviour {
    let gate = gate.clone();
    Arc::new(move |request, peer| {
        gate.wait();
        behaviour(request, peer)
    })
}

/// A gate that is closed until opened, and then stays open.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |open| !*open).unwrap());
    }
}

/// Alternates between two behaviours.
pub(crate) fn alternates(behaviours: [Behaviour; 2]) -> Behaviour {
    let turn = AtomicUsize::new(0);
    Arc::new(move |request, peer| behaviours[turn.fetch_add(1, Ordering::SeqCst) % 2](request, peer))
}

/// Sends the closure's document with the closure's `ETag`, or 304 if the client already has it.
pub(crate) fn tags(current: impl Fn() -> (String, String) + Send + Sync + 'static) -> Behaviour {
    Arc::new(move |request: &Request, peer: &mut dyn Peer| {
        let (document, etag) = current();
        let answer = if request.fields.get("if-none-match") == Some(&etag) {
            answers_status("304 Not Modified", &format!("ETag: {etag}\r\n"))
        } else {
            publishes_with(document, &format!("{JSON}\r\nETag: {etag}"))
        };
        answer(request, peer)
    })
}
