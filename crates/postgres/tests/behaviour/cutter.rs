//! A proxy that cuts a connection at a commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Cutter {
    address: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The fate of the next commit: 0 nothing, 1 the commit is lost, 2 the answer is lost.
    next: AtomicU8,
    cuts: AtomicUsize,
}

impl Cutter {
    pub(crate) async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::<State>::default();
        let of_task = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(forward(client, server, Arc::clone(&of_task)));
            }
        });
        Cutter { address, state }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// Before the commit reaches the server, or after the server has executed it.
    pub(crate) fn cut_next_commit(&self, before: bool) {
        self.state.next.store(if before { 1 } else { 2 }, Ordering::Relaxed);
    }

    pub(crate) fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::Relaxed)
    }
}

async fn forward(mut client: TcpStream, mut server: TcpStream, state: Arc<State>) -> std::io::Result<()> {
    let (mut sent, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let chunk = &sent[..read?];
                if chunk.is_empty() {
                    return Ok(());
                }
                let is_commit = chunk.windows(7).any(|window| window == b"COMMIT\0");
                match if is_commit { state.next.swap(0, Ordering::Relaxed) } else { 0 } {
                    0 => server.write_all(chunk).await?,
                    1 => {
                        state.cuts.fetch_add(1, Ordering::Relaxed);
                        return Ok(());
                    }
                    _ => {
                        server.write_all(chunk).await?;
                        state.cuts.fetch_add(1, Ordering::Relaxed);
                        // The answers to all statements, up to that of the commit.
                        let mut answers = Vec::new();
                        while !answers.windows(7).any(|window| window == b"COMMIT\0") {
                            let read = server.read(&mut answered).await?;
                            answers.extend_from_slice(&answered[..read]);
                            if read == 0 {
                                break;
                            }
                        }
                        return Ok(());
                    }
                }
            }
            read = server.read(&mut answered) => {
                let chunk = &answered[..read?];
                if chunk.is_empty() {
                    return Ok(());
                }
                client.write_all(chunk).await?;
            }
        }
    }
}
