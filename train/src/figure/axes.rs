//! Two named axes around a plot, linear or logarithmic.

use super::svg::{Anchor, GRID, INK, MUTED, Svg, text_width};
use super::{Area, Point};

/// A range of numbers along one side of a plot.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
}

impl Axis {
    /// Where a number lies: 0 at the low end, 1 at the high one.
    fn place(&self, x: f64) -> f64 {
        if self.log {
            (x / self.low).ln() / (self.high / self.low).ln()
        } else {
            (x - self.low) / (self.high - self.low)
        }
    }

    /// The number at a share of the way from the low end to the high one, if the axis is linear.
    pub(super) fn at(&self, share: f64) -> f64 {
        self.low + share * (self.high - self.low)
    }

    /// About `count` round numbers, with their labels.
    fn ticks(&self, count: f64) -> Vec<(f64, String)> {
        if self.log { self.log_ticks(count) } else { self.linear_ticks(count) }
    }

    fn linear_ticks(&self, count: f64) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / count.max(1.0);
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|&step| step >= rough * 0.999);
        let step = step.unwrap_or(rough);
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last)
            .map(|i| {
                let x = i as f64 * step;
                (x, if x.abs() >= 1e6 { format!("{x:e}") } else { format!("{x:.decimals$}") })
            })
            .collect()
    }

    fn log_ticks(&self, count: f64) -> Vec<(f64, String)> {
        let decades = (self.high / self.low).log10();
        let multiples: &[f64] = if decades < 2.2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = (decades / count.max(1.0)).ceil().max(1.0) as i32;
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        (first..=last)
            .filter(|power| power % every == 0)
            .flat_map(|power| multiples.iter().map(move |m| m * 10f64.powi(power)))
            .filter(|x| (self.low * 0.999..=self.high * 1.001).contains(x))
            .map(|x| (x, if (1e-3..1e6).contains(&x) { format!("{}", x as f32) } else { format!("{x:.0e}") }))
            .collect()
    }
}

/// A plot with its axes.
pub(super) struct Frame {
    pub(super) plot: Area,
    x: Axis,
    y: Axis,
}

impl Frame {
    /// Draws the axes inside of `area`; what is left is the plot.
    pub(super) fn draw(svg: &mut Svg, area: Area, x: Axis, y: Axis) -> Self {
        const SIZE: f64 = 12.0;
        let y_ticks = y.ticks((area.height / 38.0).floor());
        let widest = y_ticks.iter().map(|(_, label)| text_width(label, SIZE)).fold(0.0, f64::max);
        let named = |axis: &Axis| if axis.name.is_empty() { 0.0 } else { 20.0 };
        let (left, below) = (widest + 10.0 + named(&y), 20.0 + named(&x));
        let plot = Area {
            left: area.left + left,
            top: area.top + 6.0,
            width: area.width - left - 14.0,
            height: area.height - below - 6.0,
        };
        let frame = Self { plot, x, y };
        let (right, bottom) = (plot.left + plot.width, plot.top + plot.height);
        for (x, label) in frame.x.ticks((plot.width / 48.0).floor()) {
            let (at, _) = frame.at((x, frame.y.low));
            svg.segments(&[((at, plot.top), (0.0, plot.height))], GRID, 1.0);
            svg.text(at, bottom + 16.0, SIZE, Anchor::Middle, MUTED, &label);
        }
        for (y, label) in y_ticks {
            let (_, at) = frame.at((frame.x.low, y));
            svg.segments(&[((plot.left, at), (plot.width, 0.0))], GRID, 1.0);
            svg.text(plot.left - 6.0, at + 4.0, SIZE, Anchor::End, MUTED, &label);
        }
        svg.outline(plot, INK);
        svg.text(f64::midpoint(plot.left, right), bottom + 35.0, 13.0, Anchor::Middle, MUTED, &frame.x.name);
        svg.upright(area.left + 12.0, f64::midpoint(plot.top, bottom), 13.0, &frame.y.name);
        frame
    }

    /// The pixel of a point.
    pub(super) fn at(&self, (x, y): Point) -> Point {
        // What lies far outside is clipped: near enough for a short number.
        let near = |place: f64| place.clamp(-10.0, 11.0);
        let (right, up) = (near(self.x.place(x)), near(self.y.place(y)));
        (self.plot.left + right * self.plot.width, self.plot.top + (1.0 - up) * self.plot.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, log: bool) -> Vec<String> {
        let axis = Axis { name: String::new(), low, high, log };
        axis.ticks(5.0).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(0.0, 1.0, false), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-3.0, 7.0, false), ["-2", "0", "2", "4", "6"]);
        assert_eq!(labels(0.0, 10_000.0, false), ["0", "2000", "4000", "6000", "8000", "10000"]);
        assert_eq!(labels(0.07, 70.0, true), ["0.1", "1", "10"]);
        assert_eq!(labels(0.9, 6.0, true), ["1", "2", "5"]);
        assert_eq!(labels(1e-10, 1e5, true), ["1e-9", "1e-6", "0.001", "1", "1000"]);
    }
}
