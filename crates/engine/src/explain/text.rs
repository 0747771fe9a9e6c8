use std::fmt::{self, Display};

use crate::excerpt::excerpt_of;

/// An excerpt of a text of the credential, in quotes.
pub(crate) fn quoted(text: &str) -> Box<str> {
    excerpt_of(format_args!("{text:?}"))
}

/// Texts separated by commas; at most [`LISTED`] of them.
pub(crate) fn list<T: Display>(texts: impl IntoIterator<Item = T>) -> String {
    let mut texts = texts.into_iter();
    let shown: Vec<String> = texts.by_ref().take(LISTED).map(|text| text.to_string()).collect();
    match (shown.is_empty(), texts.count()) {
        (true, _) => "none".to_owned(),
        (false, 0) => shown.join(", "),
        (false, further) => format!("{} and {further} more", shown.join(", ")),
    }
}

/// As many as fit into a line.
const LISTED: usize = 6;

/// A time, in seconds since the Unix epoch, with its date, and how far it is from `now`.
pub(crate) fn at(time: i64, now: i64) -> String {
    let date = Date(time);
    match i128::from(time) - i128::from(now) {
        0 => format!("{time} ({date}), now"),
        ahead @ 1.. => format!("{time} ({date}), in {}", Duration(ahead)),
        behind => format!("{time} ({date}), {} ago", Duration(-behind)),
    }
}

/// A duration in seconds, displayed in its two largest units.
struct Duration(i128);

impl Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i128, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
        let largest = UNITS.iter().position(|(seconds, _)| self.0 >= *seconds).unwrap_or(UNITS.len() - 1);
        let (seconds, unit) = UNITS[largest];
        write!(f, "{} {unit}", self.0 / seconds)?;
        match UNITS.get(largest + 1) {
            Some((smaller, unit)) if self.0 % seconds >= *smaller => {
                write!(f, " {} {unit}", self.0 % seconds / smaller)
            }
            _ => Ok(()),
        }
    }
}

/// Seconds since the Unix epoch, displayed as a date of RFC 3339 in UTC; for the years 0 to 9999.
struct Date(i64);

impl Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        if !(-719_528..2_932_897).contains(&days) {
            return f.write_str("no date");
        }
        // Years that begin in March, so that the leap day is the last day. Four hundred of them have 146,097 days.
        let day = days + 719_468;
        let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
        let year = era * 400 + year + i64::from(month < 3);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}
