use crate::accounts::Accounts;
use crate::audit;
use crate::ids::now;
use crate::limits::MAX_EMAIL_BYTES;
use crate::passwords::Busy;
use crate::rate_limit::RetryAfter;
use crate::throttle::LoginThrottle;
use metrics::counter;
use std::net::IpAddr;
use tollgate_storage::accounts::User;
use tollgate_storage::{AuditRecord, StorageError};
use tollgate_telemetry::names::LOGINS;
use zeroize::Zeroizing;

/// As the audit log has it, of logins by API key too.
pub(crate) const LOGIN: &str = "login";

/// Checks e-mail and password, a bounded number of times.
pub(crate) struct Login {
    accounts: Accounts,
    throttle: LoginThrottle,
}

/// What somebody logs in with.
pub(crate) struct Attempt<'a> {
    pub(crate) email: &'a str,
    pub(crate) password: Zeroizing<String>,
    pub(crate) from: IpAddr,
    /// SHA-256 of the cookie by which the browser may be [known](tollgate_storage::accounts::KnownDevice).
    pub(crate) device: Option<[u8; 32]>,
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

impl LoginError {
    /// As the metric has it.
    fn outcome(&self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong-password",
            Self::TooManyAttempts(_) => "too-many-attempts",
            Self::Busy => "busy",
            Self::Store(_) => "store-failed",
        }
    }
}

impl Login {
    pub(crate) fn new(accounts: Accounts) -> Self {
        Self { accounts, throttle: LoginThrottle::new() }
    }

    /// The user with that address and password. An unknown address costs what a known one does.
    pub(crate) async fn check(&self, attempt: Attempt<'_>) -> Result<User, LoginError> {
        let checked = self.check_uncounted(attempt).await;
        let outcome = checked.as_ref().map_or_else(LoginError::outcome, |_| "done");
        counter!(LOGINS, "outcome" => outcome).increment(1);
        checked
    }

    async fn check_uncounted(&self, attempt: Attempt<'_>) -> Result<User, LoginError> {
        let Attempt { email, password, from, device } = attempt;
        if email.len() > MAX_EMAIL_BYTES {
            self.throttle.attempt_of_network(from).map_err(LoginError::TooManyAttempts)?;
            return Err(LoginError::WrongPassword);
        }
        let email = User::normal_email(email);
        let known = self.known_device(&email, device).await.map_err(LoginError::Store)?;
        let counted = match &known {
            Some(device) => self.throttle.attempt_at_known_device(&email, device),
            None => self.throttle.attempt(&email, from),
        };
        counted.map_err(LoginError::TooManyAttempts)?;

        let found = self.accounts.store.user_by_email(&email).await.map_err(LoginError::Store)?;
        let (user, phc) = found.unzip();
        let matches = self.accounts.passwords.verify(password, phc).await.map_err(|Busy| LoginError::Busy)?;
        match user {
            Some(user) if matches && user.disabled_at.is_none() => {
                self.throttle.succeeded(&email, from, known.as_ref());
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

    /// The device, when the user with that address has logged in there before.
    async fn known_device(&self, email: &str, device: Option<[u8; 32]>) -> Result<Option<[u8; 32]>, StorageError> {
        let Some(device) = device else { return Ok(None) };
        let store = &self.accounts.store;
        let Some((user, _)) = store.user_by_email(email).await? else { return Ok(None) };
        Ok(store.is_known_device(&user.id, &device, now()).await?.then_some(device))
    }
}
