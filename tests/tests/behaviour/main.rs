//! Behaviour that crosses crates, one file per behaviour.

#![forbid(unsafe_code)]

mod accepted;
mod addresses;
mod algorithms;
mod allocations;
mod basic;
mod bounds;
mod cache;
mod certificate_names;
mod claim_sources;
mod client_certificates;
mod clock;
mod configurations;
mod credentials;
mod cross_check;
mod dependencies;
mod documents;
mod dpop;
mod examined;
mod expected_claims;
#[cfg(feature = "oracle")]
mod forged_signatures;
mod freshness;
mod hostile_tokens;
mod introspected_jwts;
mod introspection;
mod issuer_templates;
mod issuers_at_run_time;
mod key_issuers;
mod key_purposes;
mod key_records;
mod ledger;
mod logout_tokens;
mod messages;
mod missing_keys;
mod nonces;
mod observer;
#[cfg(feature = "oracle")]
mod oracle;
mod packages;
mod policy;
mod principal;
mod reentrancy;
mod rejections;
mod reports;
mod requirements;
mod revocation;
mod rotation;
mod sources;
mod spiffe;
mod testing;
mod timing;
mod trusted_proxies;
mod typ_sets;
mod unsafe_code;
mod validators;
#[cfg(target_os = "linux")]
mod wiping;
