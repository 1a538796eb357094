//! A function of two variables in colour, with a scale beside it.

use super::axes::{Axis, Frame};
use super::svg::{Anchor, INK, MUTED, Svg};
use super::{Area, Entry, Panel, Point, panel_width};

/// A panel with the values of a function on a grid: from dark blue to yellow if none is negative; else blue below 0,
/// white at 0 and red above.
pub struct Heat {
    title: String,
    x: Axis,
    y: Axis,
    columns: usize,
    values: Vec<f64>,
}

/// Finer steps of colour are not seen, and make the file larger.
const LEVELS: usize = 32;
/// The colours from the smallest value to the largest, between which it is mixed: those of matplotlib's viridis, which
/// grow lighter evenly for every kind of sight.
const RISING: [[f64; 3]; 5] =
    [[68.0, 1.0, 84.0], [59.0, 82.0, 139.0], [33.0, 145.0, 140.0], [94.0, 201.0, 98.0], [253.0, 231.0, 37.0]];
/// The same for values of both signs.
const SIGNED: [[f64; 3]; 3] = [[31.0, 90.0, 180.0], [247.0, 247.0, 247.0], [190.0, 50.0, 20.0]];

impl Heat {
    /// Values in rows of `columns`, from below, over the rectangle from `x.0` to `x.1` and from `y.0` to `y.1`; each in
    /// the middle of its cell. The axes are called as `names` says.
    ///
    /// # Panics
    /// If a range is reversed or an end not finite.
    #[track_caller]
    pub fn new(
        title: impl Into<String>,
        names: [&str; 2],
        x: Point,
        y: Point,
        columns: usize,
        values: &[f64],
    ) -> Self {
        Self {
            title: title.into(),
            x: Axis::new(names[0], x, false),
            y: Axis::new(names[1], y, false),
            columns: columns.max(1),
            values: values.to_vec(),
        }
    }

    /// The values at both ends of the scale.
    fn range(&self) -> (f64, f64) {
        let low = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let far = high.max(-low);
        if low < 0.0 { (-far, far) } else { (0.0, far.max(f64::MIN_POSITIVE)) }
    }

    /// The colour of a place on the scale, from 0 to 1.
    fn colour(&self, place: f64) -> String {
        let stops: &[[f64; 3]] = if self.range().0 < 0.0 { &SIGNED } else { &RISING };
        let level = (place.clamp(0.0, 1.0) * (LEVELS - 1) as f64).round() / (LEVELS - 1) as f64;
        let at = level * (stops.len() - 1) as f64;
        let (from, to) = (stops[at.floor() as usize], stops[at.ceil() as usize]);
        let [r, g, b] = [0, 1, 2].map(|i| (from[i] + (to[i] - from[i]) * at.fract()).round() as u8);
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

/// The width of the scale and its labels.
const SCALE: f64 = 74.0;

impl Panel for Heat {
    fn title(&self) -> &str {
        &self.title
    }

    fn legend(&self) -> Vec<Entry> {
        Vec::new()
    }

    fn size(&self, columns: usize) -> (f64, f64) {
        let width = panel_width(columns);
        (width, (width - SCALE).min(360.0))
    }

    fn draw(&self, svg: &mut Svg, area: Area, _: usize) {
        let (low, high) = self.range();
        let plot = Area { width: area.width - SCALE, ..area };
        let frame = Frame::draw(svg, plot, self.x.clone(), self.y.clone());
        let colours: Vec<String> = self
            .values
            .chunks(self.columns)
            .rev()
            .flatten()
            .map(|value| self.colour((value - low) / (high - low)))
            .collect();
        // Of both signs, white becomes black; a rising scale is bright where the values are large on any ground.
        let fill = |svg: &mut Svg, area, columns, colours: &[String]| {
            if low < 0.0 {
                svg.cells(area, columns, colours);
            } else {
                svg.unchanged(|svg| svg.cells(area, columns, colours));
            }
        };
        fill(svg, frame.plot, self.columns, &colours);
        svg.outline(frame.plot, INK);

        let bar = Area { left: area.left + area.width - SCALE + 6.0, width: 12.0, ..frame.plot };
        let scale: Vec<String> =
            (0..LEVELS).rev().map(|i| self.colour(i as f64 / (LEVELS - 1) as f64)).collect();
        fill(svg, bar, 1, &scale);
        svg.outline(bar, INK);
        for place in [0.0, 0.5, 1.0] {
            let value = low + place * (high - low);
            let text = if value == 0.0 || (0.1..1000.0).contains(&value.abs()) {
                format!("{value:.2}")
            } else {
                format!("{value:.1e}")
            };
            let y = bar.top + (1.0 - place) * bar.height;
            svg.text(bar.left + bar.width + 5.0, y + 4.0, 12.0, Anchor::Start, MUTED, &text);
        }
    }
}
