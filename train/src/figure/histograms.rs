//! Histograms, for grids of them.

use super::axes::{Axis, Frame};
use super::svg::Svg;
use super::{Area, Entry, Panel, colour, panel_width};

/// A panel with the share of values in each of so many bins of equal width.
///
/// The shares are of all values, also of those outside of the range, which are not drawn.
pub struct Histogram {
    title: String,
    x: Axis,
    shares: Vec<f64>,
    top: Option<f64>,
}

impl Histogram {
    /// The histogram of values between two numbers (the second not included, but for a value that equals it). `name` is
    /// that of the horizontal axis. The range is a little wider if it is of a single number.
    ///
    /// # Panics
    /// If there are no bins, or the range is reversed or an end not finite.
    #[track_caller]
    pub fn new(title: impl Into<String>, name: &str, values: &[f32], range: (f64, f64), bins: usize) -> Self {
        assert!(bins > 0, "a histogram needs a bin");
        let x = Axis::new(name, range, false);
        let (low, high) = (x.low, x.high);
        let mut counts = vec![0usize; bins];
        for value in values.iter().map(|&value| f64::from(value)).filter(|value| (low..=high).contains(value))
        {
            let bin = (value - low) / (high - low) * bins as f64;
            counts[(bin as usize).min(bins - 1)] += 1;
        }
        let shares = counts.iter().map(|&count| count as f64 / values.len().max(1) as f64).collect();
        Self { title: title.into(), x, shares, top: None }
    }

    /// The same histogram with a vertical axis up to this share, to compare several.
    ///
    /// # Panics
    /// If it is not above 0 or not finite.
    #[must_use]
    #[track_caller]
    pub fn top(self, share: f64) -> Self {
        assert!(share > 0.0 && share.is_finite(), "a histogram up to {share}: its top must be above 0");
        Self { top: Some(share), ..self }
    }
}

impl Panel for Histogram {
    fn title(&self) -> &str {
        &self.title
    }

    fn legend(&self) -> Vec<Entry> {
        Vec::new()
    }

    fn size(&self, columns: usize) -> (f64, f64) {
        let width = if columns > 4 { 190.0 } else { panel_width(columns) };
        (width, (0.62 * width).round())
    }

    fn draw(&self, svg: &mut Svg, area: Area, _: usize) {
        let (low, high) = (self.x.low, self.x.high);
        let largest = self.shares.iter().copied().fold(0.0, f64::max);
        // Up to 1 if all values lie outside.
        let top = self.top.unwrap_or(if largest > 0.0 { 1.05 * largest } else { 1.0 });
        let y = Axis::new("share", (0.0, top), false);
        let frame = Frame::draw(svg, area, self.x.clone(), y);
        svg.clipped(frame.plot, |svg| {
            let width = (high - low) / self.shares.len() as f64;
            for (i, &share) in self.shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let (left, top) = frame.at((low + i as f64 * width, share));
                let (right, bottom) = frame.at((low + (i + 1) as f64 * width, 0.0));
                svg.fill(Area { left, top, width: right - left, height: bottom - top }, colour(0), 0.85);
            }
        });
    }
}
