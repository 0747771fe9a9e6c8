//! Tests that cross crates, and what they share.
