//! `[[issuer]]`: the settings of the engine's own type, and beside them where the keys are.

use std::fmt;
use std::path::PathBuf;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tollgate::{Issuer, IssuerSettings, KeySet};

use crate::error::CommandError;
use crate::key_files;
use crate::remote::{Remote, RemoteConfiguration};

/// One issuer of JWTs. What is absent is as the engine has it by default.
#[derive(Debug)]
pub(crate) struct IssuerConfiguration {
    pub(crate) settings: IssuerSettings,
    pub(crate) keys: KeySources,
}

/// Where the keys of an issuer are: one of these.
#[derive(Debug, Default)]
pub(crate) struct KeySources {
    pub(crate) jwks: Option<PathBuf>,
    pub(crate) remote: Option<RemoteConfiguration>,
}

impl IssuerConfiguration {
    /// Checks all that can be said without reading a key.
    pub(super) fn check(&self) -> Result<(), String> {
        let name = &self.settings.name;
        self.settings.check().map_err(|error| match name.as_str() {
            "" => format!("the issuer {error}"),
            name => format!("the issuer {name:?} {error}"),
        })?;
        match (&self.keys.jwks, &self.keys.remote) {
            (None, None) => Err(format!("the issuer {name:?} needs keys: give jwks or remote")),
            (Some(_), Some(_)) => Err(format!("the issuer {name:?} has both jwks and remote; give one")),
            _ => Ok(()),
        }
    }

    pub(super) fn issuer(&self, remote: &mut Remote) -> Result<Issuer, CommandError> {
        let IssuerConfiguration { settings, keys: sources } = self;
        let algorithms = settings.algorithms.as_deref().unwrap_or_default();
        let mut issuer = Issuer::from(settings.clone());
        if let Some(path) = &sources.jwks {
            let loaded = key_files::add(KeySet::builder(), path, algorithms)?.build_with_reports();
            let no_usable_key = |source| CommandError::NoUsableKey { path: path.clone(), source };
            issuer = issuer.keys(loaded.into_set().map_err(no_usable_key)?);
        }
        if let Some(configuration) = &sources.remote {
            issuer = issuer.keys(remote.start(&settings.name, configuration, algorithms)?);
        }
        Ok(issuer)
    }
}

impl<'de> Deserialize<'de> for IssuerConfiguration {
    /// Reads the settings by their own type, from one table with the sources of keys. (`serde(flatten)` would forget the lines
    /// that things are in, and let unknown keys pass.)
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;

        impl<'de> Visitor<'de> for Table {
            type Value = IssuerConfiguration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table that describes an issuer")
            }

            fn visit_map<M: MapAccess<'de>>(self, table: M) -> Result<Self::Value, M::Error> {
                let mut keys = KeySources::default();
                let others = Others { table, keys: &mut keys };
                let settings = IssuerSettings::deserialize(MapAccessDeserializer::new(others))?;
                Ok(IssuerConfiguration { settings, keys })
            }
        }

        deserializer.deserialize_map(Table)
    }
}

/// The entries of a table that are no sources of keys; those are put into `keys` as they come.
struct Others<'k, M> {
    table: M,
    keys: &'k mut KeySources,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Others<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        let mut seed = Some(seed);
        while let Some(key) = self.table.next_key_seed(KeySeed { other: &mut seed })? {
            match key {
                Key::Jwks => self.keys.jwks = Some(self.table.next_value()?),
                Key::Remote => self.keys.remote = Some(self.table.next_value()?),
                Key::Other(key) => return Ok(Some(key)),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.table.next_value_seed(seed)
    }
}

enum Key<T> {
    Jwks,
    Remote,
    Other(T),
}

/// Reads a key; one that is not ours by the seed of the settings, which is then taken.
struct KeySeed<'s, K> {
    other: &'s mut Option<K>,
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for KeySeed<'_, K> {
    type Value = Key<K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = String::deserialize(deserializer)?;
        match (key.as_str(), self.other.take()) {
            ("jwks", seed) => {
                *self.other = seed;
                Ok(Key::Jwks)
            }
            ("remote", seed) => {
                *self.other = seed;
                Ok(Key::Remote)
            }
            (key, Some(seed)) => {
                let key: StrDeserializer<'_, serde::de::value::Error> = key.into_deserializer();
                // The settings do not know of our own.
                let unknown = |error| D::Error::custom(format!("{error}, `jwks`, `remote`"));
                seed.deserialize(key).map(Key::Other).map_err(unknown)
            }
            (_, None) => Err(D::Error::custom("a key after the last")),
        }
    }
}
