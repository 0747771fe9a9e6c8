//! The tollgate reference service: every way of authenticating, wired.

pub mod storage;
