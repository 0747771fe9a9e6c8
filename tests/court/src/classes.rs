//! The classes of cases. Each file has a few attacks of the ledger in SECURITY.md, by their numbers; one file has
//! an issuer's configuration.

mod algorithm;
mod configured;
mod ecdsa;
mod ed25519;
mod header;
mod header_keys;
mod json;
mod key_sets;
mod keys;
mod names;
mod public_key_as_secret;
mod rsa;
mod senders;
mod syntax;
mod times;
mod valid;

use crate::docket::Docket;

/// Every class, in the order of the corpus.
pub(crate) const NAMES: [&str; 46] = [
    "valid", "a01", "a02", "a03", "a04", "a05", "a06", "a07", "a08", "a09", "a10", "a11", "a12", "a13", "a14", "a15",
    "a16", "a17", "a18", "a19", "a20", "a21", "a22", "a23", "a24", "a25", "a26", "a27", "a28", "a29", "a30", "a31",
    "a32", "a33", "a34", "a35", "a43", "a64", "a51", "a52", "c1", "c2", "c3", "c4", "c5", "c6",
];

pub(crate) fn file_all(docket: &mut Docket) {
    valid::file(docket);
    algorithm::file(docket);
    public_key_as_secret::file(docket);
    algorithm::file_mismatches(docket);
    ecdsa::file(docket);
    ed25519::file(docket);
    keys::file_rsa(docket);
    rsa::file(docket);
    keys::file(docket);
    header_keys::file(docket);
    header::file(docket);
    syntax::file(docket);
    json::file(docket);
    times::file(docket);
    names::file(docket);
    key_sets::file(docket);
    senders::file(docket);
    configured::file(docket);
}
