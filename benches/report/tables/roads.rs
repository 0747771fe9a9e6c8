use super::Table;
use crate::measured::Measured;
use crate::numbers::thousands;
use crate::roads::ROADS;

/// Functions are shown down to this share of the instructions, 0 to 1.
const LEAST: f64 = 0.02;

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

/// The functions of the cold road.
pub(super) fn functions(roads: &Measured) -> String {
    let mut table = Table::new(1, ["function", "instructions", "share"]);
    let found = &roads.found["cold"];
    let all = found["instructions"].as_f64().unwrap_or_default();
    let mut functions: Vec<(&str, f64)> = found["functions"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, instructions)| (name.as_str(), instructions.as_f64().unwrap_or_default()))
        .collect();
    functions.sort_by(|one, other| other.1.total_cmp(&one.1));
    let mut rest = all;
    for (name, instructions) in functions.into_iter().filter(|(_, instructions)| instructions / all >= LEAST) {
        rest -= instructions;
        row(&mut table, &format!("`{}`", short(name)), instructions, all);
    }
    row(&mut table, "all others", rest, all);
    table.0
}

fn row(table: &mut Table, name: &str, instructions: f64, all: f64) {
    table.row([name, &thousands(instructions), &format!("{:.0}%", instructions / all * 100.0)]);
}

/// A function's name without the hash at its end and what it is generic over.
fn short(name: &str) -> String {
    let name = name.rsplit_once("::h").filter(|(_, hash)| hash.len() == 16).map_or(name, |(name, _)| name);
    let (mut text, mut depth) = (String::new(), 0);
    for character in name.chars() {
        match character {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ if depth == 0 => text.push(character),
            _ => {}
        }
    }
    // All of it was in angle brackets: `<Type as Trait>::function`.
    if text.starts_with("::") { name.replace(['|', '`'], "") } else { text.replace("::::", "::") }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn names_lose_hashes_and_parameters() {
        assert_eq!(short("simd_json::Deserializer::parse::h0123456789abcdef"), "simd_json::Deserializer::parse");
        assert_eq!(short("a::b<c::d<e>>::f"), "a::b::f");
        assert_eq!(short("<a::B as c::D>::e"), "<a::B as c::D>::e");
    }
}
