/// A browser in which a user has logged in before, which has a cookie for that.
///
/// It lets nobody in. Failed logins from elsewhere do not count against it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownDevice {
    /// SHA-256 of the cookie's value.
    pub digest: [u8; 32],
    /// The user who logged in.
    pub user_id: String,
    /// When the user last logged in there, in seconds since the Unix epoch.
    pub last_login_at: i64,
    /// Not known from then on, in seconds since the Unix epoch.
    pub expires_at: i64,
}
