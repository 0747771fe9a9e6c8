use crate::accounts::Accounts;
use crate::audit;
use crate::limits::MAX_EMAIL_BYTES;
use crate::passwords::Busy;
use crate::rate_limit::{RateLimiter, RetryAfter, network_of};
use std::net::IpAddr;
use tollgate_storage::accounts::User;
use tollgate_storage::{AuditRecord, StorageError};
use zeroize::Zeroizing;

/// As the audit log has it, of logins by API key too.
pub(crate) const LOGIN: &str = "login";

/// Checks e-mail and password, a bounded number of times per account and per network address.
pub(crate) struct Login {
    accounts: Accounts,
    per_account: RateLimiter,
    per_address: RateLimiter,
}

/// Why nobody is logged in.
#[derive(Debug)]
pub(crate) enum LoginError {
    /// No such user, a disabled one, or not the password: nobody is told which.
    WrongPassword,
    TooManyAttempts(RetryAfter),
    Busy,
    Store(StorageError),
}

impl Login {
    pub(crate) fn new(accounts: Accounts, per_account: RateLimiter, per_address: RateLimiter) -> Self {
        Self { accounts, per_account, per_address }
    }

    /// The user with that address and password. An unknown address costs what a known one does.
    pub(crate) async fn check(
        &self,
        email: &str,
        password: Zeroizing<String>,
        from: IpAddr,
    ) -> Result<User, LoginError> {
        self.per_address.attempt(&network_of(from)).map_err(LoginError::TooManyAttempts)?;
        if email.len() > MAX_EMAIL_BYTES {
            return Err(LoginError::WrongPassword);
        }
        let email = User::normal_email(email);
        self.per_account.attempt(&email).map_err(LoginError::TooManyAttempts)?;

        let found = self.accounts.store.user_by_email(&email).await.map_err(LoginError::Store)?;
        let (user, phc) = found.unzip();
        let matches = self.accounts.passwords.verify(password, phc).await.map_err(|Busy| LoginError::Busy)?;
        match user {
            Some(user) if matches && user.disabled_at.is_none() => {
                self.per_account.reset(&email);
                Ok(user)
            }
            user => {
                self.record_failure(user.as_ref()).await.map_err(LoginError::Store)?;
                Err(LoginError::WrongPassword)
            }
        }
    }

    /// What was typed in the place of the address is not written down: it may be a password. There are as many records as the limits
    /// let through attempts.
    async fn record_failure(&self, user: Option<&User>) -> Result<(), StorageError> {
        let failed = AuditRecord::new(&audit::caller(), LOGIN, "")?.failed("wrong-password");
        let failed = match user {
            Some(user) => failed.concerning(&user.id),
            None => failed,
        };
        self.accounts.store.record(&[failed]).await
    }
}
