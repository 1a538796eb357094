//! The few shapes of SVG that the figures need, in coordinates of a tenth of a pixel.

use super::{Area, Point};
use std::fmt::Write as _;

pub(super) const INK: &str = "#282828";
pub(super) const MUTED: &str = "#484848";
pub(super) const GRID: &str = "#e1e1e1";
const STYLE: &str = "<style>:root{color-scheme:light dark}\
                     @media(prefers-color-scheme:dark){.ground{fill:none}.ink{filter:invert(.9) hue-rotate(180deg)}}</style>";

/// Where a text stands from its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing under way.
#[derive(Default)]
pub struct Svg {
    body: String,
    clips: usize,
}

/// About as wide as a text is, in pixels: the font is the reader's.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    0.6 * size * text.chars().count() as f64
}

/// A coordinate, as short as it can be said.
fn short(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

impl Svg {
    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        self.body.write_fmt(element).expect("a string can be written to");
        self.body.push('\n');
    }

    pub(super) fn text(&mut self, x: f64, y: f64, size: f64, anchor: Anchor, colour: &str, text: &str) {
        self.any_text(x, y, size, anchor, colour, text, "");
    }

    /// A text that reads upwards, centred on its point.
    pub(super) fn upright(&mut self, x: f64, y: f64, size: f64, text: &str) {
        let turn = format!(r#" transform="rotate(-90 {} {})""#, short(x), short(y));
        self.any_text(x, y, size, Anchor::Middle, MUTED, text, &turn);
    }

    #[allow(clippy::too_many_arguments)]
    fn any_text(&mut self, x: f64, y: f64, size: f64, anchor: Anchor, colour: &str, text: &str, turn: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.push(format_args!(
            r#"<text x="{}" y="{}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{turn}>{text}</text>"#,
            short(x),
            short(y),
        ));
    }

    /// A line through points; `dashes` is empty for a solid one.
    pub(super) fn polyline(&mut self, points: &[Point], colour: &str, width: f64, dashes: &str) {
        let points: Vec<String> = points.iter().map(|&(x, y)| format!("{},{}", short(x), short(y))).collect();
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dashes}""#) };
        self.push(format_args!(
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{dashes}/>"#,
            points.join(" "),
        ));
    }

    /// Separate lines, each from a point along a vector, in one element.
    pub(super) fn segments(&mut self, segments: &[(Point, Point)], colour: &str, width: f64) {
        let mut path = String::new();
        for &((x, y), (dx, dy)) in segments {
            let step = |d: f64| if d < 0.0 { short(d) } else { format!(" {}", short(d)) };
            write!(path, "M{} {}l{}{}", short(x), short(y), short(dx), step(dy)).expect("as above");
        }
        self.push(format_args!(r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#));
    }

    /// A dot with a white rim, visible on any ground.
    pub(super) fn dot(&mut self, (x, y): Point, radius: f64, colour: &str) {
        self.push(format_args!(
            r##"<circle cx="{}" cy="{}" r="{radius}" fill="{colour}" stroke="#fff"/>"##,
            short(x),
            short(y),
        ));
    }

    /// Small dots, in one element.
    pub(super) fn marks(&mut self, points: &[Point], colour: &str) {
        let path: Vec<String> =
            points.iter().map(|&(x, y)| format!("M{} {}h0", short(x), short(y))).collect();
        self.push(format_args!(
            r#"<path d="{}" stroke="{colour}" stroke-width="5" stroke-linecap="round"/>"#,
            path.concat(),
        ));
    }

    pub(super) fn fill(&mut self, area: Area, colour: &str, opacity: f64) {
        let [x, y, width, height] = [area.left, area.top, area.width, area.height].map(short);
        self.push(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}" fill-opacity="{opacity}"/>"#
        ));
    }

    pub(super) fn outline(&mut self, area: Area, colour: &str) {
        let [x, y, width, height] = [area.left, area.top, area.width, area.height].map(short);
        self.push(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="{colour}"/>"#
        ));
    }

    /// A white box with rounded corners; `dashes` is empty for a solid outline.
    pub(super) fn rounded(&mut self, area: Area, radius: f64, colour: &str, width: f64, dashes: &str) {
        let [x, y, w, h] = [area.left, area.top, area.width, area.height].map(short);
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dashes}""#) };
        self.push(format_args!(
            r##"<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{radius}" fill="#fff" stroke="{colour}" stroke-width="{width}"{dashes}/>"##
        ));
    }

    /// An arrow downwards through stations `(x, top, bottom)`: straight within each, curved from one to the next.
    pub(super) fn flow(&mut self, stations: &[(f64, f64, f64)], colour: &str, width: f64) {
        const HEAD: f64 = 6.0;
        let mut path = String::new();
        let mut before: Option<(f64, f64)> = None;
        for (i, &(x, top, bottom)) in stations.iter().enumerate() {
            match before {
                None => write!(path, "M{} {}", short(x), short(top)),
                Some((from, leaving)) => {
                    let middle = f64::midpoint(leaving, top);
                    let [from, x, middle, top] = [from, x, middle, top].map(short);
                    write!(path, "C{from} {middle} {x} {middle} {x} {top}")
                }
            }
            .expect("a string can be written to");
            let end = if i + 1 == stations.len() { bottom - HEAD } else { bottom };
            write!(path, "V{}", short(end)).expect("as above");
            before = Some((x, bottom));
        }
        self.push(format_args!(r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#));
        if let Some((x, tip)) = before {
            let [left, right, x, base, tip] = [x - 4.0, x + 4.0, x, tip - HEAD - 1.0, tip].map(short);
            self.push(format_args!(
                r#"<path d="M{left} {base}L{x} {tip}L{right} {base}z" fill="{colour}"/>"#
            ));
        }
    }

    /// Draws what `body` draws, as far as it lies inside of `area`.
    pub(super) fn clipped(&mut self, area: Area, body: impl FnOnce(&mut Self)) {
        let [x, y, width, height] = [area.left, area.top, area.width, area.height].map(short);
        self.clips += 1;
        let id = self.clips;
        self.push(format_args!(
            r#"<clipPath id="clip{id}"><rect x="{x}" y="{y}" width="{width}" height="{height}"/></clipPath><g clip-path="url(#clip{id})">"#
        ));
        body(self);
        self.push(format_args!("</g>"));
    }

    /// Fills `area` with `rows` by `columns` cells, from above, row by row: cells side by side with one colour become one
    /// strip, and the strips of one colour one element.
    pub(super) fn cells(&mut self, area: Area, columns: usize, colours: &[String]) {
        let rows = colours.len() / columns.max(1);
        let mut strips: Vec<(&String, String)> = Vec::new();
        for row in 0..rows {
            let mut column = 0;
            while column < columns {
                let colour = &colours[row * columns + column];
                let length = colours[row * columns + column..(row + 1) * columns]
                    .iter()
                    .take_while(|other| *other == colour)
                    .count();
                let place = strips.iter().position(|(other, _)| *other == colour).unwrap_or_else(|| {
                    strips.push((colour, String::new()));
                    strips.len() - 1
                });
                write!(strips[place].1, "M{column} {row}h{length}v1h-{length}z").expect("as above");
                column += length;
            }
        }
        self.push(format_args!(
            r#"<g transform="translate({} {}) scale({} {})" shape-rendering="crispEdges">"#,
            short(area.left),
            short(area.top),
            area.width / columns as f64,
            area.height / rows as f64,
        ));
        for (colour, path) in strips {
            self.push(format_args!(r#"<path fill="{colour}" d="{path}"/>"#));
        }
        self.push(format_args!("</g>"));
    }

    /// Draws what keeps its colours on a dark ground: a photograph, a scale of colours.
    pub(super) fn unchanged(&mut self, body: impl FnOnce(&mut Self)) {
        self.push(format_args!("</g>"));
        body(self);
        self.push(format_args!(r#"<g class="ink">"#));
    }

    /// The file. It is drawn on white; where dark pages are preferred, or by the page that shows it, black and white change
    /// places, hues stay, and the ground is the page's.
    pub(super) fn finish(self, width: f64, height: f64) -> String {
        let [width, height] = [width, height].map(f64::ceil);
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif">
{STYLE}
<rect width="100%" height="100%" class="ground" fill="#fff"/>
<g class="ink">
{}</g>
</svg>
"##,
            self.body
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_one_colour_become_strips() {
        let mut svg = Svg::default();
        let colours = ["a", "a", "b", "b", "a", "a"].map(String::from);
        svg.cells(Area { left: 1.0, top: 2.0, width: 6.0, height: 4.0 }, 3, &colours);
        assert!(svg.body.contains("translate(1 2) scale(2 2)"));
        assert!(svg.body.contains(r#"<path fill="a" d="M0 0h2v1h-2zM1 1h2v1h-2z"/>"#), "{}", svg.body);
        assert!(svg.body.contains(r#"<path fill="b" d="M2 0h1v1h-1zM0 1h1v1h-1z"/>"#), "{}", svg.body);
    }
}
