//! What a service keeps of its users.

mod consent;
mod device_authorization;
mod grants;
mod known_device;
mod login_session;
mod pushed_request;
mod refresh;
mod signing_keys;
mod spent_jti;
mod users;

pub use consent::Consent;
pub use device_authorization::{DeviceApproval, DeviceAuthorization, DeviceDecision, DevicePoll};
pub use grants::{AuthorizationCode, PresentedCode, Redemption};
pub use known_device::KnownDevice;
pub use login_session::{LoginSession, LogoutNotice};
pub use pushed_request::PushedRequest;
pub use refresh::{GrantedToken, PresentedRefreshToken, Refresh, RefreshFamily, SuccessorKey};
pub use signing_keys::StoredSigningKeys;
pub use spent_jti::SpentJti;
pub use users::{Site, User, UserChange, UserChanged};
