//! Libraries of Node.js, in pinned versions.

use std::process::Command;
use std::{fs, io};

use serde_json::{Value, json};
use tollgate::Algorithm;
use tollgate_bench::unix_time;
use tollgate_tests::{AUDIENCE, ISSUER, signing_key, traffic_token};

use crate::command::{output, root, run, target};

/// The compared algorithms, which are those of the benchmark `jwt`, and the number of tokens of each.
const ALGORITHMS: [Algorithm; 4] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS256];
const TOKENS: usize = 1024;

/// Nanoseconds a verify, by library and algorithm.
pub(crate) fn measure() -> io::Result<Value> {
    let (source, folder) = (root().join("benches/node"), target().join("report/node"));
    fs::create_dir_all(&folder)?;
    for name in ["package.json", "verify.mjs"] {
        fs::copy(source.join(name), folder.join(name))?;
    }
    run(Command::new("npm").args(["install", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder))?;
    fs::write(folder.join("tokens.json"), traffic().to_string())?;
    let printed = output(Command::new("node").args(["verify.mjs", "tokens.json"]).current_dir(&folder))?;
    let version = output(Command::new("node").arg("--version"))?;
    let mut found: Value = serde_json::from_str(&printed).map_err(io::Error::other)?;
    found["version"] = version.trim().into();
    Ok(found)
}

fn traffic() -> Value {
    let now = unix_time();
    let algorithms = ALGORITHMS.map(|algorithm| {
        let key = signing_key(algorithm, 0);
        let jwk = key.public_jwk().unwrap_or_else(|| key.to_private_jwk().to_string());
        let jwk: Value = serde_json::from_str(&jwk).unwrap_or_default();
        let tokens: Vec<String> = (0..TOKENS).map(|index| traffic_token(&key, index, now)).collect();
        json!({ "alg": algorithm.name(), "jwk": jwk, "tokens": tokens })
    });
    json!({ "issuer": ISSUER, "audience": AUDIENCE, "algorithms": algorithms })
}
