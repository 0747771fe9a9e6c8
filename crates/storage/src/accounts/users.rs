use std::fmt;

/// A person who can log in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The public id, the `sub` of the user's tokens.
    pub id: String,
    /// The address, as [`User::normal_email`] writes it.
    pub email: String,
    /// What the user may do: scope names separated by single spaces.
    pub scopes: String,
    /// When the user was added, in seconds since the Unix epoch.
    pub created_at: i64,
    /// Since when the user cannot log in, in seconds since the Unix epoch; `None` for an active one.
    pub disabled_at: Option<i64>,
    /// Grows by one with every [`UserChange`] that ends all logins, so that none that was begun before is completed after it.
    pub epoch: i64,
}

/// What is done to a user. All but [`UserChange::Enable`] end every login session and every unused code of the user in the same step.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum UserChange {
    /// The user cannot log in any more.
    Disable {
        /// When, in seconds since the Unix epoch; an earlier time stays.
        at: i64,
    },
    /// The user can log in again. What was ended stays so.
    Enable,
    /// Another password.
    Password {
        /// The PHC string of its hash.
        hash: String,
    },
    /// Nothing more than that.
    EndLogins,
    /// The user and the user's sites are forgotten.
    Remove,
}

/// Without the hash.
impl fmt::Debug for UserChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disable { .. } => "Disable",
            Self::Enable => "Enable",
            Self::Password { .. } => "Password",
            Self::EndLogins => "EndLogins",
            Self::Remove => "Remove",
        })
    }
}

/// What came of a [`UserChange`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserChanged {
    /// The user as it is now; one that was removed as it was.
    pub user: User,
    /// The ids of the login sessions that were ended, and of those that had expired and whose refresh tokens were ended: each once.
    pub ended: Vec<String>,
}

impl User {
    /// The one spelling under which an address is stored and looked up: trimmed, ASCII lower case.
    ///
    /// ```
    /// use tollgate_storage::accounts::User;
    /// assert_eq!(User::normal_email(" Ada@Example.com "), "ada@example.com");
    /// ```
    #[must_use]
    pub fn normal_email(email: &str) -> String {
        email.trim().to_ascii_lowercase()
    }
}

/// A site of a user: what the protected example route lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Site {
    /// The public id.
    pub id: String,
    /// The user it belongs to.
    pub user_id: String,
    /// A name for people.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// When it was added, in seconds since the Unix epoch.
    pub created_at: i64,
}
