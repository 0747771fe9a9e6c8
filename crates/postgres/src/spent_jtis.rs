//! Accepted assertions and proofs, by their `jti`.

use tollgate_storage::accounts::SpentJti;
use tollgate_storage::{Refusal, StorageError};

use crate::account_work::Rows;

/// Records the `jti`. Returns whether it is new.
///
/// Of two at once the later one waits for the insertion of the earlier one, and adds nothing.
pub(crate) async fn spend(rows: &Rows<'_, '_>, jti: &SpentJti, now: i64, max: u32) -> Result<bool, StorageError> {
    let SpentJti { owner, digest, expires_at } = jti;
    // Those that another transaction is clearing away need no second one.
    let delete = "DELETE FROM tollgate.spent_jtis WHERE (owner, digest) IN
                      (SELECT owner, digest FROM tollgate.spent_jtis WHERE expires_at <= $1
                       FOR UPDATE SKIP LOCKED)";
    rows.execute(delete, &[&now]).await?;
    let insert = "INSERT INTO tollgate.spent_jtis (owner, digest, expires_at) VALUES ($1, $2, $3)
                  ON CONFLICT DO NOTHING";
    let added = rows.execute(insert, &[owner, &&digest[..], expires_at]).await?;
    let count = rows.count("SELECT count(*) FROM tollgate.spent_jtis WHERE owner = $1", &[owner]).await?;
    if added > 0 && count > i64::from(max) { Err(Refusal::TooMany { max }.into()) } else { Ok(added > 0) }
}
