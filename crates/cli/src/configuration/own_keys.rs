//! Tables with the settings of an engine's type and additional keys of the command.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The additional keys of a table.
pub(super) trait OwnKeys: Default {
    /// Their names, at least one.
    const NAMES: &[&str];

    /// Reads the value of an additional key.
    fn read<'de, M: MapAccess<'de>>(&mut self, name: &str, table: &mut M) -> Result<(), M::Error>;
}

/// Reads a table with the settings of an engine's type and additional keys. (`serde(flatten)` would lose the lines of values,
/// and accept unknown keys.)
pub(super) fn with_own_keys<'de, S: Deserialize<'de>, K: OwnKeys, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<(S, K), D::Error> {
    struct Table<S, K>(&'static str, PhantomData<(S, K)>);

    impl<'de, S: Deserialize<'de>, K: OwnKeys> Visitor<'de> for Table<S, K> {
        type Value = (S, K);

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_map<M: MapAccess<'de>>(self, table: M) -> Result<Self::Value, M::Error> {
            let mut own = K::default();
            let others = Others { table, own: &mut own };
            let settings = S::deserialize(MapAccessDeserializer::new(others))?;
            Ok((settings, own))
        }
    }

    deserializer.deserialize_map(Table(expected, PhantomData))
}

/// The entries of a table that belong to the settings. Additional keys are put into `own`.
struct Others<'k, M, K> {
    table: M,
    own: &'k mut K,
}

impl<'de, M: MapAccess<'de>, K: OwnKeys> MapAccess<'de> for Others<'_, M, K> {
    type Error = M::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, M::Error> {
        let mut seed = Some(seed);
        while let Some(key) = self.table.next_key_seed(KeySeed { other: &mut seed, own: PhantomData::<K> })? {
            match key {
                Key::Own(name) => self.own.read(name, &mut self.table)?,
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
    Own(&'static str),
    Other(T),
}

/// Reads a key. A key of the settings is read by their seed, which is then consumed.
struct KeySeed<'s, S, K> {
    other: &'s mut Option<S>,
    own: PhantomData<K>,
}

impl<'de, S: DeserializeSeed<'de>, K: OwnKeys> DeserializeSeed<'de> for KeySeed<'_, S, K> {
    type Value = Key<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = String::deserialize(deserializer)?;
        if let Some(name) = K::NAMES.iter().find(|name| **name == key) {
            return Ok(Key::Own(name));
        }
        let seed = self.other.take().ok_or_else(|| D::Error::custom("a key after the last"))?;
        let key: StrDeserializer<'_, serde::de::value::Error> = key.as_str().into_deserializer();
        // The settings do not know the additional keys.
        let unknown = |error| D::Error::custom(format!("{error}, `{}`", K::NAMES.join("`, `")));
        seed.deserialize(key).map(Key::Other).map_err(unknown)
    }
}
