use std::collections::BTreeMap;
use std::sync::Arc;

use tollgate::apikeys::KeyDigest;
use tollgate::jwt::base64url;
use tollgate::{ApiKey, ApiKeyTable, KeyFormat, KeyKind, KeyRecord, KeyState};

use super::operations::Operations;
use super::world::NOW;

/// The first three are native API keys, then a foreign one, an opaque token and a client's secret.
pub(super) const KEYS: usize = 6;
const NATIVE: usize = 3;
const FOREIGN: [&str; 3] = ["foreign-key:8d2f0c71b6", "2YotnFZFEjr1zCsicMWpAA", "open-sesame:8d2f0c71b6"];

/// A table of API keys, and its expected contents.
pub(super) struct ApiKeys {
    pub(super) table: Arc<ApiKeyTable<KeyRecord>>,
    secrets: [String; KEYS],
    model: BTreeMap<usize, KeyRecord>,
}

impl ApiKeys {
    pub(super) fn new() -> Self {
        let format = KeyFormat::new("tg", "live").expect("a format");
        let native = |index| ApiKey::danger_from_entropy(&format, &[index as u8; 32]).as_str().to_owned();
        let secret =
            |index: usize| index.checked_sub(NATIVE).map_or_else(|| native(index), |index| FOREIGN[index].to_owned());
        let secrets = std::array::from_fn(secret);
        ApiKeys { table: ApiKeyTable::new(format).into(), secrets, model: BTreeMap::new() }
    }

    pub(super) fn apply(&mut self, operations: &mut Operations<'_>) {
        match operations.choose(7) {
            0 => {
                let (key, record) = chosen(operations);
                self.insert(key, record);
            }
            1 => self.remove(operations.choose(KEYS)),
            2 => {
                // A rotation: the record moves to another secret.
                let (old, new) = (operations.choose(NATIVE), operations.choose(NATIVE));
                if let Some(record) = self.model.get(&old).cloned() {
                    self.remove(old);
                    self.insert(new, record);
                }
            }
            3 => {
                let before = self.model.len();
                self.model.retain(|_, record| record.state() == KeyState::Active);
                let removed = self.table.retain(|entry| entry.record().state() == KeyState::Active);
                assert_eq!(removed, before - self.model.len());
            }
            4 => self.replace_all(operations),
            5 => {
                let (key, state) = (operations.choose(KEYS), chosen_state(operations));
                let updated = self.table.update(self.digest(key).digest(), |record| record.edit().state(state).build());
                let expected = self.model.get_mut(&key).map(|record| {
                    *record = record.edit().state(state).build();
                    &*record
                });
                assert_eq!(updated.as_ref().map(tollgate::apikeys::TableEntry::record), expected);
            }
            _ => self.clear(),
        }
    }

    fn insert(&mut self, key: usize, record: KeyRecord) {
        let displaced = self.table.insert(self.digest(key), record.clone());
        assert_eq!(
            displaced.as_ref().map(tollgate::apikeys::TableEntry::record),
            self.model.insert(key, record).as_ref()
        );
    }

    fn remove(&mut self, key: usize) {
        let removed = self.table.remove(self.digest(key).digest());
        assert_eq!(removed.as_ref().map(tollgate::apikeys::TableEntry::record), self.model.remove(&key).as_ref());
    }

    /// One key is removed, one inserted and one changed while the new contents are built: all changes hold afterwards.
    fn replace_all(&mut self, operations: &mut Operations<'_>) {
        let entries: Vec<_> = (0..operations.choose(4)).map(|_| chosen(operations)).collect();
        let (removed, (inserted, record)) = (operations.choose(KEYS), chosen(operations));
        let (changed, state) = (operations.choose(KEYS), chosen_state(operations));
        let mut updated = None;
        let halfway = std::iter::once_with(|| {
            self.table.remove(self.digest(removed).digest());
            self.table.insert(self.digest(inserted), record.clone());
            updated = self.table.update(self.digest(changed).digest(), |record| record.edit().state(state).build());
            None
        });
        let new = entries.iter().map(|(key, record)| Some((self.digest(*key), record.clone())));
        self.table.replace_all(new.clone().take(1).chain(halfway).chain(new.skip(1)).flatten());
        self.model = entries.into_iter().collect();
        self.model.remove(&removed);
        self.model.insert(inserted, record);
        // A change of a key that the new contents lack has no effect.
        if let (Some(updated), Some(record)) = (updated, self.model.get_mut(&changed)) {
            *record = updated.record().clone();
        }
    }

    fn clear(&mut self) {
        self.table.replace_all(Vec::<(KeyDigest, KeyRecord)>::new());
        self.model.clear();
    }

    /// The header's value that presents the key.
    pub(super) fn header(&self, key: usize) -> String {
        let secret = &self.secrets[key];
        match key {
            4 => format!("Bearer {secret}"),
            5 => format!("Basic {}=", base64url::encode(format!("client:{secret}"))),
            _ => secret.clone(),
        }
    }

    /// The expected code of a rejection of the key at `now`; `is_revoked` says which ids are revoked.
    pub(super) fn verdict(&self, key: usize, now: i64, is_revoked: impl Fn(&str) -> bool) -> Result<(), &'static str> {
        let Some(record) = self.model.get(&key) else {
            let has_foreign = self.model.keys().any(|key| *key >= NATIVE);
            return Err(match key {
                5 => "unknown-client",
                3.. if !has_foreign => "malformed-api-key",
                _ => "unknown-api-key",
            });
        };
        match record.state() {
            KeyState::Disabled => Err("disabled"),
            KeyState::Revoked => Err("revoked"),
            KeyState::Active if record.expires_at().is_some_and(|end| now >= end) => Err("expired"),
            KeyState::Active if is_revoked(record.id()) => Err("revoked"),
            KeyState::Active => Ok(()),
        }
    }

    /// The view of administration.
    pub(super) fn assert_contents(&self) {
        assert_eq!(self.table.len(), self.model.len());
        for key in 0..KEYS {
            let kept = self.table.get(self.digest(key).digest());
            assert_eq!(kept.as_ref().map(tollgate::apikeys::TableEntry::record), self.model.get(&key));
            let found = self.table.find(self.secrets[key].as_bytes()).ok();
            assert_eq!(found.as_ref().map(tollgate::apikeys::MatchedKey::record), self.model.get(&key));
        }
    }

    fn digest(&self, key: usize) -> KeyDigest {
        self.table.digest_of(self.secrets[key].as_bytes()).expect("native or foreign")
    }
}

/// A key and a record for it.
fn chosen(operations: &mut Operations<'_>) -> (usize, KeyRecord) {
    let key = operations.choose(KEYS);
    let id = ["key-0", "key-1"][operations.choose(2)];
    let (kind, subject) = match key {
        4 => (KeyKind::AccessToken, "user"),
        5 => (KeyKind::ClientSecret, "client"),
        _ => (KeyKind::ApiKey, "user"),
    };
    let record = KeyRecord::builder(kind, id, subject).state(chosen_state(operations));
    (key, record.expires_at(NOW + 100 * operations.choose(8) as i64).build())
}

fn chosen_state(operations: &mut Operations<'_>) -> KeyState {
    [KeyState::Active, KeyState::Disabled, KeyState::Revoked][operations.choose(3)]
}
