//! A token verification engine: one verify(header) -> Principal.
