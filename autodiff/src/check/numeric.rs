//! Numerical differentiation: what the rules are held to.
//!
//! Two ways. [`numerical_gradient`] is the central difference of the text books, as a reference that anybody can
//! follow. [`derivative`] and [`jacobian`] extrapolate three central differences to a step of zero (Richardson's
//! method), which is a thousand to a million times as exact, and *know how exact they are*: every [`Estimate`] comes
//! with an error, so that a kink or a pole is told from a wrong rule.

use crate::error::{Error, ErrorKind, Result};
use crate::tensor::Tensor;
use std::convert::Infallible;

/// The gradient of a function with a single number as its value, by central differences
/// `(f(x + h) - f(x - h)) / 2h` with `h = 10⁻⁴`, element by element.
///
/// Its error is about `h² f'''/6` from the truncation, and `10⁻¹⁶ f / h` from rounding: some nine digits where `f` and
/// its derivatives are near one, six or seven where they change fast. Two evaluations an element. For checks,
/// [`grads`](crate::check::grads) does better.
///
/// # Panics
/// If the value of `f` has not exactly one element.
///
/// ```
/// use autodiff::{Tensor, check::numerical_gradient, grad};
/// let f = |x: &Tensor<f64>| (x.sin() * x).sum();
/// let x = Tensor::from_vec([0.5, 1.0, 2.0], [3])?.variable();
/// let [exact] = grad(&f(&x), [&x])?;
/// let numeric = numerical_gradient(f, &x);
/// assert!((exact - numeric).abs().max().item() < 1e-8);
/// # Ok::<(), autodiff::Error>(())
/// ```
pub fn numerical_gradient(f: impl Fn(&Tensor<f64>) -> Tensor<f64>, x: &Tensor<f64>) -> Tensor<f64> {
    const H: f64 = 1e-4;
    let mut values = x.to_vec();
    let slopes: Vec<f64> = (0..values.len())
        .map(|i| {
            let middle = values[i];
            let mut at = |value: f64| {
                values[i] = value;
                f(&filled(&values, x)).item()
            };
            let slope = (at(middle + H) - at(middle - H)) / (2.0 * H);
            values[i] = middle;
            slope
        })
        .collect();
    filled(&slopes, x)
}

/// A constant of the shape of `like`.
pub(super) fn filled(values: &[f64], like: &Tensor<f64>) -> Tensor<f64> {
    Tensor::from_vec(values, like.shape()).expect("as many values as elements")
}

/// A derivative found numerically, and how far from the true one it may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The derivative.
    pub value: f64,
    /// Its error, roughly: the change that the last extrapolation brought, or what rounding does to it, or the jump of
    /// the slope at this point, whichever is largest. Not finite if the function is not.
    pub error: f64,
}

/// The derivative of a function of one number at `x`, with its error.
///
/// Three central differences, with steps `h`, `h/2`, `h/4` for `h = 0.01 |x|` (at least 0.001, at most 0.01), are
/// extrapolated to zero. The error is that of the text book's difference to the power of three: about `10⁻¹³` for
/// smooth functions. At a kink all central differences agree on the mean of the two slopes; the jump between the
/// slopes on either side, extrapolated alike, then becomes the error.
///
/// ```
/// use autodiff::check::derivative;
/// let smooth = derivative(f64::exp, 1.0);
/// assert!((smooth.value - 1f64.exp()).abs() < 1e-12 && smooth.error < 1e-11);
///
/// let kink = derivative(f64::abs, 0.0);
/// assert!(kink.error > 1.0); // the slope jumps from -1 to 1
/// ```
pub fn derivative(f: impl Fn(f64) -> f64, x: f64) -> Estimate {
    let middle = [f(x)];
    let mut scratch = Vec::new();
    let Ok(()) = richardson(|x| Ok::<_, Infallible>(vec![f(x)]), x, &middle, &mut scratch);
    scratch[0]
}

