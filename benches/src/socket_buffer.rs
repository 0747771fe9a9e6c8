use std::hint::black_box;
use std::time::{Duration, Instant};

/// Distinct headers in random order, each in memory that was just written, as after a read from a socket.
pub struct SocketBuffer {
    headers: Vec<String>,
    written: Vec<Vec<u8>>,
    random: u64,
}

/// How many headers are written before they are timed; together they fit into the first-level cache.
const BATCH: usize = 16;

impl SocketBuffer {
    /// Headers to choose from.
    #[must_use]
    pub fn new(headers: Vec<String>) -> Self {
        SocketBuffer { headers, written: vec![Vec::new(); BATCH], random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// All headers in order.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The time that `verify` takes for `iterations` headers, without the time to write them.
    pub fn time(&mut self, iterations: u64, mut verify: impl FnMut(&[u8])) -> Duration {
        let (mut left, mut spent) = (iterations as usize, Duration::ZERO);
        while left > 0 {
            let batch = left.min(BATCH);
            for index in 0..batch {
                let chosen = self.random();
                self.written[index].clear();
                self.written[index].extend_from_slice(self.headers[chosen].as_bytes());
            }
            let start = Instant::now();
            for header in &self.written[..batch] {
                verify(black_box(header));
            }
            spent += start.elapsed();
            left -= batch;
        }
        spent
    }

    /// A random index (xorshift64, Marsaglia 2003).
    fn random(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % self.headers.len() as u64) as usize
    }
}
