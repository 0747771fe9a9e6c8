use crate::canvas::{Anchor, Canvas, MARGIN, WIDTH};
use crate::document::Chart;

const LABELS: f64 = 210.0;
const VALUES: f64 = 110.0;
const BAR: f64 = 18.0;
const GAP: f64 = 6.0;

/// Horizontal bars in groups, one below the other, on one linear scale that begins at zero.
#[derive(Clone, Debug, Default)]
pub struct BarChart {
    title: String,
    note: String,
    groups: Vec<(String, Vec<Bar>)>,
}

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    label: String,
    value: f64,
    text: String,
    is_ours: bool,
}

impl Bar {
    /// A bar as long as `value` asks for, with `text` at its end. What is no positive number has no length.
    #[must_use]
    pub fn new(label: impl Into<String>, value: f64, text: impl Into<String>) -> Self {
        Bar { label: label.into(), value: if value > 0.0 { value } else { 0.0 }, text: text.into(), is_ours: false }
    }

    /// Draws it in the colour that stands out.
    #[must_use]
    pub fn ours(mut self) -> Self {
        self.is_ours = true;
        self
    }
}

impl BarChart {
    /// A chart with no bar yet. `note` says the unit, and whether more or less is better.
    #[must_use]
    pub fn new(title: impl Into<String>, note: impl Into<String>) -> Self {
        BarChart { title: title.into(), note: note.into(), groups: Vec::new() }
    }

    /// Adds bars under a name, which may be empty.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>, bars: impl IntoIterator<Item = Bar>) -> Self {
        self.groups.push((name.into(), bars.into_iter().collect()));
        self
    }
}

impl Chart for BarChart {
    fn draw(&self, canvas: &mut Canvas) {
        canvas.heading(&self.title, &self.note);
        let longest = self.groups.iter().flat_map(|(_, bars)| bars).map(|bar| bar.value).fold(0.0, f64::max);
        let room = WIDTH - 2.0 * MARGIN - LABELS - VALUES;
        for (name, bars) in &self.groups {
            if !name.is_empty() {
                canvas.y += 24.0;
                canvas.text(MARGIN, canvas.y, Anchor::Start, "label", name);
                canvas.y += GAP;
            }
            for bar in bars {
                // What is there can be seen, however little it is.
                let width = if longest > 0.0 { (room * bar.value / longest).max(1.0) } else { 0.0 };
                let (class, baseline) = (if bar.is_ours { "ours" } else { "other" }, canvas.y + BAR - 5.0);
                canvas.text(MARGIN + LABELS - 10.0, baseline, Anchor::End, "label", &bar.label);
                let tip = format!("{}: {}", bar.label, bar.text);
                canvas.bar(class, [MARGIN + LABELS, canvas.y, width, BAR], &tip);
                canvas.text(MARGIN + LABELS + width + 8.0, baseline, Anchor::Start, "value", &bar.text);
                canvas.y += BAR + GAP;
            }
        }
    }
}
