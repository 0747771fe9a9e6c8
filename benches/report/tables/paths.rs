use super::Table;
use crate::measured::Measured;
use crate::numbers::thousands;
use crate::paths::PATHS;

/// Instructions and read-modify-writes of every path.
pub(super) fn counts(paths: &Measured) -> String {
    let mut table = Table::new(1, ["one verify", "instructions", "read-modify-writes"]);
    for (path, name) in PATHS {
        let found = &paths.found[path];
        let number = |member: &str| found[member].as_f64().unwrap_or_default();
        table.row([name, &thousands(number("instructions")), &format!("{:.2}", number("read_modify_writes"))]);
    }
    table.0
}

/// The steps of the cold path.
pub(super) fn steps(paths: &Measured) -> String {
    paths.found["steps"].as_str().unwrap_or_default().to_owned()
}
