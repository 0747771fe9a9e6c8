//! What a service keeps of its users.

mod grants;
mod signing_keys;
mod users;

pub use grants::{AuthorizationCode, LoginSession, PresentedCode, Redemption};
pub use signing_keys::StoredSigningKeys;
pub use users::{Site, User};
