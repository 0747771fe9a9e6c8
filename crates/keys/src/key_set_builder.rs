use std::collections::{HashMap, HashSet, hash_map};

use tollgate_jwt::json;

use crate::algorithm::{Algorithm, KeyType};
use crate::certificates;
use crate::entry::{Entry, EntryKey};
use crate::error::NotAKeyFile;
use crate::hmac_key::HmacKey;
use crate::jwk::Jwk;
use crate::key_refused::KeyRefused;
use crate::key_set::KeySet;
use crate::key_uses::KeyUses;
use crate::limits::{MAX_KEY_FILE_BYTES, MAX_KEYS};
use crate::pem;
use crate::report::{Loaded, NoUsableKey};
use crate::spki::{DerKey, DerKind};
use crate::thumbprint::Thumbprint;
use crate::verifying_key::VerifyingKey;

/// Collects keys of any kind into a [`KeySet`].
///
/// [`KeySetBuilder::build`] is for the keys of a configuration: a key that cannot be used is an error.
/// [`KeySetBuilder::build_with_reports`] is for documents that others publish: it uses every usable key and reports on
/// all keys.
///
/// ```
/// use tollgate_keys::{Algorithm, KeySet};
///
/// let keys = KeySet::builder().hmac(Some("k1"), Algorithm::HS256, &[7; 32]).build()?;
/// assert_eq!(keys.len(), 1);
///
/// let error = KeySet::builder().hmac(Some("k1"), Algorithm::HS256, b"secret").build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#"no usable key: the oct key "k1" is refused (the HMAC secret (`k`) has 6 bytes; at least 32 are needed)"#
/// );
/// # Ok::<(), tollgate_keys::NoUsableKey>(())
/// ```
#[derive(Debug, Default)]
pub struct KeySetBuilder {
    entries: Vec<Entry>,
    documents: usize,
    algorithms: Option<Vec<Algorithm>>,
    source: KeySource,
    key_uses: KeyUses,
}

/// The origin of keys, which determines how far they are trusted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeySource {
    /// The operator's own configuration. Only the public part of a private JWK is used.
    #[default]
    Local,
    /// A document published by others, such as an identity provider's `jwks_uri`. Private and `oct` keys are refused,
    /// and so is every public key whose private part is published with it: everybody knows these.
    Remote,
}

impl KeySetBuilder {
    /// Sets the algorithms of an RSA key or a secret without `alg`. Default: RS256 for an RSA key, none for a secret,
    /// which is then refused.
    ///
    /// Algorithms of other key types are ignored: keys of those types determine their algorithm themselves.
    #[must_use]
    pub fn algorithms(self, algorithms: &[Algorithm]) -> Self {
        KeySetBuilder { algorithms: Some(algorithms.to_vec()), ..self }
    }

    /// Sets the origin of the keys. Default: [`KeySource::Local`].
    #[must_use]
    pub fn source(self, source: KeySource) -> Self {
        KeySetBuilder { source, ..self }
    }

