//! What is the service's alone: users and their passwords, sites, signing keys, grants, login sessions.
//!
//! One SQLite file behind one type, [`Storage`]. API keys, clients and revocations are in another file of the same folder, that
//! of [`tollgate_storage::KeyStore`], which other processes may write too. Passwords are kept as argon2id PHC strings; authorization codes
//! and login sessions as SHA-256 digests. The only secrets that can be read back are the private signing keys, because they
//! must be; on Unix the folder is created for its owner alone.
//!
//! Every method is synchronous and may wait for the disk: call it where blocking is allowed. All times are seconds since
//! the Unix epoch.

mod database;
mod grants;
mod schema;
mod signing_keys;
mod sites;
mod users;

pub use database::Storage;
pub use grants::{AuthorizationCode, LoginSession, PresentedCode, Redemption};
pub use signing_keys::StoredSigningKeys;
pub use sites::Site;
pub use users::User;
