//! The usual cause of each rejection, and the remedy, from a column of the reference.

const REFERENCE: &str = include_str!("../../../rejections.txt");

/// The reference's advice for `code`; `None` for a code of the user's own.
pub(super) fn of(code: &str) -> Option<String> {
    let quoted = format!("`{code}`");
    REFERENCE.lines().find_map(|line| {
        let row = line.strip_prefix('|')?.strip_suffix('|')?;
        let is_it = row.split(" | ").next()?.split(',').any(|one| one.trim() == quoted);
        is_it.then(|| without_links(row.rsplit(" | ").next().unwrap_or_default().trim()))
    })
}

/// `[text](target)` as `text`.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        match link.split_once("](").and_then(|(name, end)| Some((name, end.split_once(')')?.1))) {
            Some((name, after)) => {
                plain.push_str(name);
                rest = after;
            }
            None => {
                plain.push('[');
                rest = link;
            }
        }
    }
    plain + rest
}
