//! Keys, clients and revocations as rows.

use std::sync::Arc;

use ring::digest;
use tokio_postgres::Row;
use tokio_postgres::binary_copy::BinaryCopyOutRow;
use tokio_postgres::types::{FromSql, Type};
use tollgate::{AddressBlock, Digest, KeyKind, KeyRecord, KeyState};
use tollgate_storage::{
    CertificateSubject, Client, ClientAuthMethod, ClientKeys, ClientKind, ClientSettings, RedirectUri, Refusal,
    RevocationKind, StorageError, StoredKey, StoredRevocation, SubjectName,
};

/// The columns for [`KeyReader::read`], in order.
pub(crate) const KEY_COLUMNS: &str = "k.id, k.digest, k.format, k.kind, k.subject, k.client_id, k.scopes, k.created_at, k.not_before, \
     k.expires_at, k.state, k.name, k.metadata, k.allowed_addresses, k.rotated_to, k.overlap_ends_at, k.parent, k.confirmation";

/// Their number.
pub(crate) const KEY_COLUMN_COUNT: usize = 18;

/// Their types, in this order.
pub(crate) const KEY_TYPES: [Type; KEY_COLUMN_COUNT] = [
    Type::TEXT,
    Type::BYTEA,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::BYTEA,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
];

/// A row of a query or of a COPY.
pub(crate) trait Columns {
    /// The value of a column, if it has that type.
    fn column<'r, T: FromSql<'r>>(&'r self, index: usize) -> Option<T>;
}

impl Columns for Row {
    fn column<'r, T: FromSql<'r>>(&'r self, index: usize) -> Option<T> {
        self.try_get(index).ok()
    }
}

impl Columns for BinaryCopyOutRow {
    fn column<'r, T: FromSql<'r>>(&'r self, index: usize) -> Option<T> {
        self.try_get(index).ok()
    }
}

/// Reads rows of [`KEY_COLUMNS`], and shares equal values among them.
#[derive(Default)]
pub(crate) struct KeyReader {
    last_format: Option<Arc<str>>,
}

/// A row does not have the format of this release.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) table: &'static str,
    pub(crate) row: String,
    /// The digest, for a key with a readable one.
    pub(crate) digest: Option<Digest>,
    /// The id, for a client.
    pub(crate) client_id: Option<String>,
}

impl From<Unreadable> for StorageError {
    fn from(unreadable: Unreadable) -> Self {
        StorageError::Corrupt { table: unreadable.table, row: unreadable.row }
    }
}

impl KeyReader {
    /// The key whose columns begin at `first`.
    pub(crate) fn read(&mut self, row: &impl Columns, first: usize) -> Result<StoredKey, Unreadable> {
        let digest = row.column(first + 1).and_then(digest_of);
        self.try_read(row, first, digest).ok_or_else(|| {
            let id = row.column::<&str>(first).unwrap_or_default();
            Unreadable { table: "keys", row: id.to_owned(), digest, client_id: None }
        })
    }

    fn try_read(&mut self, row: &impl Columns, first: usize, digest: Option<Digest>) -> Option<StoredKey> {
        let text = |column: usize| row.column::<&str>(first + column);
        let optional_text = |column: usize| row.column::<Option<&str>>(first + column);
        let optional_time = |column: usize| row.column::<Option<i64>>(first + column);
        let addresses = match text(13)? {
            "" => Vec::new(),
            addresses => blocks(addresses)?,
        };
        let record = KeyRecord::builder(KeyKind::from_name(text(3)?)?, text(0)?, text(4)?)
            .client_id(optional_text(5)?)
            .scopes(text(6)?.split(' ').filter(|scope| !scope.is_empty()))
            .not_before(optional_time(8)?)
            .expires_at(optional_time(9)?)
            .state(KeyState::from_name(text(10)?)?)
            .name(text(11)?)
            .metadata(row.column::<&[u8]>(first + 12)?)
            .allowed_addresses(addresses);
        let record = StoredKey::bind(record, text(17)?)?.build();
        Some(StoredKey {
            digest: digest?,
            format: optional_text(2)?.map(|format| self.format(format)),
            record,
            created_at: row.column(first + 7)?,
            rotated_to: optional_text(14)?.map(Into::into),
            overlap_ends_at: optional_time(15)?,
            parent: optional_text(16)?.map(Into::into),
        })
    }

    fn format(&mut self, format: &str) -> Arc<str> {
        match &self.last_format {
            Some(last) if **last == *format => last.clone(),
            _ => self.last_format.insert(format.into()).clone(),
        }
    }
}

pub(crate) fn digest_of(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok().map(Digest::from_bytes)
}

/// A client secret's client is its subject.
pub(crate) fn stored_client(record: &KeyRecord) -> Option<&str> {
    record.client_id().filter(|_| record.kind() != KeyKind::ClientSecret)
}

pub(crate) fn addresses(record: &KeyRecord) -> String {
    let blocks: Vec<_> = record.allowed_addresses().iter().map(ToString::to_string).collect();
    blocks.join(" ")
}

