//! Shared code of the benchmarks, which are in `benches/`.

#![forbid(unsafe_code)]

mod backends;
mod peers;
mod primitive;
mod rotation;
mod socket_buffer;
mod swaps;
mod yardstick;

pub use backends::{Check, Sample, backends};
pub use peers::{Peer, peers};
pub use primitive::Primitive;
pub use rotation::{Rotation, unix_time};
pub use socket_buffer::SocketBuffer;
pub use swaps::{RotatingKeys, Swaps};
pub use yardstick::sha256_of_signing_input;
