//! What the service remembers: users, clients, credentials, sites, signing keys, grants.
//!
//! One embedded SQLite file behind one type, [`Store`]. Passwords are kept as argon2id PHC strings; API keys, client
//! secrets, authorization codes and login sessions as SHA-256 digests. The only secrets that can be read back are the
//! private signing keys, because they must be; on Unix the folder is created for its owner alone.
//!
//! Every method is synchronous and may wait for the disk: call it where blocking is allowed. All times are seconds since
//! the Unix epoch.

mod clients;
mod credentials;
mod error;
mod grants;
mod schema;
mod signing_keys;
mod sites;
mod store;
mod users;

pub use clients::Client;
pub use credentials::{Credential, CredentialKind};
pub use error::StorageError;
pub use grants::{AuthorizationCode, LoginSession, Redemption};
pub use signing_keys::StoredSigningKeys;
pub use sites::Site;
pub use store::Store;
pub use users::User;
