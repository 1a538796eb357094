//! A step along a line that meets the strong Wolfe conditions.

use autodiff::Result;

/// How much of the decrease that the slope at the start promises a step must bring.
const DECREASE: f64 = 1e-4;
/// How much of the slope at the start a step may leave.
const CURVATURE: f64 = 0.9;
/// A bracket on whose way no weight moves by more is not searched.
const SMALLEST: f64 = 1e-9;

/// A point on the line: how far it is, and the loss there, its gradient, and its slope along the line.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) t: f64,
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
    pub(super) slope: f64,
}

/// The best of the points that `evaluate` is asked for, from `start`, where `t` is 0, to about `length`, and how often
/// it was asked: `budget + 1` times at most. `reach` is the largest element of the direction.
pub(super) fn strong_wolfe(
    start: &Point,
    length: f64,
    reach: f64,
    budget: u64,
    mut evaluate: impl FnMut(f64) -> Result<Point>,
) -> Result<(Point, u64)> {
    let too_high = |point: &Point| point.value > start.value + DECREASE * point.t * start.slope;
    let flat_enough = |point: &Point| point.slope.abs() <= -CURVATURE * start.slope;
    let mut count = 1;
    let mut rounds = 0;
    let mut point = evaluate(length)?;

    // Goes on until a point that is good lies between two.
    let mut before = start.clone();
    let [mut low, mut high] = loop {
        if rounds == budget {
            // Of the start and the last point, the lower one.
            let best = if start.value <= point.value { start.clone() } else { point };
            return Ok((best, count));
        }
        if too_high(&point) || (rounds > 1 && point.value >= before.value) {
            break [before, point];
        }
        if flat_enough(&point) {
            return Ok((point, count));
        }
        if point.slope >= 0.0 {
            break [before, point];
        }
        let bounds = (point.t + 0.01 * (point.t - before.t), point.t * 10.0);
        let next = evaluate(lowest_of_cubic(&before, &point, bounds))?;
        (before, point) = (point, next);
        count += 1;
        rounds += 1;
    };
    if high.value < low.value {
        (low, high) = (high, low);
    }

    // Narrows the bracket.
    let mut near_an_end = false;
    while rounds < budget && (high.t - low.t).abs() * reach >= SMALLEST {
        let ends = (low.t.min(high.t), low.t.max(high.t));
        let mut t = lowest_of_cubic(&low, &high, ends);
        // A point so near an end tells little: twice in a row, or at the end itself, it is moved inwards.
        let margin = 0.1 * (ends.1 - ends.0);
        if (ends.1 - t).min(t - ends.0) < margin {
            if near_an_end || t >= ends.1 || t <= ends.0 {
                t = if (t - ends.1).abs() < (t - ends.0).abs() { ends.1 - margin } else { ends.0 + margin };
                near_an_end = false;
            } else {
                near_an_end = true;
            }
        } else {
            near_an_end = false;
        }
        let point = evaluate(t)?;
        count += 1;
        rounds += 1;
        if too_high(&point) || point.value >= low.value {
            high = point;
            if high.value < low.value {
                (low, high) = (high, low);
            }
            continue;
        }
        if flat_enough(&point) {
            return Ok((point, count));
        }
        if point.slope * (high.t - low.t) >= 0.0 {
            high = low;
        }
        low = point;
    }
    Ok((low, count))
}

/// Where the cubic through two points, with their slopes, is lowest within the bounds; their middle if it is nowhere
/// (Nocedal and Wright, equation 3.59).
fn lowest_of_cubic(a: &Point, b: &Point, (least, most): (f64, f64)) -> f64 {
    let (a, b) = if a.t <= b.t { (a, b) } else { (b, a) };
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.t - b.t);
    let squared = d1 * d1 - a.slope * b.slope;
    if squared >= 0.0 {
        let d2 = squared.sqrt();
        let at = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2));
        at.max(least).min(most)
    } else {
        f64::midpoint(least, most)
    }
}
