/// A device authorization request, as answered, and what the user has decided (RFC 8628 sections 3.1 to 3.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceAuthorization {
    /// SHA-256 of the device code.
    pub device_digest: [u8; 32],
    /// SHA-256 of the user code in its normal form.
    pub user_digest: [u8; 32],
    /// The client that asked.
    pub client_id: String,
    /// The scope asked for, and once it is approved the scope granted: names separated by single spaces.
    pub scope: String,
    /// When it was asked for.
    pub created_at: i64,
    /// Neither code is accepted from then on.
    pub expires_at: i64,
    /// How many seconds the device has to leave between two polls. Grows by [`INTERVAL_STEP`](Self::INTERVAL_STEP) with each poll that comes
    /// too soon.
    pub interval: i64,
    /// When the device last asked for the decision.
    pub polled_at: Option<i64>,
    /// What the user has decided.
    pub decision: Option<DeviceDecision>,
}

/// What a user decides about a device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DeviceDecision {
    /// The device gets nothing.
    Denied,
    /// The device gets tokens, unless the login session ends before.
    Approved(DeviceApproval),
}

/// What a device gets tokens for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceApproval {
    /// The user who approved.
    pub user_id: String,
    /// The login session in which the user approved: the `sid` of the token.
    pub session_id: String,
    /// The id of the token that will be made: its `jti`, or that of its record.
    pub token_id: String,
}

/// What came of a poll (RFC 8628 section 3.5). Only [`DevicePoll::First`] uses the device code up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DevicePoll {
    /// The user has approved, and the device code is used up now.
    First(Box<DeviceAuthorization>, DeviceApproval),
    /// The user has not decided yet.
    Pending,
    /// The same, and the device polls too often: its interval has grown.
    TooSoon,
    /// The user has denied, or the login session of the approval has ended.
    Denied,
    /// The device code has expired.
    Expired,
    /// The device code was used before.
    Used,
    /// No such device code, or another client's.
    Unknown,
}

impl DeviceAuthorization {
    /// By how many seconds the interval grows (RFC 8628 section 3.5, `slow_down`).
    pub const INTERVAL_STEP: i64 = 5;

    /// The interval grows no further. A device that goes on polling too soon costs no further writes.
    pub const MAX_INTERVAL: i64 = 60;

    /// What comes of a poll by that client at `now`, in seconds since the Unix epoch. `is_used`: the device code was used before.
    /// `has_session`: the login session of the approval has not ended.
    ///
    /// The store writes [`interval`](Self::interval) and [`polled_at`](Self::polled_at) if they have changed, and on [`DevicePoll::First`] that
    /// the code is used, in the transaction in which it has read them.
    #[must_use]
    pub fn poll(&mut self, client_id: &str, is_used: bool, has_session: bool, now: i64) -> DevicePoll {
        if self.client_id != client_id {
            return DevicePoll::Unknown;
        }
        if is_used {
            return DevicePoll::Used;
        }
        if self.expires_at <= now {
            return DevicePoll::Expired;
        }
        match &self.decision {
            Some(DeviceDecision::Denied) => DevicePoll::Denied,
            Some(DeviceDecision::Approved(_)) if !has_session => DevicePoll::Denied,
            Some(DeviceDecision::Approved(approval)) => DevicePoll::First(Box::new(self.clone()), approval.clone()),
            None if self.polled_at.is_some_and(|polled_at| now < polled_at.saturating_add(self.interval)) => {
                if self.interval < Self::MAX_INTERVAL {
                    self.interval = self.interval.saturating_add(Self::INTERVAL_STEP).min(Self::MAX_INTERVAL);
                    self.polled_at = Some(now);
                }
                DevicePoll::TooSoon
            }
            None => {
                self.polled_at = Some(now);
                DevicePoll::Pending
            }
        }
    }
}
