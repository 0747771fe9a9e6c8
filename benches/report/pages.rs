//! Writes the parts of the pages between markers; the rest of their text is written by hand.

use std::{fs, io};

use crate::charts::{Chart, charts};
use crate::command::root;
use crate::tables::tables;

/// The pages, and the path of the charts' folder from each.
const PAGES: [(&str, &str); 2] = [("docs/performance.md", "performance"), ("README.md", CHARTS)];
const CHARTS: &str = "docs/performance";

/// Writes the tables and charts of all measurements. Parts without a measurement stay as they are.
pub(crate) fn write() -> io::Result<()> {
    let (charts, tables) = (charts(), tables());
    for chart in &charts {
        let folder = root().join(CHARTS);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(chart.name).with_extension("svg"), &chart.picture)?;
    }
    for (page, folder) in PAGES {
        let path = root().join(page);
        let mut text = fs::read_to_string(&path)?;
        for (name, table) in &tables {
            text = replace(&text, name, table);
        }
        for Chart { name, title, .. } in &charts {
            text = replace(&text, &format!("chart {name}"), &format!("![{title}]({folder}/{name}.svg)\n"));
        }
        fs::write(path, text)?;
    }
    Ok(())
}

/// The page with `content` between the markers of that name, if it has them.
fn replace(page: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- measured: {name} -->"), format!("<!-- end: {name} -->"));
    let place = page.find(&begin).zip(page.find(&end)).filter(|(begin, end)| begin < end);
    match place {
        Some((from, to)) => format!("{}{begin}\n{content}{}", &page[..from], &page[to..]),
        None => page.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let page = "a\n<!-- measured: x -->\nold\n<!-- end: x -->\nb\n<!-- measured: y -->\n<!-- end: y -->\n";
        let once = replace(page, "x", "new\n");
        assert_eq!(once, page.replace("old", "new"));
        assert_eq!(replace(&once, "x", "new\n"), once, "a second time changes nothing");
        assert_eq!(replace(page, "z", "new\n"), page);
        let torn = "<!-- end: x --> <!-- measured: x -->";
        assert_eq!(replace(torn, "x", "new\n"), torn);
    }
}
