//! API keys: format, digest and the sharded lookup table.
