use time::OffsetDateTime;

/// A time for people, in UTC: `22 November 2026, 10:00 UTC`. `seconds`: since the Unix epoch.
pub(super) fn text(seconds: i64) -> String {
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else { return "an unknown time".to_owned() };
    format!("{} {} {}, {:02}:{:02} UTC", time.day(), time.month(), time.year(), time.hour(), time.minute())
}

/// The same as an element that says it to programs too.
pub(super) fn element(seconds: i64) -> String {
    let machine = crate::json::rfc3339(seconds).unwrap_or_default();
    format!("<time datetime=\"{machine}\">{}</time>", text(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_to_the_minute() {
        assert_eq!(text(1_795_341_600), "22 November 2026, 10:00 UTC");
        assert_eq!(
            element(1_795_341_600),
            "<time datetime=\"2026-11-22T10:00:00Z\">22 November 2026, 10:00 UTC</time>"
        );
    }
}
