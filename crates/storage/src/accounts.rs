//! What a service keeps of its users.

mod grants;
mod login_session;
mod signing_keys;
mod users;

pub use grants::{AuthorizationCode, PresentedCode, Redemption};
pub use login_session::LoginSession;
pub use signing_keys::StoredSigningKeys;
pub use users::{Site, User, UserChange, UserChanged};
