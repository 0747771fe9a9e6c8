//! Numbers from the measurements, and their text forms.

use serde_json::Value;

/// The rounds of a benchmark, in nanoseconds; empty if it was not measured.
pub(crate) fn rounds(found: &Value, id: &str) -> Vec<f64> {
    let rounds = found[id].as_array().map(Vec::as_slice).unwrap_or_default();
    rounds.iter().filter_map(Value::as_f64).collect()
}

/// The median of a benchmark's rounds, in nanoseconds.
pub(crate) fn time(found: &Value, id: &str) -> Option<f64> {
    median(rounds(found, id))
}

/// The ratio of the benchmark `id` to `base`: the median over the rounds.
pub(crate) fn ratio(found: &Value, id: &str, base: &str) -> Option<f64> {
    median(rounds(found, id).iter().zip(rounds(found, base)).map(|(time, base)| time / base).collect())
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// Nanoseconds, in a suitable unit; a dash if nothing was measured.
pub(crate) fn shown(nanoseconds: Option<f64>) -> String {
    match nanoseconds {
        None => "-".to_owned(),
        Some(ns) if ns < 1e3 => format!("{ns:.0} ns"),
        Some(ns) if ns < 1e4 => format!("{:.2} us", ns / 1e3),
        Some(ns) if ns < 1e6 => format!("{:.1} us", ns / 1e3),
        Some(ns) => format!("{:.2} ms", ns / 1e6),
    }
}

/// A ratio, with two digits after the point.
pub(crate) fn times(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2} x"))
}

/// A whole number with a comma between thousands.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{median, ratio, shown, thousands};

    #[test]
    fn ratios_are_of_one_round_each() {
        // The machine is twice as slow in the second round, and busy with something else in the third.
        let found = json!({ "one": [10.0, 20.0, 90.0], "base": [100.0, 200.0, 100.0] });
        assert_eq!(ratio(&found, "one", "base"), Some(0.1));
        assert_eq!(ratio(&found, "one", "absent"), None);
    }

    #[test]
    fn medians_need_no_order() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(
            [None, Some(61.4), Some(1_720.0), Some(72_140.0), Some(3e6)].map(shown),
            ["-", "61 ns", "1.72 us", "72.1 us", "3.00 ms"]
        );
        assert_eq!([1.0, 999.0, 1_000.0, 1_234_567.0].map(thousands), ["1", "999", "1,000", "1,234,567"]);
    }
}
