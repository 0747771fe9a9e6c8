//! Remote keys against a real HTTP server on loopback that misbehaves on command.

mod misbehaving;
mod support;
