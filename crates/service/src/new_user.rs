use crate::accounts::AccountError;
use crate::ids::now;
use crate::limits::MAX_EMAIL_BYTES;
use crate::passwords::hash_password;
use crate::{accounts, password_rules, scope};
use tollgate_storage::accounts::User;
use tollgate_storage::{USER_ID_PREFIX, new_key_id};

/// A user to be added to an [`AccountStore`](tollgate_storage::AccountStore), by the rules of every door.
///
/// ```
/// use tollgate_service::NewUser;
///
/// let new = NewUser::new("Ada@Example.com", "the-analytical-engine", "read:sites")?;
/// assert_eq!(new.user.email, "ada@example.com");
/// assert!(new.password_hash.starts_with("$argon2id$"));
/// assert!(NewUser::new("ada", "the-analytical-engine", "").is_err());
/// # Ok::<(), tollgate_service::AccountError>(())
/// ```
#[derive(Clone)]
pub struct NewUser {
    /// With a new random id.
    pub user: User,
    /// The PHC string of the password's hash (argon2id).
    pub password_hash: String,
}

impl NewUser {
    /// `scopes`: scope-tokens joined by single spaces. Hashing takes tens of milliseconds: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`AccountError::Invalid`] for an address without `@`, or what is no scope; [`AccountError::Password`] for a password that is not
    /// taken.
    pub fn new(email: &str, password: &str, scopes: &str) -> Result<Self, AccountError> {
        let email = User::normal_email(email);
        let has_parts = email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        let is_address = has_parts && accounts::is_text(&email, MAX_EMAIL_BYTES) && !email.contains(' ');
        accounts::check("email", is_address)?;
        accounts::check("scopes", scope::is_valid(scopes))?;
        let password_hash = new_password_hash(password, &email)?;
        let id = new_key_id(USER_ID_PREFIX.trim_end_matches('_'))?;
        let user = User { id, email, scopes: scopes.to_owned(), created_at: now(), disabled_at: None, epoch: 0 };
        Ok(NewUser { user, password_hash })
    }
}

/// The PHC string of a password that the user with that address may take, in the address' normal spelling. Blocks.
pub(crate) fn new_password_hash(password: &str, email: &str) -> Result<String, AccountError> {
    password_rules::check(password, email)?;
    Ok(hash_password(password.as_bytes())?)
}
