use std::fmt;
use std::sync::Arc;

/// The values of `use` (RFC 7517 section 4.2) with which a JWK's key may verify tokens.
///
/// The default is `sig`. A JWK without `use` is accepted too, unless `use` is [required](KeyUses::required). A key that
/// does not come from a JWK, such as one from PEM, has no `use` and is not checked.
///
/// ```
/// use tollgate_keys::KeyUses;
///
/// let uses = KeyUses::new(["sig", "jwt-svid"])?;
/// assert!(uses.admit(Some("jwt-svid")) && uses.admit(None) && !uses.admit(Some("enc")));
/// assert!(!uses.required().admit(None));
/// # Ok::<(), tollgate_keys::InvalidKeyUses>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeyUses {
    /// `None`: `sig` alone.
    accepted: Option<Arc<[Box<str>]>>,
    is_required: bool,
}

/// The accepted `use` by default.
pub(crate) const SIGNATURE: &str = "sig";

impl KeyUses {
    /// Accepts these values. `use` is case-sensitive.
    ///
    /// # Errors
    /// [`InvalidKeyUses`] if the list is empty or a value is empty.
    pub fn new<'u>(accepted: impl IntoIterator<Item = &'u str>) -> Result<Self, InvalidKeyUses> {
        let accepted: Arc<[Box<str>]> = accepted.into_iter().map(Box::from).collect();
        if accepted.is_empty() {
            return Err(InvalidKeyUses::None);
        }
        if accepted.iter().any(|one| one.is_empty()) {
            return Err(InvalidKeyUses::Empty);
        }
        Ok(KeyUses { accepted: Some(accepted).filter(|accepted| **accepted != [SIGNATURE.into()]), is_required: false })
    }

    /// The same values, but refuses a JWK without `use`.
    #[must_use]
    pub fn required(self) -> Self {
        KeyUses { is_required: true, ..self }
    }

    /// Whether a JWK with this `use` is accepted.
    #[must_use]
    pub fn admit(&self, key_use: Option<&str>) -> bool {
        match (key_use, &self.accepted) {
            (None, _) => !self.is_required,
            (Some(key_use), None) => key_use == SIGNATURE,
            (Some(key_use), Some(accepted)) => accepted.iter().any(|one| **one == *key_use),
        }
    }

    /// Whether this is the default: `sig` or no `use`.
    #[inline]
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.accepted.is_none() && !self.is_required
    }
}

/// Completes "has to be": `"sig" or "jwt-svid"`.
impl fmt::Display for KeyUses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(accepted) = &self.accepted else {
            return write!(f, "{SIGNATURE:?}");
        };
        accepted.iter().enumerate().try_for_each(|(index, one)| {
            f.write_str(if index > 0 { " or " } else { "" })?;
            write!(f, "{one:?}")
        })
    }
}

/// Why a list of `use` values was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidKeyUses {
    /// The list is empty, so no key could be used.
    None,
    /// One of the values is empty.
    Empty,
}

impl fmt::Display for InvalidKeyUses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidKeyUses::None => "a list of the use of keys must not be empty",
            InvalidKeyUses::Empty => "the use of a key must not be empty; a key without use is taken anyway",
        })
    }
}

impl std::error::Error for InvalidKeyUses {}
