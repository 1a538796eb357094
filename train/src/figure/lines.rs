//! Lines over two axes.

use super::axes::{Axis, Frame};
use super::svg::Svg;
use super::{Area, Entry, Mark, Panel, Point, colour, panel_width};

/// A panel with lines and dots over two axes, each linear unless said otherwise.
///
/// The axes span what is drawn; a linear one for what is nowhere negative begins at 0 if it is the vertical one.
pub struct Lines {
    title: String,
    names: [String; 2],
    log: [bool; 2],
    y_range: Option<(f64, f64)>,
    series: Vec<Series>,
}

struct Series {
    name: String,
    points: Vec<Point>,
    mark: Mark,
}

/// More points than the eye can tell apart only make the file larger.
const MOST_POINTS: usize = 250;

impl Lines {
    /// A panel without lines, with the names of its axes. The title may be empty.
    pub fn new(title: impl Into<String>, x: &str, y: &str) -> Self {
        let names = [x.into(), y.into()];
        Self { title: title.into(), names, log: [false; 2], y_range: None, series: Vec::new() }
    }

    /// The same panel with a logarithmic horizontal axis: points with `x ≤ 0` are left out.
    #[must_use]
    pub fn log_x(mut self) -> Self {
        self.log[0] = true;
        self
    }

    /// The same panel with a logarithmic vertical axis: points with `y ≤ 0` are left out.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.log[1] = true;
        self
    }

    /// The same panel with this vertical range; lines are cut off where they leave it.
    #[must_use]
    pub fn y_range(self, low: f64, high: f64) -> Self {
        Self { y_range: Some((low, high)), ..self }
    }

    /// The same panel with a line through points, from left to right. It is broken where a number is not finite, and of
    /// more than 250 points a part is drawn, evenly chosen.
    #[must_use]
    pub fn line(self, name: impl Into<String>, points: impl AsRef<[Point]>) -> Self {
        self.with(name.into(), points.as_ref(), Mark::Line)
    }

    /// The same, dashed.
    #[must_use]
    pub fn dashed(self, name: impl Into<String>, points: impl AsRef<[Point]>) -> Self {
        self.with(name.into(), points.as_ref(), Mark::Dashes)
    }

    /// The same panel with a dot at each point.
    #[must_use]
    pub fn dots(self, name: impl Into<String>, points: impl AsRef<[Point]>) -> Self {
        self.with(name.into(), points.as_ref(), Mark::Dot)
    }

    fn with(mut self, name: String, points: &[Point], mark: Mark) -> Self {
        let step = points.len().div_ceil(MOST_POINTS).max(1);
        let last = points.len().wrapping_sub(1);
        let kept = points.iter().enumerate().filter(|(i, _)| i % step == 0 || *i == last);
        self.series.push(Series { name, points: kept.map(|(_, &point)| point).collect(), mark });
        self
    }

    /// Whether a point can be drawn.
    fn shows(&self, (x, y): Point) -> bool {
        x.is_finite() && y.is_finite() && (!self.log[0] || x > 0.0) && (!self.log[1] || y > 0.0)
    }

    fn axes(&self) -> (Axis, Axis) {
        let shown =
            || self.series.iter().flat_map(|series| &series.points).filter(|point| self.shows(**point));
        let axis = |side: usize, pick: fn(&Point) -> f64| {
            let low = shown().map(pick).fold(f64::INFINITY, f64::min);
            let high = shown().map(pick).fold(f64::NEG_INFINITY, f64::max);
            let (low, high) = match (low < high, low == high, self.log[side]) {
                (true, ..) => (low, high),
                (_, true, true) => (low / 2.0, high * 2.0),
                (_, true, false) => (low - 0.5, high + 0.5),
                _ => (1.0, 2.0), // nothing to draw
            };
            Axis { name: self.names[side].clone(), low, high, log: self.log[side] }
        };
        let (x, mut y) = (axis(0, |p| p.0), axis(1, |p| p.1));
        if let Some((low, high)) = self.y_range {
            (y.low, y.high) = (low, high);
        } else if y.log {
            let room = (y.high / y.low).powf(0.04);
            (y.low, y.high) = (y.low / room, y.high * room);
        } else {
            let room = 0.05 * (y.high - y.low);
            (y.low, y.high) = (if y.low >= 0.0 { 0.0 } else { y.low - room }, y.high + room);
        }
        (x, y)
    }
}

impl Panel for Lines {
    fn title(&self) -> &str {
        &self.title
    }

    fn legend(&self) -> Vec<Entry> {
        let entry = |(i, series): (usize, &Series)| Entry {
            name: series.name.clone(),
            colour: colour(i),
            mark: series.mark,
        };
        self.series.iter().enumerate().filter(|(_, series)| !series.name.is_empty()).map(entry).collect()
    }

    fn size(&self, columns: usize) -> (f64, f64) {
        let width = panel_width(columns);
        (width, (0.5 * width).max(0.3 * width + 100.0).round())
    }

    fn draw(&self, svg: &mut Svg, area: Area, _: usize) {
        let (x, y) = self.axes();
        let frame = Frame::draw(svg, area, x, y);
        // Half of a line's width more, or of a dot's, so that one along the edge is not halved.
        let Area { left, top, width, height } = frame.plot;
        let more = if self.series.iter().any(|series| series.mark == Mark::Dot) { 5.0 } else { 1.0 };
        let inside = Area {
            left: left - more,
            top: top - more,
            width: width + 2.0 * more,
            height: height + 2.0 * more,
        };
        svg.clipped(inside, |svg| {
            for (i, series) in self.series.iter().enumerate() {
                for run in series.points.split(|point| !self.shows(*point)) {
                    let run: Vec<_> = run.iter().map(|&point| frame.at(point)).collect();
                    match series.mark {
                        Mark::Dot => run.iter().for_each(|&at| svg.dot(at, 4.5, colour(i))),
                        Mark::Line if run.len() > 1 => svg.polyline(&run, colour(i), 2.0, ""),
                        Mark::Dashes if run.len() > 1 => svg.polyline(&run, colour(i), 2.0, "5 4"),
                        Mark::Line | Mark::Dashes => {}
                    }
                }
            }
        });
    }
}

/// The values with their indices: the points of a line.
pub fn indexed(values: &[f64]) -> Vec<Point> {
    values.iter().enumerate().map(|(i, &value)| (i as f64, value)).collect()
}

/// The mean of each `window` successive values, at the index of the last of them.
///
/// # Panics
/// If `window` is 0.
pub fn smoothed(values: &[f64], window: usize) -> Vec<Point> {
    let mean =
        |(i, values): (usize, &[f64])| ((i + window - 1) as f64, values.iter().sum::<f64>() / window as f64);
    values.windows(window).enumerate().map(mean).collect()
}
