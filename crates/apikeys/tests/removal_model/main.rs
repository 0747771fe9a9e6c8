//! A removed key stays removed, and no change is lost: the table's own code under loom. loom tries every order of the
//! threads, and every older value that the memory orderings let a load see.
//!
//! Two or three threads change the table at once while another reads it. Their answers and the final contents must be
//! possible for a table that runs one step after the other ([`history`]). CONTRIBUTING.md gives the command.

#![forbid(unsafe_code)]
#![cfg(tollgate_model)]

mod changes;
mod explore;
mod history;
mod world;
