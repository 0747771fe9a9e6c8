//! Bytes in, borrowed views out: a strict, zero-copy parser for signed JWTs.
