use std::fmt::Write;

/// The width of every picture, in the units of its coordinates.
pub(crate) const WIDTH: f64 = 760.0;

/// The room left and right of a chart.
pub(crate) const MARGIN: f64 = 20.0;

/// A picture in the making, filled from the top down.
#[derive(Default)]
pub struct Canvas {
    elements: String,
    /// How far down it is filled.
    pub(crate) y: f64,
}

/// Where a text stands.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Canvas {
    /// A chart's title and the line below it.
    pub(crate) fn heading(&mut self, title: &str, note: &str) {
        self.y += 32.0;
        self.text(MARGIN, self.y, Anchor::Start, "title", title);
        self.y += 20.0;
        self.text(MARGIN, self.y, Anchor::Start, "note", note);
        self.y += 14.0;
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " middle",
            Anchor::End => " end",
        };
        self.element(format_args!(
            "<text class=\"{class}{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            escaped(text)
        ));
    }

    /// A filled rectangle; `tip` is shown by a reader's pointer.
    pub(crate) fn bar(&mut self, class: &str, [x, y, width, height]: [f64; 4], tip: &str) {
        self.element(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\">\
             <title>{}</title></rect>",
            escaped(tip)
        ));
    }

    pub(crate) fn line(&mut self, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
        self.element(format_args!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// The height and the elements, one a line.
    pub(crate) fn finish(self) -> (f64, String) {
        (self.y + MARGIN, self.elements)
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.elements, "{element}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
