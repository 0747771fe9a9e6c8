use crate::canvas::{Anchor, Canvas, MARGIN, WIDTH};
use crate::document::Chart;

const HEIGHT: f64 = 180.0;

/// How many counts fell where, on a logarithmic scale from left to right.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    title: String,
    note: String,
    buckets: Vec<Bucket>,
    marks: Vec<(String, f64)>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    from: f64,
    to: f64,
    count: u64,
}

impl Histogram {
    /// A histogram with no count yet. `note` says what is counted.
    #[must_use]
    pub fn new(title: impl Into<String>, note: impl Into<String>) -> Self {
        Histogram { title: title.into(), note: note.into(), ..Histogram::default() }
    }

    /// Adds the counts of `from..to` nanoseconds. An empty or impossible range is left out.
    #[must_use]
    pub fn bucket(mut self, from: f64, to: f64, count: u64) -> Self {
        if from > 0.0 && to > from && count > 0 {
            self.buckets.push(Bucket { from, to, count });
        }
        self
    }

    /// Marks a place, in nanoseconds. To be called from left to right.
    #[must_use]
    pub fn mark(mut self, name: impl Into<String>, at: f64) -> Self {
        self.marks.push((name.into(), at));
        self
    }
}

impl Chart for Histogram {
    fn draw(&self, canvas: &mut Canvas) {
        canvas.heading(&self.title, &self.note);
        // A line of text for each mark, so that none lies over another.
        let marks = 18.0 * self.marks.len() as f64;
        let bottom = canvas.y + marks + HEIGHT;
        let from = self.buckets.iter().map(|bucket| bucket.from).fold(f64::INFINITY, f64::min);
        let to = self.buckets.iter().map(|bucket| bucket.to).fold(0.0, f64::max);
        let x = |value: f64| {
            let share = (value / from).ln() / (to / from).ln();
            MARGIN + (WIDTH - 2.0 * MARGIN) * share.clamp(0.0, 1.0)
        };
        let highest = self.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(1) as f64;
        for bucket in &self.buckets {
            // What is there can be seen, however little it is.
            let height = (HEIGHT * bucket.count as f64 / highest).max(1.0);
            let tip = format!("{} to {}: {}", duration(bucket.from), duration(bucket.to), bucket.count);
            let width = (x(bucket.to) - x(bucket.from) - 1.0).max(0.5);
            canvas.bar("ours", [x(bucket.from), bottom - height, width, height], &tip);
        }
        canvas.line("line", [MARGIN, bottom, WIDTH - MARGIN, bottom]);
        if !self.buckets.is_empty() {
            for tick in ticks(from, to) {
                canvas.line("line", [x(tick), bottom, x(tick), bottom + 5.0]);
                canvas.text(x(tick), bottom + 20.0, Anchor::Middle, "note", &duration(tick));
            }
        }
        for (index, (name, at)) in self.marks.iter().enumerate() {
            let (at_x, y) = (x(*at), canvas.y + 18.0 * index as f64 + 12.0);
            canvas.line("mark", [at_x, y - 10.0, at_x, bottom]);
            let text = format!("{name} {}", duration(*at));
            let (anchor, shift) = if at_x > WIDTH - 140.0 { (Anchor::End, -5.0) } else { (Anchor::Start, 5.0) };
            canvas.text(at_x + shift, y, anchor, "note", &text);
        }
        canvas.y = bottom + 26.0;
    }
}

/// 1, 2 and 5 of each power of ten in the range; of a wide one the powers alone.
fn ticks(from: f64, to: f64) -> impl Iterator<Item = f64> {
    let steps: &[f64] = if to / from > 2000.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let powers = (0..12).map(|power| 10_f64.powi(power));
    powers.flat_map(|power| steps.iter().map(move |step| step * power)).filter(move |tick| (from..=to).contains(tick))
}

/// Nanoseconds, in the unit that reads best.
fn duration(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "us"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    let digits = if value < 10.0 && value.fract() > 0.04 { 1 } else { 0 };
    format!("{value:.digits$} {unit}")
}
