//! Behaviour that crosses crates, one file a behaviour.

mod accepted;
mod addresses;
mod algorithms;
mod allocations;
mod bounds;
mod cache;
mod credentials;
mod cross_check;
mod dependencies;
#[cfg(feature = "oracle")]
mod forged_signatures;
mod hostile_tokens;
mod key_records;
mod ledger;
mod messages;
#[cfg(feature = "oracle")]
mod oracle;
mod packed_records;
mod policy;
mod principal;
mod reentrancy;
mod rejections;
mod revocation;
mod rotation;
mod timing;
mod trusted_proxies;
