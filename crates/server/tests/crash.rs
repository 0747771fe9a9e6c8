//! A process killed in the middle of its writes loses nothing that it had acknowledged.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use tollgate_server::storage::{Credential, CredentialKind, Store};

/// Kills per run. Each one lands at another moment, because the writer never pauses.
const KILLS: usize = 10;

#[test]
fn what_was_acknowledged_survives_a_kill() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    for round in 0..KILLS {
        let acknowledged = write_until_killed(folder.path(), round)?;
        let store = Store::open(folder.path())?;
        let stored = store.credentials_of(&format!("u{round}"), CredentialKind::ApiKey)?;
        for id in &acknowledged {
            assert!(stored.iter().any(|key| key.id == *id), "{id} was acknowledged, and is lost");
        }
        // The one that was being written may be there or not, but never more than that one.
        assert!(stored.len() <= acknowledged.len() + 1);
    }
    Ok(())
}

/// Not a test: the process that the test above starts and kills.
#[test]
fn writer() -> Result<(), Box<dyn Error>> {
    let (Ok(folder), Ok(round)) = (std::env::var(FOLDER), std::env::var(ROUND)) else {
        return Ok(());
    };
    let store = Store::open(folder.as_ref())?;
    let mut output = std::io::stdout().lock();
    for count in 0_u32.. {
        let id = format!("k{round}-{count}");
        let mut digest = [0; 32];
        digest[..id.len()].copy_from_slice(id.as_bytes());
        store.add_credential(&Credential {
            id: id.clone(),
            digest,
            kind: CredentialKind::ApiKey,
            subject: format!("u{round}"),
            name: "laptop".into(),
            scopes: "read:sites".into(),
            created_at: 1,
            not_before: None,
            expires_at: None,
            revoked_at: None,
        })?;
        writeln!(output, "{ACKNOWLEDGED}{id}")?;
        output.flush()?;
    }
    Ok(())
}

fn write_until_killed(folder: &std::path::Path, round: usize) -> Result<Vec<String>, Box<dyn Error>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--exact", "writer", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("the child has no output")?;
    let mut acknowledged = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        // The test harness writes its own text before the first line.
        if let Some((_, id)) = line.split_once(ACKNOWLEDGED) {
            acknowledged.push(id.to_owned());
        }
        if acknowledged.len() == 5 + round {
            child.kill()?;
        }
    }
    child.wait()?;
    Ok(acknowledged)
}

const FOLDER: &str = "TOLLGATE_TEST_FOLDER";
const ROUND: &str = "TOLLGATE_TEST_ROUND";
const ACKNOWLEDGED: &str = "acknowledged ";
