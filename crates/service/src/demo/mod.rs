//! The demo: accounts in a temporary store, and the curl lines that exercise every flow with them.

mod admin_lines;
mod lines;
mod seed;

pub(crate) use seed::seed;
