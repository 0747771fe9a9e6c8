//! What is removed stays removed, and no change is lost: the table's own code under loom, which tries every order in which
//! threads can run, and every older value that the memory orderings let a load see.
//!
//! Two or three threads change the table at once while another reads it. What each of them was told, and what is there
//! afterwards, has to be what a table would say that takes one step after the other ([`history`]). See CONTRIBUTING.md for the
//! command.

#![forbid(unsafe_code)]
#![cfg(tollgate_model)]

mod changes;
mod explore;
mod history;
mod world;
