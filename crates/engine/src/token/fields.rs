use triomphe::Arc;

use super::allocated;
use crate::policy::Mapped;
use crate::scopes::{RepeatedScopes, Scopes};

/// The claims of a token that a `Principal` returns and a revocation names, concatenated in one text.
#[derive(Clone)]
pub(super) struct Fields {
    text: Arc<str>,
    /// Where each field ends, in bytes; each begins at the end of the one before.
    ends: [u32; FIELDS],
    /// A bit for each field that the token has.
    present: u16,
}

/// The buffer in which the fields of a token are assembled.
#[derive(Default)]
pub(crate) struct FieldsBuffer {
    text: String,
    repeated: RepeatedScopes,
}

/// In the order of the text.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Iss,
    Subject,
    Session,
    Client,
    Jti,
    /// The thumbprint of the certificate that the token is bound to, in base64url.
    Certificate,
    /// The thumbprint of the key that the token is bound to, in base64url.
    Key,
    /// Each entry is followed by U+0000, which no entry contains.
    Audience,
    /// Each is followed by a space, which no scope-token contains.
    Scopes,
}

const FIELDS: usize = Field::Scopes as usize + 1;

impl Fields {
    /// Copies the fields. They are assembled in `buffer`, so that their text is one allocation of the right size.
    pub(super) fn collect(mapped: &Mapped<'_, '_>, buffer: &mut FieldsBuffer) -> Self {
        let FieldsBuffer { text, repeated } = buffer;
        text.clear();
        let mut collector = Collector { text, ends: [0; FIELDS], present: 0 };
        let claims = mapped.claims.claims;
        collector.name(Field::Iss, mapped.iss);
        collector.name(Field::Subject, mapped.subject);
        collector.name(Field::Session, claims.sid());
        collector.name(Field::Client, mapped.client);
        collector.name(Field::Jti, claims.jti());
        collector.name(Field::Certificate, mapped.confirmation.certificate);
        collector.name(Field::Key, mapped.confirmation.key);
        collector.list(Field::Audience, |text| {
            for entry in mapped.audience.iter() {
                text.push_str(entry);
                text.push('\0');
            }
        });
        collector.list(Field::Scopes, |text| mapped.mapping.write_scopes(&mapped.claims, text, repeated));
        let Collector { text, ends, present } = collector;
        Fields { text: Arc::from(&**text), ends, present }
    }

    /// A copy in memory of its own.
    pub(super) fn copy(&self) -> Self {
        Fields { text: Arc::from(&*self.text), ..*self }
    }

    pub(super) fn get(&self, field: Field) -> Option<&str> {
        (self.present & bit(field) != 0).then(|| self.part(field))
    }

    /// Whether the token is bound to its sender.
    pub(super) fn is_bound(&self) -> bool {
        self.present & (bit(Field::Certificate) | bit(Field::Key)) != 0
    }

    pub(super) fn audience(&self) -> impl Iterator<Item = &str> {
        self.part(Field::Audience).split_terminator('\0')
    }

    pub(super) fn scopes(&self) -> Scopes<'_> {
        let scopes = self.part(Field::Scopes);
        Scopes::new(scopes.strip_suffix(' ').unwrap_or(scopes))
    }

    /// The memory that the text takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        allocated(size_of::<usize>() + self.text.len())
    }

    fn part(&self, field: Field) -> &str {
        let index = field as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[index] as usize]
    }
}

struct Collector<'b> {
    text: &'b mut String,
    ends: [u32; FIELDS],
    present: u16,
}

/// Its methods are called for each field in order.
impl Collector<'_> {
    fn name(&mut self, field: Field, name: Option<&str>) {
        self.text.push_str(name.unwrap_or_default());
        self.end(field, name.is_some());
    }

    fn list(&mut self, field: Field, write: impl FnOnce(&mut String)) {
        write(self.text);
        self.end(field, true);
    }

    fn end(&mut self, field: Field, is_present: bool) {
        // No overflow: the header has at most 64 KiB, and a prefix of at most 64 bytes comes before each scope in it.
        self.ends[field as usize] = self.text.len() as u32;
        self.present |= if is_present { bit(field) } else { 0 };
    }
}

fn bit(field: Field) -> u16 {
    1 << field as u8
}