/// The Jacobian of a function of several tensors with respect to one of them, by the method of [`derivative`]: a row
/// for each element of the output, a column for each element of input `index`, in row-major order.
///
/// Six evaluations a column, and one.
///
/// # Errors
/// What `f` reports, and if the size of its output changes with the values.
///
/// ```
/// use autodiff::{Tensor, check::jacobian};
/// let x = Tensor::from_vec([1.0, 2.0], [2])?;
/// let j = jacobian(|x| Ok(x[0].square()), &[x], 0)?;
/// assert!((j[0][0].value - 2.0).abs() < 1e-12 && j[0][1].value.abs() < 1e-12);
/// # Ok::<(), autodiff::Error>(())
/// ```
pub fn jacobian(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
    index: usize,
) -> Result<Vec<Vec<Estimate>>> {
    let middle = f(inputs)?.to_vec();
    let mut rows = vec![Vec::new(); middle.len()];
    columns(
        |x| Ok(f(x)?.to_vec()),
        inputs,
        index,
        &middle,
        |_, column| {
            rows.iter_mut().zip(column).for_each(|(row, &entry)| row.push(entry));
        },
    )?;
    Ok(rows)
}

/// Shows the columns of the Jacobian with respect to input `index`, from the first to the last; `middle` is the value
/// at the point itself.
pub(super) fn columns(
    f: impl Fn(&[Tensor<f64>]) -> Result<Vec<f64>>,
    inputs: &[Tensor<f64>],
    index: usize,
    middle: &[f64],
    mut show: impl FnMut(usize, &[Estimate]),
) -> Result<()> {
    // Nothing is changed in place: an input may be a view in which one number stands for several elements.
    let mut moved = inputs.to_vec();
    let mut values = inputs[index].to_vec();
    let mut column = Vec::new();
    for i in 0..values.len() {
        let here = values[i];
        let at = |value: f64| {
            values[i] = value;
            moved[index] = filled(&values, &inputs[index]);
            let found = f(&moved)?;
            if found.len() == middle.len() { Ok(found) } else { Err(resized(middle.len(), found.len())) }
        };
        richardson(at, here, middle, &mut column)?;
        values[i] = here;
        show(i, &column);
    }
    Ok(())
}

/// Central differences of `f` at `x` with three steps, extrapolated; one estimate for each value of `f` in `out`.
pub(super) fn richardson<E>(
    mut f: impl FnMut(f64) -> Result<Vec<f64>, E>,
    x: f64,
    middle: &[f64],
    out: &mut Vec<Estimate>,
) -> Result<(), E> {
    let h = 1e-2 * x.abs().clamp(0.1, 1.0);
    let mut above = Vec::with_capacity(3);
    let mut below = Vec::with_capacity(3);
    for step in [h, h / 2.0, h / 4.0] {
        // What is divided by is the step that was taken, after rounding.
        let (high, low) = (x + step, x - step);
        above.push((f(high)?, high));
        below.push((f(low)?, low));
    }
    out.clear();
    for (row, &y) in middle.iter().enumerate() {
        let [mut slopes, mut jumps] = [[0.0; 3]; 2];
        let mut largest = y.abs();
        for level in 0..3 {
            let ((high, at_high), (low, at_low)) = (&above[level], &below[level]);
            let (high, low) = (high[row], low[row]);
            slopes[level] = (high - low) / (at_high - at_low);
            jumps[level] = (high - y) / (at_high - x) - (y - low) / (x - at_low);
            largest = largest.max(high.abs()).max(low.abs());
        }
        // Differences have errors in h², h⁴, ..: the first extrapolation removes one, the second the other.
        let coarse = (4.0 * slopes[1] - slopes[0]) / 3.0;
        let fine = (4.0 * slopes[2] - slopes[1]) / 3.0;
        let value = (16.0 * fine - coarse) / 15.0;
        // A smooth function's slopes on either side differ by multiples of h, h³, ..; what is left is a kink.
        let jump = (8.0 * (2.0 * jumps[2] - jumps[1]) - (2.0 * jumps[1] - jumps[0])) / 7.0;
        // A value that does not change at all depends on nothing, however large it is.
        let constant = slopes == [0.0; 3] && jumps == [0.0; 3];
        let rounding = if constant { 0.0 } else { f64::EPSILON * largest / (h / 4.0) };
        let error = [jump.abs(), rounding].into_iter().fold((value - fine).abs(), nan_or_larger);
        out.push(Estimate { value, error });
    }
    Ok(())
}

