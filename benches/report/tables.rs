//! The tables, in Markdown.

mod attack;
mod bars;
mod cold;
mod end_to_end;
mod paths;
mod warm;

pub(crate) use end_to_end::{SERVERS, column};

use std::fmt::Write;

use serde_json::Value;

use crate::measured::{Measured, kept};
use crate::part::Part;

/// The name and text of every table that has measurements.
pub(crate) fn tables() -> Vec<(&'static str, String)> {
    let table = |part: Part, name, write: &dyn Fn(&Measured) -> String| {
        let measured = kept(part)?;
        Some((name, format!("{}\n\n{}\n", write(&measured).trim_end(), source(part, &measured))))
    };
    let tables = [
        table(Part::Cold, "cold", &cold::table),
        table(Part::Warm, "warm", &|measured| warm::WARM.table(measured)),
        table(Part::Node, "cached", &cold::cached),
        table(Part::Warm, "threads", &warm::threads),
        table(Part::Reject, "reject", &|measured| warm::REJECT.table(measured)),
        table(Part::ApiKey, "api-key", &|measured| warm::API_KEY.table(measured)),
        table(Part::Rotation, "rotation", &|measured| warm::ROTATION.table(measured)),
        table(Part::Attack, "attack", &attack::table),
        table(Part::EndToEnd, "end-to-end", &end_to_end::table),
        table(Part::Paths, "paths", &paths::counts),
        table(Part::Paths, "steps", &paths::steps),
        Some(("bars", bars::table())),
    ];
    tables.into_iter().flatten().collect()
}

/// The ids of a part's benchmarks that were not measured: its tables would lack their rows.
pub(crate) fn unmeasured(part: Part, found: &Value) -> Vec<String> {
    match part {
        Part::Cold => cold::unmeasured(found),
        Part::Warm => warm::WARM.unmeasured(found),
        Part::Reject => warm::REJECT.unmeasured(found),
        Part::Dpop => bars::unmeasured(found),
        Part::ApiKey => warm::API_KEY.unmeasured(found),
        Part::Rotation => warm::ROTATION.unmeasured(found),
        // The measurements of these four fail by themselves if something is missing.
        Part::Node | Part::Attack | Part::EndToEnd | Part::Paths => Vec::new(),
    }
}

/// Where and how a table was measured.
fn source(part: Part, measured: &Measured) -> String {
    format!("<sub>{}: `report --only {}`</sub>", measured.machine, part.name())
}

/// A table of Markdown: columns of text to the left, columns of numbers to the right.
struct Table(String);

impl Table {
    /// A table whose first `texts` columns are text.
    fn new<const N: usize>(texts: usize, columns: [&str; N]) -> Self {
        let mut table = Table(String::new());
        table.row(columns);
        let _ = writeln!(table.0, "|{}{}", "---|".repeat(texts), "---:|".repeat(N - texts));
        table
    }

    fn row<const N: usize>(&mut self, cells: [impl AsRef<str>; N]) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "| {} |", cells.each_ref().map(AsRef::as_ref).join(" | "));
    }
}
