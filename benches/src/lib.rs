//! What the benchmarks share. The benchmarks themselves are in `benches/`.

mod peers;
mod primitive;
mod rotation;
mod socket_buffer;

pub use peers::{Peer, peers};
pub use primitive::Primitive;
pub use rotation::{Rotation, unix_time};
pub use socket_buffer::SocketBuffer;
