use async_trait::async_trait;
use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate::{Digest, KeyKind};
use tollgate_storage::limits::REVOCATION_KEPT_SECONDS;
use tollgate_storage::{
    AuditRecord, Client, Command, Executed, Existing, KeyFilter, KeyStore, Position, RevocationKind, StorageError,
    StoredKey, StoredRevocation,
};

use crate::append::position;
use crate::error::timed;
use crate::import::Import;
use crate::limits::WRITE_DEADLINE;
use crate::rows::{
    CLIENT_COLUMNS, KEY_COLUMNS, KeyReader, REVOCATION_COLUMNS, client_of, revocation_digest, revocation_of,
};
use crate::store::PostgresStore;
use crate::transaction::{Commands, live_keys};
use crate::write::{END_OF_LOG, Work};

#[async_trait]
impl KeyStore for PostgresStore {
    async fn execute(&self, commands: Vec<Command>) -> Result<Executed, StorageError> {
        let (outcomes, position) = self.acknowledged(&Commands(&commands)).await?;
        Ok(Executed { outcomes, position })
    }

    async fn import(
        &self,
        keys: Vec<StoredKey>,
        existing: Existing,
        audit: &AuditRecord,
    ) -> Result<Vec<bool>, StorageError> {
        let (added, _) = self.acknowledged(&Import { keys: &keys, existing, audit }).await?;
        Ok(added)
    }

    async fn compact(&self, kept: u64) -> Result<u64, StorageError> {
        self.inner().compact(kept).await
    }

    async fn forget_expired(&self, now: i64) -> Result<usize, StorageError> {
        let tokens = "DELETE FROM tollgate.keys WHERE kind = 'access-token' AND expires_at <= $1";
        let tokens = self.inner().change(tokens, &[&now]).await?;
        self.inner().change("DELETE FROM tollgate.key_sessions WHERE ends_at <= $1", &[&now]).await?;
        let ended = now.saturating_sub(REVOCATION_KEPT_SECONDS);
        let revocations = self.inner().change("DELETE FROM tollgate.revocations WHERE until <= $1", &[&ended]).await?;
        Ok(usize::try_from(tokens + revocations).unwrap_or(usize::MAX))
    }

    async fn latest(&self) -> Result<Position, StorageError> {
        let rows = self.select(END_OF_LOG, &[]).await?;
        Ok(rows.first().map_or(Position::START, |row| position(row.get(0), row.get(1))))
    }

    async fn key(&self, id: &str) -> Result<Option<StoredKey>, StorageError> {
        if id.contains('\0') {
            return Ok(None);
        }
        one_key(&self.select(&format!("SELECT {KEY_COLUMNS} FROM tollgate.keys k WHERE k.id = $1"), &[&id]).await?)
    }

    async fn key_of(&self, digest: &Digest) -> Result<Option<StoredKey>, StorageError> {
        let rows = self
            .select(
                &format!("SELECT {KEY_COLUMNS} FROM tollgate.keys k WHERE k.digest = $1"),
                &[&&digest.as_bytes()[..]],
            )
            .await?;
        one_key(&rows)
    }

