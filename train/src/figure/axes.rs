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

/// An axis begins and ends no further out, about a quarter of what there is, so that its length and a step that is a little longer
/// are numbers, too.
const FARTHEST: f64 = 4e307;
/// A linear axis is longer, and a logarithmic one further from 0, so that the steps between ticks are normal numbers.
const SHORTEST: f64 = 1e-300;

/// The range itself if there is room in it, else a wider one around it, in which an axis has ticks and a point a place.
pub(super) fn widened(low: f64, high: f64, log: bool) -> (f64, f64) {
    if log {
        let [low, high] = [low, high].map(|end| end.clamp(SHORTEST, FARTHEST));
        if high / low > 1.0 + 1e-9 { (low, high) } else { (low / 2.0, high * 2.0) }
    } else {
        let [low, high] = [low, high].map(|end| end.clamp(-FARTHEST, FARTHEST));
        // What is added to a large number must not be lost in its rounding.
        let room = (1e-3 * low.abs()).max(0.5);
        if high - low > SHORTEST { (low, high) } else { (low - room, high + room) }
    }
}

impl Axis {
    /// An axis over a range, which is [`widened`] if need be.
    ///
    /// # Panics
    /// If the range is reversed or an end not finite, or not positive if the axis is logarithmic.
    #[track_caller]
    pub(super) fn new(name: &str, (low, high): (f64, f64), log: bool) -> Self {
        assert!(low.is_finite() && high.is_finite() && low <= high, "no axis goes from {low} to {high}");
        assert!(!log || low > 0.0, "no logarithmic axis begins at {low}");
        let (low, high) = widened(low, high, log);
        Self { name: name.into(), low, high, log }
    }

    /// Where a number lies: 0 at the low end, 1 at the high one.
    fn place(&self, x: f64) -> f64 {
        if self.log {
            (x.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
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
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last)
            .map(|i| {
                let x = i as f64 * step;
                (x, label(x, step))
            })
            .collect()
    }

    fn log_ticks(&self, count: f64) -> Vec<(f64, String)> {
        let decades = self.high.log10() - self.low.log10();
        let multiples: &[f64] = if decades < 2.2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = (decades / count.max(1.0) - 1e-9).ceil().max(1.0) as i32;
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        (first..=last)
            .filter(|power| power % every == 0)
            .flat_map(|power| multiples.iter().map(move |m| m * 10f64.powi(power)))
            .filter(|x| (self.low * 0.999..=self.high * 1.001).contains(x))
            .map(|x| (x, if (1e-3..1e6).contains(&x) { format!("{}", x as f32) } else { format!("{x:.0e}") }))
            .collect()
    }
}

/// A tick of a linear axis, with the digits that tell it from those a step away.
fn label(x: f64, step: f64) -> String {
    let power = |x: f64| x.abs().log10().floor();
    if x.abs() >= 1e6 || (x != 0.0 && step < 1e-6) {
        let digits = (power(x) - power(step)).clamp(0.0, 16.0) as usize;
        // Rounded first: the shortest text of a multiple of 0.1 may have 17 digits.
        let rounded: f64 = format!("{x:.digits$e}").parse().expect("it was a number");
        return format!("{rounded:e}");
    }
    let decimals = if x == 0.0 && step < 1e-6 { 0.0 } else { (-power(step)).max(0.0) };
    format!("{x:.0$}", decimals as usize)
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
        Axis::new("", (low, high), log).ticks(5.0).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(0.0, 1.0, false), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-3.0, 7.0, false), ["-2", "0", "2", "4", "6"]);
        assert_eq!(labels(0.0, 10_000.0, false), ["0", "2000", "4000", "6000", "8000", "10000"]);
        assert_eq!(labels(0.0, 4e-7, false), ["0", "1e-7", "2e-7", "3e-7", "4e-7"]);
        assert_eq!(labels(1e6, 1e6 + 1.0, false)[..3], ["1e6", "1.0000002e6", "1.0000004e6"]);
        assert_eq!(labels(0.07, 70.0, true), ["0.1", "1", "10"]);
        assert_eq!(labels(0.9, 6.0, true), ["1", "2", "5"]);
        assert_eq!(labels(1e-10, 1e5, true), ["1e-9", "1e-6", "0.001", "1", "1000"]);
    }

    #[test]
    fn every_range_of_finite_numbers_has_an_axis() {
        let numbers = [0.0, 5e-324, 1e-310, 1e-30, 0.3, 1.0, 7e5, 1e17, 1.7e18, 1e200, 1e308, f64::MAX];
        let signed = || numbers.iter().flat_map(|&x| [x, -x, x.next_up().min(f64::MAX)]);
        for (low, high) in signed().flat_map(|low| signed().map(move |high| (low, high))) {
            for log in [false, true] {
                if low > high || (log && low <= 0.0) {
                    continue;
                }
                let axis = Axis::new("", (low, high), log);
                assert!(axis.low < axis.high && (axis.high - axis.low).is_finite(), "{axis:?}");
                let places = [axis.low, axis.high].map(|x| axis.place(x));
                assert_eq!(places, [0.0, 1.0], "{axis:?}");
                for count in [1.0, 5.0, 15.0] {
                    let ticks = axis.ticks(count);
                    assert!(ticks.len() < 50, "{axis:?}: {ticks:?}");
                    for (x, label) in ticks {
                        assert!(axis.place(x).is_finite() && label.len() < 25, "{axis:?}: {x:e} {label}");
                    }
                }
            }
        }
    }
}
