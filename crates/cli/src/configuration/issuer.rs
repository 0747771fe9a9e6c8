//! `[[issuer]]`: the settings of the engine's own type, and the sources of the keys.

use std::path::{Path, PathBuf};

use serde::de::MapAccess;
use serde::{Deserialize, Deserializer};
use tollgate::keys::limits::MAX_REFUSED_KEYS_SHOWN;
use tollgate::keys::{KeyRefused, KeyReport};
use tollgate::{Algorithm, Issuer, IssuerSettings, KeyRing, KeySet};
use tollgate_remote::{RemoteSettings, StatusListSettings};
use toml::Spanned;

use super::introspection::JwtIntrospectionConfiguration;
use super::own_keys::{OwnKeys, with_own_keys};
use super::secret::SecretConfiguration;
use crate::error::{self, CommandError};
use crate::key_files;
use crate::remote::{Remote, StartError};
use crate::toml_file::TomlFile;

/// One issuer of JWTs. Absent settings have the engine's defaults.
#[derive(Debug)]
pub(crate) struct IssuerConfiguration {
    pub(crate) settings: IssuerSettings,
    pub(crate) keys: KeySources,
}

/// The source of an issuer's keys: one of these.
#[derive(Debug, Default)]
pub(crate) struct KeySources {
    pub(crate) jwks: Option<PathBuf>,
    pub(crate) remote: Option<Spanned<RemoteSettings>>,
    pub(crate) secret: Option<Spanned<SecretConfiguration>>,
    /// Not a source of keys: the status lists are verified under the same keys.
    pub(crate) status_lists: Option<Spanned<StatusListSettings>>,
    /// Not a source of keys: the endpoint that is asked about each token.
    pub(crate) introspection: Option<Spanned<JwtIntrospectionConfiguration>>,
}

/// A contradiction, and its position if that is not the issuer's own line.
pub(super) struct Contradiction {
    pub(super) position: Option<usize>,
    pub(super) reason: String,
}

impl IssuerConfiguration {
    /// Checks everything that needs no key.
    pub(super) fn check(&self) -> Result<(), Contradiction> {
        let name = self.settings.issuer();
        let contradiction = |reason| Contradiction { position: None, reason };
        self.settings.check().map_err(|error| match name {
            "" => contradiction(format!("the issuer {error}")),
            name => contradiction(format!("the issuer {name:?} {error}")),
        })?;
        let KeySources { jwks, remote, secret, status_lists, introspection } = &self.keys;
        let sources = [("jwks", jwks.is_some()), ("remote", remote.is_some()), ("secret", secret.is_some())];
        let given: Vec<&str> = sources.iter().filter(|(_, given)| *given).map(|(source, _)| *source).collect();
        match given[..] {
            [] => return Err(contradiction(format!("the issuer {name:?} needs keys: give jwks, remote or secret"))),
            [_] => {}
            [one, other, ..] => {
                return Err(contradiction(format!("the issuer {name:?} has both {one} and {other}; give one")));
            }
        }
        let within = |position, reason| Contradiction { position, reason: format!("the issuer {name:?}: {reason}") };
        if let Some(remote) = remote {
            let position = Some(remote.span().start);
            remote.get_ref().check(name).map_err(|error| within(position, error.to_string()))?;
        }
        if let Some(lists) = status_lists {
            let position = Some(lists.span().start);
            lists.get_ref().check().map_err(|error| within(position, error.to_string()))?;
        }
        if let Some(introspection) = introspection {
            let position = Some(introspection.span().start);
            introspection.get_ref().endpoint.check().map_err(|error| within(position, error.to_string()))?;
        }
        if let Some(secret) = secret {
            let position = Some(secret.span().start);
            SecretConfiguration::algorithm(self.algorithms()).map_err(|error| within(position, error.to_owned()))?;
        }
        Ok(())
    }

    fn algorithms(&self) -> &[Algorithm] {
        self.settings.algorithms.as_deref().unwrap_or_default()
    }

    /// Makes relative paths relative to `folder`.
    pub(super) fn resolve_paths(&mut self, folder: &Path) {
        let KeySources { jwks, remote, secret, status_lists, introspection } = &mut self.keys;
        if let Some(path) = jwks {
            *path = folder.join(&*path);
        }
        if let Some(remote) = remote {
            remote.get_mut().resolve_paths(folder);
        }
        if let Some(lists) = status_lists {
            lists.get_mut().resolve_paths(folder);
        }
        if let Some(introspection) = introspection {
            introspection.get_mut().endpoint.resolve_paths(folder);
        }
        if let Some(secret) = secret {
            let path = &mut secret.get_mut().file;
            *path = folder.join(&*path);
        }
    }