    /// Sets the accepted values of a JWK's `use`. Default: [`KeyUses::default`], `sig` or none.
    ///
    /// ```
    /// use tollgate_keys::{KeySet, KeyUses};
    ///
    /// let jwk = br#"{"kty":"OKP","crv":"Ed25519","use":"jwt-svid","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let keys = KeySet::builder().key_uses(KeyUses::new(["jwt-svid"])?).jwk(jwk)?.build()?;
    /// assert_eq!(keys.iter().next().unwrap().purposes()[0].key_use(), Some("jwt-svid"));
    /// assert!(KeySet::builder().jwk(jwk)?.build().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn key_uses(self, key_uses: KeyUses) -> Self {
        KeySetBuilder { key_uses, ..self }
    }

    /// Adds the keys of a key file: a JWK, a JWK set, PEM or DER, detected from the first bytes.
    ///
    /// # Errors
    /// [`NotAKeyFile`].
    pub fn file(self, bytes: &[u8]) -> Result<Self, NotAKeyFile> {
        match json::without_byte_order_mark(bytes).trim_ascii_start() {
            text @ [b'{', ..] => self.json(text),
            // The text before a PEM block (RFC 7468 section 2) may begin with the digit that also begins DER.
            [0x30, ..] if DerKind::of(bytes).is_some() => self.der(bytes),
            text if text.windows(5).any(|window| window == b"-----") => self.pem(text),
            [0x30, ..] => self.der(bytes),
            text if vet_size(text).is_ok() && pem::is_bare_base64(text) => Err(NotAKeyFile::BareBase64),
            _ => Err(vet_size(bytes).err().unwrap_or(NotAKeyFile::UnknownFormat)),
        }
    }

    /// Adds the keys of a JWK set (RFC 7517 section 5).
    ///
    /// Keys of unknown types are refused without affecting the others, as the section recommends. An `oct` key in one
    /// document with keys of other types is refused: publishing the document would publish the secret. Use
    /// [`KeySetBuilder::hmac`] to add one on purpose.
    ///
    /// A byte order mark is ignored in every text that this builder reads, and a member that is null is absent.
    ///
    /// # Errors
    /// [`NotAKeyFile`] if the document is no JWK set, or the set or the document is too large.
    pub fn jwks(self, json: &[u8]) -> Result<Self, NotAKeyFile> {
        let mut buffer = json::Buffer::default();
        let document = json::parse(text_of(json)?, &mut buffer)?;
        let keys = document.root().get("keys").and_then(|keys| keys.as_array()).ok_or(NotAKeyFile::NeitherKeyNorSet)?;
        let count = self.entries.len() + keys.len();
        if count > MAX_KEYS {
            return Err(NotAKeyFile::TooManyKeys { keys: count });
        }
        self.document(keys.iter().map(|key| match key.as_object() {
            Some(jwk) => Entry::from(Jwk::read(&jwk)),
            None => Entry::from(Jwk::not_an_object()),
        }))
    }

    /// Adds one JWK (RFC 7517 section 4).
    ///
    /// # Errors
    /// [`NotAKeyFile`] if the document is no JWK, or there are too many keys.
    pub fn jwk(self, json: &[u8]) -> Result<Self, NotAKeyFile> {
        let mut buffer = json::Buffer::default();
        let document = json::parse(text_of(json)?, &mut buffer)?;
        if !Jwk::is_one(&document.root()) {
            return Err(NotAKeyFile::NeitherKeyNorSet);
        }
        self.document([Entry::from(Jwk::read(&document.root()))])
    }

    /// Adds the keys of a JSON object that maps key ids to certificates in PEM, as Firebase and Google publish instead
    /// of a JWK set. Any other member is refused without affecting the others.
    ///
    /// # Errors
    /// [`NotAKeyFile`] if the document is no JSON object, or there are too many keys.
    ///
    /// ```
    /// use tollgate_keys::KeySet;
    ///
    /// let loaded = KeySet::builder().certificates(br#"{"k1":"-----BEGIN PUBLIC KEY-----"}"#)?.build_with_reports();
    /// assert_eq!(loaded.reports[0].kid.as_deref(), Some("k1"));
    /// assert!(loaded.set.is_empty());
    /// # Ok::<(), tollgate_keys::NotAKeyFile>(())
    /// ```
    pub fn certificates(self, json: &[u8]) -> Result<Self, NotAKeyFile> {
        let mut buffer = json::Buffer::default();
        let document = json::parse(text_of(json)?, &mut buffer)?;
        self.document(certificates::read(&document.root()))
    }

    /// Adds the keys of a PEM text (RFC 7468): public keys, PKCS #1 public keys and certificates.
    ///
    /// # Errors
    /// [`NotAKeyFile`] if there is no PEM block, or there are too many keys.
    pub fn pem(self, text: &[u8]) -> Result<Self, NotAKeyFile> {
        let blocks = pem::read_blocks(text_of(text)?);
        if blocks.is_empty() {
            return Err(NotAKeyFile::NoPemBlock);
        }
        self.document(blocks.into_iter().map(Entry::from))
    }

    /// Adds one key in DER: a SubjectPublicKeyInfo, a PKCS #1 RSAPublicKey or a certificate.
    ///
    /// # Errors
    /// [`NotAKeyFile`] if the document is none of these, or there are too many keys.
    pub fn der(self, der: &[u8]) -> Result<Self, NotAKeyFile> {
        vet_size(der)?;
        let kind = DerKind::of(der).ok_or(NotAKeyFile::UnknownDer)?;
        self.document([Entry::from(DerKey::read(kind, der))])
    }

    /// Adds an HMAC secret, also next to public keys: here it is the operator's decision.
    #[must_use]
    pub fn hmac(mut self, kid: Option<&str>, algorithm: Algorithm, secret: &[u8]) -> Self {
        self.entries.push(Entry {
            key_type: Some(KeyType::Oct),
            algorithm: Some(algorithm),
            ..Entry::new(kid, KeyType::Oct.name(), HmacKey::new(algorithm, secret).map(EntryKey::Hmac))
        });
        self
    }

    /// Adds a prepared key.
    #[must_use]
    pub fn key(mut self, key: VerifyingKey) -> Self {
        let key_type = key.key_type();
        self.entries.push(Entry {
            key_type: Some(key_type),
            ..Entry::new(key.kid(), key_type.name(), Ok(EntryKey::Ready(key.clone())))
        });
        self
    }

    /// Builds a set of keys that are all meant to be used, such as those of a configuration.
    ///
    /// Every key that was added on its own must be usable, and at least one key of every document. Other keys of a
    /// document may be refused (RFC 7517 section 5): [`KeySetBuilder::build_with_reports`] names them.
    ///
    /// # Errors
    /// [`NoUsableKey`] names the keys that are missing from the set, and why. It is also returned if nothing was added.
    pub fn build(self) -> Result<KeySet, NoUsableKey> {
        let documents: Vec<Option<usize>> = self.entries.iter().map(|entry| entry.document).collect();
        let mut contributes = vec![false; self.documents];
        let Loaded { set, reports } = self.build_with_reports();
        for (document, report) in documents.iter().zip(&reports) {
            if let (Some(document), None) = (document, &report.refused) {
                contributes[*document] = true;
            }
        }
        let is_needed = |document: &Option<usize>| document.is_none_or(|document| !contributes[document]);
        let is_whole = contributes.iter().all(|contributes| *contributes);
        let refused: Vec<_> = documents
            .iter()
            .zip(reports)
            .filter(|(document, report)| report.refused.is_some() && is_needed(document))
            .map(|(_, report)| report)
            .collect();
        if set.is_empty() || !is_whole || !refused.is_empty() { Err(NoUsableKey { refused }) } else { Ok(set) }
    }

    /// Builds a set of the usable keys, possibly none, and a report on each key that was added.
    ///
    /// A key that occurs twice with the same thumbprint (RFC 7638), `kid` and algorithm is one key, with the purposes
    /// of both. Different keys with the same `kid` and algorithm are all refused: it is unclear which one is meant. A
    /// key that is refused for another reason, such as an encryption key, does not cause this. An unusable HMAC secret
    /// does, because a file of secrets is the operator's own and has to be corrected.
    pub fn build_with_reports(self) -> Loaded {
        let mixed = self.mixed_documents();
        let exposed: HashSet<Thumbprint> = self.entries.iter().filter_map(Entry::exposed).collect();
        let algorithms = self.algorithms.as_deref().unwrap_or(&[Algorithm::RS256]);
        let (mut reports, mut keys, mut unusable_secrets) = (Vec::new(), Vec::new(), Vec::new());
        for entry in self.entries {
            let in_mixed_document = entry.document.is_some_and(|document| mixed[document]);
            let (mut report, hmac) = (entry.report(), entry.hmac_algorithm());
            let refused = entry.refused_by_source(self.source, in_mixed_document, &exposed);
            let bound = match refused.or_else(|| entry.refused_by_use(&self.key_uses)) {
                Some(refused) => Err(refused),
                None => entry.bind(algorithms),
            };
            match bound {
                Ok(bound) => keys.extend(bound.into_iter().map(|key| (reports.len(), key))),
                Err(refused) => {
                    let name = report.kid.clone().zip(hmac.filter(|_| !refused.is_for_another_purpose()));
                    unusable_secrets.extend(name);
                    report.refused = Some(refused);
                }
            }
            reports.push(report);
        }
        let mut ambiguous = ambiguous_names(keys.iter().map(|(_, key)| key));
        ambiguous.extend(unusable_secrets.iter().map(|(kid, algorithm)| (*algorithm, kid.as_str())));
        let (mut set, mut taken) = (Vec::<VerifyingKey>::with_capacity(keys.len()), HashMap::new());
        for (index, key) in &keys {
            let (report, algorithm) = (&mut reports[*index], key.algorithm());
            if key.kid().is_some_and(|kid| ambiguous.contains(&(algorithm, kid))) {
                report.refused = Some(KeyRefused::DuplicateKeyId);
                continue;
            }
            report.algs.push(algorithm);
            match taken.entry((algorithm, key.kid(), key.thumbprint())) {
                hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(set.len());
                    set.push(key.clone());
                }
                hash_map::Entry::Occupied(occupied) => {
                    let same = &mut set[*occupied.get()];
                    *same = same.also_for(key);
                }
            }
        }
        // A key may be a duplicate for one of its algorithms and still be used for another.
        for report in reports.iter_mut().filter(|report| !report.algs.is_empty()) {
            report.refused = None;
        }
        Loaded { set: KeySet::new(set), reports }
    }

    fn json(self, json: &[u8]) -> Result<Self, NotAKeyFile> {
        let is_jwk = Jwk::is_one(&json::parse(text_of(json)?, &mut json::Buffer::default())?.root());
        if is_jwk { self.jwk(json) } else { self.jwks(json) }
    }

    fn document(mut self, entries: impl IntoIterator<Item = Entry>) -> Result<Self, NotAKeyFile> {
        let document = Some(self.documents);
        self.documents += 1;
        self.entries.extend(entries.into_iter().map(|entry| Entry { document, ..entry }));
        let keys = self.entries.len();
        if keys > MAX_KEYS { Err(NotAKeyFile::TooManyKeys { keys }) } else { Ok(self) }
    }

    /// For each document, whether it mixes `oct` keys with others.
    fn mixed_documents(&self) -> Vec<bool> {
        let mut kinds = vec![(false, false); self.documents];
        for entry in &self.entries {
            if let (Some(document), Some(key_type)) = (entry.document, entry.key_type) {
                let (symmetric, public) = &mut kinds[document];
                if key_type == KeyType::Oct { *symmetric = true } else { *public = true }
            }
        }
        kinds.into_iter().map(|(symmetric, public)| symmetric && public).collect()
    }
}

/// Returns a document's text after checking its size.
fn text_of(document: &[u8]) -> Result<&[u8], NotAKeyFile> {
    vet_size(document)?;
    Ok(json::without_byte_order_mark(document))
}

fn vet_size(document: &[u8]) -> Result<(), NotAKeyFile> {
    let bytes = document.len();
    if bytes > MAX_KEY_FILE_BYTES { Err(NotAKeyFile::TooLarge { bytes }) } else { Ok(()) }
}

/// The algorithm and `kid` that different keys share.
fn ambiguous_names<'k>(keys: impl Iterator<Item = &'k VerifyingKey>) -> HashSet<(Algorithm, &'k str)> {
    let mut thumbprints = HashMap::new();
    let name = |key: &'k VerifyingKey| Some(((key.algorithm(), key.kid()?), key.thumbprint()));
    keys.filter_map(name)
        .filter(|(name, key)| thumbprints.entry(*name).or_insert(*key) != key)
        .map(|(name, _)| name)
        .collect()
}
