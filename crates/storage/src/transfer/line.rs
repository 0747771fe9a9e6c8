use super::secret::Secret;
use crate::error::LineRefused;
use crate::key::StoredKey;
use serde::{Deserialize, Serialize};
use tollgate::jwt::{base64url, is_scope_token};
use tollgate::{AddressBlock, Digest, KeyFormat, KeyKind, KeyRecord, KeyRecordBuilder, KeyState};

/// A key as a line of a file. Members that do not apply are absent.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeyLine {
    /// Lower-case hexadecimal; base64url is read too. Absent if a key is to be minted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
    pub(super) scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_before: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) allowed_addresses: Vec<String>,
    /// Absent for a key that another system made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<FormatName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rotated_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) overlap_ends_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<String>,
    /// What the credential is bound to: `jkt=` or `x5t#S256=` and a thumbprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confirmation: Option<String>,
    /// The key itself, in a file that another system wrote. Never written.
    #[serde(skip_serializing)]
    pub(super) key: Option<Secret>,
    /// The key itself in base64, of either alphabet, with or without padding.
    #[serde(skip_serializing)]
    pub(super) key_base64: Option<Secret>,
}

/// The beginning of a key: `<prefix>_<env>_`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormatName {
    pub(super) prefix: String,
    pub(super) env: String,
}

impl KeyLine {
    pub(super) fn of(key: &StoredKey) -> Self {
        let record = &key.record;
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            digest: Some(key.digest.to_hex()),
            id: some(record.id()),
            kind: record.kind().as_str().to_owned(),
            subject: some(record.subject()),
            client_id: record.client_id().map(str::to_owned),
            scopes: record.scopes().iter().map(str::to_owned).collect(),
            created_at: Some(key.created_at),
            not_before: record.not_before(),
            expires_at: record.expires_at(),
            state: Some(record.state().as_str().to_owned()),
            name: some(record.name()),
            metadata: (!record.metadata().is_empty()).then(|| base64url::encode(record.metadata())),
            allowed_addresses: record.allowed_addresses().iter().map(ToString::to_string).collect(),
            format: key.format.as_deref().and_then(FormatName::of_head),
            rotated_to: key.rotated_to.as_deref().map(str::to_owned),
            overlap_ends_at: key.overlap_ends_at,
            parent: key.parent.as_deref().map(str::to_owned),
            confirmation: some(&key.confirmation()),
            key: None,
            key_base64: None,
        }
    }

    /// The digest, if the line has one.
    pub(super) fn digest(&self) -> Result<Option<Digest>, LineRefused> {
        let Some(text) = &self.digest else {
            return Ok(None);
        };
        if let Some(digest) = Digest::from_hex(text) {
            return Ok(Some(digest));
        }
        let mut bytes = Vec::new();
        base64url::decode(text, &mut bytes).map_err(|_| refused("digest"))?;
        let bytes = bytes.try_into().map_err(|_| refused("digest"))?;
        Ok(Some(Digest::from_bytes(bytes)))
    }

    pub(super) fn kind(&self) -> Result<KeyKind, LineRefused> {
        KeyKind::from_name(&self.kind).ok_or_else(|| refused("kind"))
    }

    /// The key in clear, if the line has one.
    pub(super) fn key_in_clear(&self) -> Result<Option<Secret>, LineRefused> {
        match (&self.key, &self.key_base64) {
            (None, None) => Ok(None),
            (Some(key), None) => Ok(Some(key.clone())),
            (None, Some(text)) => text.decoded().map(Some).ok_or(refused("key_base64")),
            (Some(_), Some(_)) => Err(refused("key_base64")),
        }
    }

    /// The key with that digest. `id` and `now` are for a line without an id or a creation time.
    pub(super) fn key(&self, digest: Digest, id: &str, now: i64) -> Result<StoredKey, LineRefused> {
        if !self.scopes.iter().all(|scope| is_scope_token(scope)) {
            return Err(refused("scopes"));
        }
        let state = self.state.as_deref().map(|state| KeyState::from_name(state).ok_or_else(|| refused("state")));
        let mut metadata = Vec::new();
        base64url::decode(self.metadata.as_deref().unwrap_or(""), &mut metadata).map_err(|_| refused("metadata"))?;
        let record = self
            .blank(id)?
            .scopes(self.scopes.iter().map(String::as_str))
            .allowed_addresses(self.addresses()?)
            .not_before(self.not_before)
            .expires_at(self.expires_at)
            .state(state.transpose()?.unwrap_or_default())
            .name(self.name.as_deref().unwrap_or(""))
            .metadata(&metadata);
        let confirmation = self.confirmation.as_deref().unwrap_or("");
        let record = StoredKey::bind(record, confirmation).ok_or_else(|| refused("confirmation"))?;
        let format = self.format.as_ref().map(FormatName::key_format).transpose()?;
        Ok(StoredKey {
            rotated_to: self.rotated_to.as_deref().map(Into::into),
            overlap_ends_at: self.overlap_ends_at,
            parent: self.parent.as_deref().filter(|parent| !parent.is_empty()).map(Into::into),
            ..StoredKey::new(digest, format.map(|format| format.head().into()), record.build())
                .made_at(self.created_at.unwrap_or(now))
        })
    }

    fn blank<'l>(&'l self, id: &'l str) -> Result<KeyRecordBuilder<'l>, LineRefused> {
        let given = |text: &'l Option<String>| text.as_deref().filter(|text| !text.is_empty());
        let (subject, client_id) = (given(&self.subject), given(&self.client_id));
        let kind = self.kind()?;
        if kind == KeyKind::ClientSecret {
            let client_id = client_id.ok_or_else(|| refused("client_id"))?;
            if subject.is_some_and(|subject| subject != client_id) {
                return Err(refused("subject"));
            }
            return Ok(KeyRecord::client_secret(id, client_id));
        }
        let subject = subject.ok_or_else(|| refused("subject"))?;
        Ok(KeyRecord::builder(kind, id, subject).client_id(client_id))
    }

    fn addresses(&self) -> Result<Vec<AddressBlock>, LineRefused> {
        let blocks = self.allowed_addresses.iter().map(|block| block.parse());
        blocks.collect::<Result<_, _>>().map_err(|_| refused("allowed_addresses"))
    }
}

impl FormatName {
    /// Neither label contains an underscore.
    fn of_head(head: &str) -> Option<Self> {
        let (prefix, env) = head.strip_suffix('_')?.split_once('_')?;
        Some(Self { prefix: prefix.to_owned(), env: env.to_owned() })
    }

    fn key_format(&self) -> Result<KeyFormat, LineRefused> {
        KeyFormat::new(&self.prefix, &self.env).map_err(|_| refused("format"))
    }
}

pub(super) fn refused(field: &'static str) -> LineRefused {
    LineRefused::Field { field }
}
