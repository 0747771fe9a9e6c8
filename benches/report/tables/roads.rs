use super::Table;
use crate::measured::Measured;
use crate::numbers::thousands;
use crate::roads::ROADS;

/// Instructions and read-modify-writes of every road.
pub(super) fn counts(roads: &Measured) -> String {
    let mut table = Table::new(1, ["one verify", "instructions", "read-modify-writes"]);
    for (road, name) in ROADS {
        let found = &roads.found[road];
        let number = |member: &str| found[member].as_f64().unwrap_or_default();
        table.row([name, &thousands(number("instructions")), &format!("{:.2}", number("read_modify_writes"))]);
    }
    table.0
}

/// The steps of the cold road.
pub(super) fn steps(roads: &Measured) -> String {
    roads.found["steps"].as_str().unwrap_or_default().to_owned()
}