/// The larger of two, NaN if either is: an error that cannot be told is no small error.
fn nan_or_larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

#[track_caller]
fn resized(before: usize, after: usize) -> Error {
    let message = format!("the output has {before} elements at one point and {after} beside it");
    ErrorKind::Message(message).of("check")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_functions_are_differentiated_to_twelve_digits() {
        type Pair = (fn(f64) -> f64, fn(f64) -> f64);
        let pairs: [Pair; 6] = [
            (f64::exp, f64::exp),
            (f64::ln, f64::recip),
            (f64::sin, f64::cos),
            (f64::tanh, |x| 1.0 - x.tanh().powi(2)),
            (f64::sqrt, |x| 0.5 / x.sqrt()),
            (f64::recip, |x| -1.0 / (x * x)),
        ];
        for (f, exact) in pairs {
            for i in 1..40 {
                let x = f64::from(i) * 0.1;
                let found = derivative(f, x);
                let scale = exact(x).abs().max(1.0);
                assert!((found.value - exact(x)).abs() < 2e-11 * scale, "{x}: {found:?} for {}", exact(x));
                assert!(found.error < 1e-9 * scale, "{x}: {found:?}");
            }
        }
    }

    #[test]
    fn kinks_jumps_and_poles_are_known_for_what_they_are() {
        // At the point, and beside it within the largest step.
        for kink in [0.0, 1e-5, 4e-4, 8e-4, -6e-4] {
            let found = derivative(|x| (x - kink).max(0.0), 0.0);
            let off = (found.value - if kink < 0.0 { 1.0 } else { 0.0 }).abs();
            assert!(off < 1e-12 || found.error > off / 10.0, "{kink}: {found:?}");
        }
        assert!(derivative(|x| f64::from(x > 1.0), 1.0).error > 10.0);
        assert!(derivative(f64::recip, 1e-3).error.is_nan() || derivative(f64::recip, 1e-3).error > 1.0);
        assert!(derivative(f64::ln, 1e-4).error.is_nan());
    }

    #[test]
    fn what_does_not_change_is_known_exactly() {
        assert_eq!(derivative(|_| 1e12, 0.5), Estimate { value: 0.0, error: 0.0 });
        assert!(derivative(|_| f64::NAN, 0.5).error.is_nan());
    }

    #[test]
    fn the_plain_gradient_is_right_to_eight_digits_and_leaves_its_argument_alone() {
        let x = Tensor::from_vec([1.0, -2.0, 0.5], [3, 1]).unwrap();
        let found = numerical_gradient(|x| (x.square() * x).sum(), &x);
        assert_eq!(found.shape(), [3, 1]);
        for (found, exact) in found.to_vec().into_iter().zip([3.0, 12.0, 0.75]) {
            assert!((found - exact).abs() < 2e-8);
        }
        assert_eq!(x.to_vec(), [1.0, -2.0, 0.5]);
    }

    #[test]
    fn an_output_that_changes_its_size_is_an_error() {
        let x = Tensor::scalar(0.0);
        let error =
            jacobian(|x| Ok(Tensor::zeros([if x[0].item() > 0.0 { 2 } else { 1 }])), &[x], 0).unwrap_err();
        assert!(error.to_string().contains("1 elements at one point and 2 beside it"), "{error}");
    }
}
