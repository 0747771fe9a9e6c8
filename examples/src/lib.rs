//! The programs are in `src/bin`. Here are the pages of the guide whose Rust is compiled and run as documentation tests.

#![forbid(unsafe_code)]

#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../docs/start.md")]
    mod start {}
    #[doc = include_str!("../../docs/from-jsonwebtoken.md")]
    mod from_jsonwebtoken {}
    #[doc = include_str!("../../docs/postgres.md")]
    mod postgres {}
    #[doc = include_str!("../../docs/remote.md")]
    mod remote {}
    #[doc = include_str!("../../docs/sender-constrained.md")]
    mod sender_constrained {}
    #[doc = include_str!("../../docs/testing.md")]
    mod testing {}
}