    /// `file`: the file of this configuration, if any. Also returns the keys.
    pub(super) fn issuer(
        &self,
        remote: &mut Remote,
        file: Option<&TomlFile>,
    ) -> Result<(Issuer, Option<KeyRing>), CommandError> {
        let IssuerConfiguration { settings, keys: sources } = self;
        let algorithms = self.algorithms();
        // Only a file has these sources, and errors name their line.
        let refused = |position, reason: String| {
            let reason = format!("the issuer {:?}: {reason}", settings.issuer());
            file.map_or(CommandError::IssuerKeys(reason.clone()), |file| file.refused(position, reason))
        };
        let not_started = |position, error| match error {
            StartError::Runtime(error) => CommandError::Runtime(error),
            StartError::Configuration(error) => refused(position, error.to_string()),
        };
        let mut issuer = Issuer::from(settings.clone());
        let mut ring = None::<KeyRing>;
        if let Some(path) = &sources.jwks {
            let loaded = KeySet::builder().key_uses(settings.key_uses());
            let loaded = key_files::add(loaded, path, algorithms)?.build_with_reports();
            let reports = loaded.reports.clone();
            let no_usable_key = |source| CommandError::NoUsableKey { path: path.clone(), source };
            ring = Some(loaded.into_set().map_err(no_usable_key)?.into());
            for report in reports.iter().filter(|report| is_worth_a_word(report)).take(MAX_REFUSED_KEYS_SHOWN) {
                error::warn(&format!("{}: {report}", path.display()));
            }
        }
        if let Some(described) = &sources.remote {
            let keys = remote.start(settings, described.get_ref().clone());
            ring = Some(keys.map_err(|error| not_started(described.span().start, error))?);
        }
        if let Some(described) = &sources.secret {
            let keys = SecretConfiguration::algorithm(algorithms)
                .map_err(str::to_owned)
                .and_then(|algorithm| described.get_ref().read(algorithm));
            ring = Some(keys.map_err(|reason| refused(described.span().start, reason))?.into());
        }
        let Some(ring) = ring else { return Ok((issuer, None)) };
        if let Some(described) = &sources.status_lists {
            let lists = remote.start_status_lists(&settings.name, ring.clone(), described.get_ref().clone());
            issuer = issuer.status_lists(lists.map_err(|error| not_started(described.span().start, error))?);
        }
        if let Some(described) = &sources.introspection {
            let JwtIntrospectionConfiguration { endpoint, max_age } = described.get_ref();
            let introspection = remote.start_introspection(&settings.name, endpoint.clone());
            let introspection = introspection.map_err(|error| not_started(described.span().start, error))?;
            issuer = issuer.introspect(introspection, *max_age);
        }
        Ok((issuer.keys(ring.clone()), Some(ring)))
    }
}

impl OwnKeys for KeySources {
    const NAMES: &[&str] = &["jwks", "remote", "secret", "status_lists", "introspection"];

    fn read<'de, M: MapAccess<'de>>(&mut self, name: &str, table: &mut M) -> Result<(), M::Error> {
        match name {
            "jwks" => self.jwks = Some(table.next_value()?),
            "remote" => self.remote = Some(table.next_value()?),
            "secret" => self.secret = Some(table.next_value()?),
            "status_lists" => self.status_lists = Some(table.next_value()?),
            _ => self.introspection = Some(table.next_value()?),
        }
        Ok(())
    }
}

/// Whether a key that should be usable was refused. Keys that are not for signatures, or of an unknown kind, need not be
/// usable.
fn is_worth_a_word(report: &KeyReport) -> bool {
    !matches!(
        report.refused,
        None | Some(
            KeyRefused::UnsupportedKeyType { .. }
                | KeyRefused::UnsupportedCurve { .. }
                | KeyRefused::UseIsNotSignature { .. }
                | KeyRefused::UseNotAccepted { .. }
        )
    )
}

impl<'de> Deserialize<'de> for IssuerConfiguration {
    /// Reads the settings by their own type, from one table with the sources of keys. (`serde(flatten)` would lose the
    /// lines of values, and accept unknown keys.)
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (settings, keys) = with_own_keys(deserializer, "a table that describes an issuer")?;
        Ok(IssuerConfiguration { settings, keys })
    }
}
