use crate::canvas::{Canvas, WIDTH};

/// Something that can be drawn: a [`BarChart`](crate::BarChart) or a [`Histogram`](crate::Histogram).
pub trait Chart {
    /// Draws it below what is on the canvas.
    #[doc(hidden)]
    fn draw(&self, canvas: &mut Canvas);
}

/// Light and dark by the reader's choice; the fonts are the system's.
const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1f2328}\
.page{fill:#fff}.title{font-size:16px;font-weight:600}.note{fill:#59636e;font-size:12px}.end{text-anchor:end}\
.middle{text-anchor:middle}.ours{fill:#1f6feb}.other{fill:#9aa4b2}.line{stroke:#d1d9e0}.mark{stroke:#bc4c00;stroke-dasharray:4 3}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.page{fill:#0d1117}.note{fill:#9198a1}.ours{fill:#4493f8}\
.other{fill:#59636e}.line{stroke:#3d444d}.mark{stroke:#f0883e}}";

/// One SVG picture of `charts`, one below the other.
#[must_use]
pub fn svg(charts: &[&dyn Chart]) -> String {
    let mut canvas = Canvas::default();
    for chart in charts {
        chart.draw(&mut canvas);
    }
    let (height, elements) = canvas.finish();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height:.0}\" rx=\"6\"/>\n{elements}</svg>\n"
    )
}
