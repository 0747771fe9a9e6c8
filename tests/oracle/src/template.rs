//! Issuers whose names differ in one part (documentation of `Issuer::tenant_claim`).

/// A name with one `{variable}`, split there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Template<'n> {
    before: &'n str,
    after: &'n str,
}

/// A name that contains a brace and is not a template.
#[derive(Debug)]
pub(crate) struct NoTemplate;

/// The longest tenant, in bytes.
const MAX_TENANT: usize = 128;

impl<'n> Template<'n> {
    /// `None` for a full name.
    pub(crate) fn of(name: &'n str) -> Result<Option<Self>, NoTemplate> {
        match (name.matches('{').count(), name.matches('}').count()) {
            (0, 0) => return Ok(None),
            (1, 1) => {}
            _ => return Err(NoTemplate),
        }
        let (before, rest) = name.split_once('{').ok_or(NoTemplate)?;
        let (variable, after) = rest.split_once('}').ok_or(NoTemplate)?;
        let (scheme, rest) = before.split_once("://").ok_or(NoTemplate)?;
        let (authority, _) = rest.split_once('/').ok_or(NoTemplate)?;
        let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let is_authority = !authority.is_empty() && !authority.contains(['?', '#', '\\']);
        if is_name(variable) && is_scheme && is_authority {
            Ok(Some(Template { before, after }))
        } else {
            Err(NoTemplate)
        }
    }

    /// The value of the variable.
    pub(crate) fn tenant<'i>(&self, iss: &'i str) -> Option<&'i str> {
        let is_long_enough = iss.len() > self.before.len() + self.after.len();
        if !is_long_enough || !iss.starts_with(self.before) || !iss.ends_with(self.after) {
            return None;
        }
        Some(&iss[self.before.len()..iss.len() - self.after.len()]).filter(|tenant| is_tenant(tenant))
    }

    /// Whether both match a common name: tried for each possible length, byte by byte.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let longest = [self, other].map(|one| one.before.len() + MAX_TENANT + one.after.len());
        (0..=longest[0].min(longest[1])).any(|length| self.overlaps_at(other, length))
    }

    fn overlaps_at(&self, other: &Self, length: usize) -> bool {
        let (Some(one), Some(two)) = (self.bytes(length), other.bytes(length)) else { return false };
        let is_possible = one.iter().zip(&two).all(|pair| match pair {
            (Some(one), Some(two)) => one == two,
            (Some(byte), None) | (None, Some(byte)) => is_tenant_byte(*byte),
            (None, None) => true,
        });
        // Fixed bytes of one that determine the other's tenant must not spell `.` or `..`, which are not tenants.
        let is_excluded = |own: &[Option<u8>], theirs: &[Option<u8>]| {
            let tenant: Vec<_> =
                own.iter().zip(theirs).filter(|(own, _)| own.is_none()).map(|(_, byte)| *byte).collect();
            tenant == [Some(b'.')] || tenant == [Some(b'.'), Some(b'.')]
        };
        is_possible && !is_excluded(&one, &two) && !is_excluded(&two, &one)
    }

    /// Each byte of the names of this length; `None` for a byte of the tenant.
    fn bytes(&self, length: usize) -> Option<Vec<Option<u8>>> {
        let tenant = length.checked_sub(self.before.len() + self.after.len())?;
        let known = |text: &str| text.bytes().map(Some).collect::<Vec<_>>();
        let bytes = || [known(self.before), vec![None; tenant], known(self.after)].concat();
        (1..=MAX_TENANT).contains(&tenant).then(bytes)
    }
}

pub(crate) fn is_tenant(text: &str) -> bool {
    (1..=MAX_TENANT).contains(&text.len()) && text.bytes().all(is_tenant_byte) && text != "." && text != ".."
}

fn is_tenant_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}