    async fn keys(&self, filter: &KeyFilter, after: Option<&str>, max: usize) -> Result<Vec<StoredKey>, StorageError> {
        let KeyFilter { subject, kind, state, ends_before } = filter;
        if subject.as_ref().is_some_and(|subject| subject.contains('\0')) {
            return Ok(Vec::new());
        }
        let (kind, state) = (kind.map(KeyKind::as_str), state.map(tollgate::KeyState::as_str));
        let (mut keys, mut after) = (Vec::new(), after.unwrap_or_default().to_owned());
        // Repeated only if unreadable rows of the page were skipped.
        while keys.len() < max {
            let wanted = i64::try_from(max - keys.len()).unwrap_or(i64::MAX);
            let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&after, &wanted];
            // Only the given conditions, so that each uses its index.
            let mut select = format!("SELECT {KEY_COLUMNS} FROM tollgate.keys k WHERE k.id > $1");
            for (condition, value) in [
                ("k.subject =", subject.as_ref().map(|value| value as &(dyn ToSql + Sync))),
                ("k.kind =", kind.as_ref().map(|value| value as _)),
                ("k.state =", state.as_ref().map(|value| value as _)),
                ("least(k.expires_at, k.overlap_ends_at) <", ends_before.as_ref().map(|value| value as _)),
            ] {
                if let Some(value) = value {
                    parameters.push(value);
                    select += &format!(" AND {condition} ${}", parameters.len());
                }
            }
            let rows = self.select(&format!("{select} ORDER BY k.id LIMIT $2"), &parameters).await?;
            keys.extend(readable(&rows));
            match rows.last() {
                Some(last) if rows.len() as i64 == wanted => after = last.get(0),
                _ => break,
            }
        }
        Ok(keys)
    }

    async fn live_keys_of(&self, subject: &str, kind: KeyKind, now: i64) -> Result<Vec<StoredKey>, StorageError> {
        if subject.contains('\0') {
            return Ok(Vec::new());
        }
        Ok(readable(&self.select(&live_keys(""), &[&subject, &kind.as_str(), &now]).await?))
    }

    async fn key_count(&self) -> Result<usize, StorageError> {
        // An index returns its ends at once, and numbers are not reused.
        let rows = self.select("SELECT coalesce(max(number) - min(number) + 1, 0) FROM tollgate.keys", &[]).await?;
        Ok(rows.first().map_or(0, |row| usize::try_from(row.get::<_, i64>(0)).unwrap_or(0)))
    }

    async fn first_format(&self) -> Result<Option<String>, StorageError> {
        let select = "SELECT format FROM tollgate.keys WHERE format IS NOT NULL ORDER BY number LIMIT 1";
        Ok(self.select(select, &[]).await?.first().map(|row| row.get(0)))
    }

    async fn client(&self, id: &str) -> Result<Option<Client>, StorageError> {
        if id.contains('\0') {
            return Ok(None);
        }
        let rows =
            self.select(&format!("SELECT {CLIENT_COLUMNS} FROM tollgate.clients l WHERE l.id = $1"), &[&id]).await?;
        Ok(rows.first().map(|row| client_of(row, 0)).transpose()?)
    }

    async fn clients(&self, after: Option<&str>, max: usize) -> Result<Vec<Client>, StorageError> {
        let (after, max) = (after.unwrap_or_default(), i64::try_from(max).unwrap_or(i64::MAX));
        let select = format!("SELECT {CLIENT_COLUMNS} FROM tollgate.clients l WHERE l.id > $1 ORDER BY l.id LIMIT $2");
        let rows = self.select(&select, &[&after, &max]).await?;
        // An unreadable client does not prevent the others from being listed.
        Ok(rows.iter().filter_map(|row| client_of(row, 0).ok()).collect())
    }

    async fn revocations_of(
        &self,
        issuer: &str,
        names: &[(RevocationKind, &str)],
    ) -> Result<Vec<StoredRevocation>, StorageError> {
        let digests: Vec<_> = names.iter().map(|(kind, name)| revocation_digest(*kind, issuer, name)).collect();
        let digests: Vec<&[u8]> = digests.iter().map(|digest| &digest[..]).collect();
        let select = format!("SELECT {REVOCATION_COLUMNS} FROM tollgate.revocations r WHERE r.digest = ANY($1)");
        let rows = self.select(&select, &[&digests]).await?;
        Ok(rows.iter().map(|row| revocation_of(row, 0)).collect::<Result<_, _>>()?)
    }

    async fn revocations(
        &self,
        after: Option<&StoredRevocation>,
        max: usize,
    ) -> Result<Vec<StoredRevocation>, StorageError> {
        let (kind, issuer, name) =
            after.map_or(("", "", ""), |after| (after.kind.as_str(), &*after.issuer, &*after.name));
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        // An index holds only the beginning of long names. Issuers with the same first 512 characters are ordered by
        // name.
        let select = format!(
            "SELECT {REVOCATION_COLUMNS} FROM tollgate.revocations r
             WHERE (r.kind, left(r.issuer, 512), left(r.name, 128)) >= ($1, left($2, 512), left($3, 128))
             AND (r.kind, left(r.issuer, 512), left(r.name, 128), r.issuer, r.name) > ($1, left($2, 512), left($3, 128), $2, $3)
             ORDER BY r.kind, left(r.issuer, 512), left(r.name, 128), r.issuer, r.name LIMIT $4"
        );
        let rows = self.select(&select, &[&kind, &issuer, &name, &max]).await?;
        Ok(rows.iter().filter_map(|row| revocation_of(row, 0).ok()).collect())
    }
}

impl PostgresStore {
    /// Executes the work, and waits until it is durable, including changes by others that it has read.
    pub(crate) async fn acknowledged<W: Work>(&self, work: &W) -> Result<(W::Done, Position), StorageError> {
        let (inner, deadline) = (self.inner(), Instant::now() + WRITE_DEADLINE + work.allowance());
        let _place = inner.writers.try_acquire().map_err(|_| StorageError::Busy)?;
        inner.barrier.admit()?;
        let (done, position) = inner.write(work, deadline).await?;
        inner.barrier.wait(position, deadline).await?;
        Ok((done, position))
    }

    pub(crate) async fn select(
        &self,
        text: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StorageError> {
        timed(|| async {
            let client = self.pool().get().await?;
            let statement = client.prepare_cached(text).await?;
            Ok(client.query(&statement, parameters).await?)
        })
        .await
    }
}

fn one_key(rows: &[Row]) -> Result<Option<StoredKey>, StorageError> {
    Ok(rows.first().map(|row| KeyReader::default().read(row, 0)).transpose()?)
}

/// Unreadable rows are skipped if there are others.
fn readable(rows: &[Row]) -> Vec<StoredKey> {
    let mut reader = KeyReader::default();
    rows.iter().filter_map(|row| reader.read(row, 0).ok()).collect()
}