/// Address blocks joined by single spaces.
fn blocks(text: &str) -> Option<Vec<AddressBlock>> {
    text.split(' ').map(|block| block.parse().ok()).collect()
}

/// PostgreSQL text cannot contain U+0000.
pub(crate) fn check_texts(key: &StoredKey) -> Result<(), Refusal> {
    let record = &key.record;
    let texts = [
        ("id", Some(record.id())),
        ("subject", Some(record.subject())),
        ("client_id", record.client_id()),
        ("name", Some(record.name())),
        ("format", key.format.as_deref()),
        ("rotated_to", key.rotated_to.as_deref()),
        ("parent", key.parent.as_deref()),
    ];
    match texts.into_iter().find(|(_, text)| text.is_some_and(|text| text.contains('\0'))) {
        Some((field, _)) => Err(Refusal::Field { field }),
        None => Ok(()),
    }
}

/// The columns for [`client_of`], in order.
pub(crate) const CLIENT_COLUMNS: &str = "l.id, l.name, l.scopes, l.redirect_uris, l.created_at, l.kind, l.grants, \
     l.auth_method, l.user_scopes, l.is_operators_own, l.is_disabled, l.post_logout_redirect_uris, l.backchannel_logout_uri, l.jwks, \
     l.requires_pushed_requests, l.is_dpop_bound, l.certificate_name, l.certificate_value, l.is_certificate_bound";

/// Their number.
pub(crate) const CLIENT_COLUMN_COUNT: usize = 19;

/// The client whose columns begin at `first`.
pub(crate) fn client_of(row: &Row, first: usize) -> Result<Client, Unreadable> {
    let id = row.try_get::<_, &str>(first).unwrap_or_default();
    let read = || {
        let (name, scopes) = (row.try_get::<_, &str>(first + 1).ok()?, row.try_get::<_, &str>(first + 2).ok()?);
        let uris = row.try_get::<_, Vec<String>>(first + 3).ok()?;
        let text = |column: usize| row.try_get::<_, &str>(first + column).ok();
        let settings = ClientSettings {
            kind: ClientKind::from_name(text(5)?)?,
            grants: ClientSettings::grants_from(text(6)?)?,
            auth_method: ClientAuthMethod::from_name(text(7)?)?,
            user_scopes: text(8)?.to_owned(),
            post_logout_redirect_uris: ClientSettings::redirect_uris_from(text(11)?)?,
            backchannel_logout_uri: match row.try_get::<_, Option<&str>>(first + 12).ok()? {
                Some(uri) => Some(RedirectUri::new(uri).ok()?),
                None => None,
            },
            is_operators_own: row.try_get(first + 9).ok()?,
            is_disabled: row.try_get(first + 10).ok()?,
            requires_pushed_requests: row.try_get(first + 14).ok()?,
            is_dpop_bound: row.try_get(first + 15).ok()?,
            is_certificate_bound: row.try_get(first + 18).ok()?,
            jwks: row.try_get::<_, Option<String>>(first + 13).ok()?.map(ClientKeys::new).transpose().ok()?,
            certificate_subject: match row.try_get::<_, Option<&str>>(first + 16).ok()? {
                Some(name) => Some(CertificateSubject::new(SubjectName::from_name(name)?, text(17)?).ok()?),
                None => None,
            },
        };
        Client::new(id, name, scopes, uris, row.try_get(first + 4).ok()?).ok()?.with(settings).ok()
    };
    let (table, row) = ("clients", id.to_owned());
    read().ok_or_else(|| Unreadable { table, client_id: Some(row.clone()), row, digest: None })
}

/// The columns for [`revocation_of`], in order.
pub(crate) const REVOCATION_COLUMNS: &str = "r.kind, r.issuer, r.name, r.issued_before, r.until";

/// The revocation whose columns begin at `first`.
pub(crate) fn revocation_of(row: &Row, first: usize) -> Result<StoredRevocation, Unreadable> {
    let text = |column: usize| row.try_get::<_, &str>(first + column).ok();
    let read = || {
        let kind = RevocationKind::from_name(text(0)?)?;
        let (issued_before, until) = (row.try_get(first + 3).ok()?, row.try_get(first + 4).ok()?);
        Some(StoredRevocation { issued_before, until, ..StoredRevocation::new(kind, text(1)?, text(2)?) })
    };
    read().ok_or_else(|| {
        let [kind, issuer, name] = [0, 1, 2].map(|column| text(column).unwrap_or_default());
        Unreadable { table: "revocations", row: format!("{kind} {issuer} {name}"), digest: None, client_id: None }
    })
}

/// The key of a revocation: kind, issuer and name are unique together.
pub(crate) fn revocation_digest(kind: RevocationKind, issuer: &str, name: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    // Neither a kind nor an issuer contains U+0000.
    for part in [kind.as_str(), "\0", issuer, "\0", name] {
        context.update(part.as_bytes());
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}
