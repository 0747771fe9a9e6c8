//! Measures how many tokens a second the token endpoint gives for each grant, on SQLite and on PostgreSQL, and beside oidc-provider (npm):
//! `cargo run --release -p tollgate-service --example token_load [ROUNDS]`.
//!
//! Each server is a process of its own; servers, database and load share the machine. A round loads one server after the other, so that a
//! change of the machine's speed affects all; the table has the medians of three rounds unless another number is given. The tables are for
//! docs/performance.md. Needs PostgreSQL, Node.js and npm.

#![forbid(unsafe_code)]

mod connection;
mod load;
mod person;
mod table;
mod target;

// The server of the tests: a new cluster in a temporary folder, on a free port.
#[path = "../../../postgres/tests/behaviour/cluster.rs"]
#[allow(dead_code, reason = "the tests of that store use more of it")]
mod cluster;

use load::{Grant, measure};
use std::error::Error;
use table::Table;
use target::Target;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 3;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, store] = &*arguments
        && verb == "serve"
    {
        return target::serve(store);
    }
    let rounds = arguments.first().map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let folder = tempfile::tempdir()?;
    let cluster = cluster::Server::start(&[]).ok_or("PostgreSQL is not installed")?;
    let mut targets = [
        Target::tollgate("tollgate, SQLite", folder.path().to_str().ok_or("the temporary folder has no UTF-8")?)?,
        Target::tollgate("tollgate, PostgreSQL", &cluster.url(&cluster.new_database()))?,
        Target::oidc_provider("oidc-provider, in memory")?,
    ];
    let mut table = Table::default();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for grant in Grant::ALL {
            for target in &mut targets {
                let figures = measure(grant, target)?;
                eprintln!("{}, {}: {figures:?}", grant.name(), target.name);
                table.add(grant, target.name, figures);
            }
        }
    }
    print!("{table}");
    Ok(())
}
