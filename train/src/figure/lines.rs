//! Lines over two axes.

use super::axes::{Axis, Frame, widened};
use super::svg::Svg;
use super::{Area, Entry, Mark, Panel, Point, colour, panel_width};

/// A panel with lines and dots over two axes, each linear unless said otherwise.
///
/// The axes span what is drawn, if it is not further out than 4e307; a linear one for what is nowhere negative begins at 0 if it is
/// the vertical one.
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
    ///
    /// # Panics
    /// If it has a [`y_range`](Self::y_range) from 0 or below.
    #[must_use]
    #[track_caller]
    pub fn log_y(mut self) -> Self {
        self.log[1] = true;
        self.checked()
    }

    /// The same panel with this vertical range, or a little more if that is a single number; lines are cut off where they leave
    /// it.
    ///
    /// # Panics
    /// If the range is reversed or an end not finite, or `low` not positive on a [logarithmic](Self::log_y) axis.
    #[must_use]
    #[track_caller]
    pub fn y_range(self, low: f64, high: f64) -> Self {
        Self { y_range: Some((low, high)), ..self }.checked()
    }

    /// The same panel, if there is an axis for its vertical range.
    #[track_caller]
    fn checked(self) -> Self {
        if let Some(range) = self.y_range {
            let _ = Axis::new("", range, self.log[1]);
        }
        self
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
        let range = |side: usize, pick: fn(&Point) -> f64| {
            let low = shown().map(pick).fold(f64::INFINITY, f64::min);
            let high = shown().map(pick).fold(f64::NEG_INFINITY, f64::max);
            // 1 to 2 if there is nothing to draw.
            if low <= high { widened(low, high, self.log[side]) } else { (1.0, 2.0) }
        };
        let (low, high) = range(1, |p| p.1);
        let y = self.y_range.unwrap_or_else(|| {
            if self.log[1] {
                let room = (0.04 * (high.ln() - low.ln())).exp();
                ((low / room).max(f64::MIN_POSITIVE), (high * room).min(f64::MAX))
            } else {
                let room = 0.05 * (high - low);
                (if low >= 0.0 { 0.0 } else { low - room }, high + room)
            }
        });
        let axis = |side: usize, range| Axis::new(&self.names[side], range, self.log[side]);
        (axis(0, range(0, |p| p.0)), axis(1, y))
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
