//! Histograms, for grids of them.

use super::axes::{Axis, Frame};
use super::svg::Svg;
use super::{Area, Entry, Panel, colour, panel_width};

/// A panel with the share of values in each of so many bins of equal width.
///
/// The shares are of all values, also of those outside of the range, which are not drawn.
pub struct Histogram {
    title: String,
    name: String,
    range: (f64, f64),
    shares: Vec<f64>,
    top: Option<f64>,
}

impl Histogram {
    /// The histogram of values between two numbers (the second not included, but for a value that equals it). `name` is
    /// that of the horizontal axis.
    ///
    /// # Panics
    /// If there are no bins.
    pub fn new(
        title: impl Into<String>,
        name: &str,
        values: &[f32],
        (low, high): (f64, f64),
        bins: usize,
    ) -> Self {
        assert!(bins > 0, "a histogram needs a bin");
        let mut counts = vec![0usize; bins];
        for value in values.iter().map(|&value| f64::from(value)).filter(|value| (low..=high).contains(value))
        {
            let bin = (value - low) / (high - low) * bins as f64;
            counts[(bin as usize).min(bins - 1)] += 1;
        }
        let shares = counts.iter().map(|&count| count as f64 / values.len().max(1) as f64).collect();
        Self { title: title.into(), name: name.into(), range: (low, high), shares, top: None }
    }

    /// The same histogram with a vertical axis up to this share, to compare several.
    #[must_use]
    pub fn top(self, share: f64) -> Self {
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
        let (low, high) = self.range;
        let top =
            self.top.unwrap_or_else(|| 1.05 * self.shares.iter().copied().fold(f64::MIN_POSITIVE, f64::max));
        let x = Axis { name: self.name.clone(), low, high, log: false };
        let y = Axis { name: "share".into(), low: 0.0, high: top, log: false };
        let frame = Frame::draw(svg, area, x, y);
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
