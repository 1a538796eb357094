//! Functions of two numbers.

use super::{NONZERO, POSITIVE, SMALL, WHOLE, pairs, vector, zeros};
use autodiff::check::property::Shapes;

ops! {
    pow: pairs(), [POSITIVE, SMALL], |[a, b], _| a.pow(b),
        gradient "`g b aᵇ⁻¹`, `g y ln a`",
        gives [
            vector([2.0, 9.0, -2.0, -2.0, 0.0, 0.0]).pow(&vector([3.0, 0.5, 3.0, 0.5, 0.0, -1.0]))?
                => [8.0, 3.0, -8.0, f64::NAN, 1.0, f64::INFINITY],
        ],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).pow(&zeros([2]))],
        like "numpy.power";
    atan2: pairs(), [NONZERO; 2], |[y, x], _| y.atan2(x),
        gradient "`g x / (x² + y²)`, `-g y / (x² + y²)`",
        gives [
            vector([0.0, -0.0, 1.0, 1.0]).atan2(&vector([-1.0, -1.0, 0.0, 1.0]))?
                => [std::f64::consts::PI, -std::f64::consts::PI, std::f64::consts::FRAC_PI_2, std::f64::consts::FRAC_PI_4],
        ],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).atan2(&zeros([2]))],
        like "numpy.arctan2";
    hypot: pairs(), [NONZERO; 2], |[a, b], _| a.hypot(b),
        gradient "`g a / y`, `g b / y`",
        gives [vector([3e200, 0.0]).hypot(&vector([-4e200, 0.0]))? => [5e200, 0.0]],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).hypot(&zeros([2]))],
        like "numpy.hypot";
    log_add_exp: pairs(), [SMALL; 2], |[a, b], _| a.log_add_exp(b),
        gradient "`g / (1 + e^(b-a))`, `g / (1 + e^(a-b))`",
        gives [
            vector([1000.0, -f64::INFINITY, f64::INFINITY, 1.0, f64::NAN])
                .log_add_exp(&vector([1000.0, -f64::INFINITY, f64::INFINITY, -f64::INFINITY, 1.0]))?
                => [1000.0 + std::f64::consts::LN_2, -f64::INFINITY, f64::INFINITY, 1.0, f64::NAN],
        ],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).log_add_exp(&zeros([2]))],
        like "numpy.logaddexp";
    // Divisors near 1 and -1, so that the quotient is as far from a whole number as its numerator.
    remainder: pairs(), [WHOLE, NONZERO], |[a, b], _| a.remainder(&(b.sign() + b * 0.03)),
        gradient "`g`, `-g ⌊a / b⌋`",
        gives [vector([5.0, -5.0, 5.0, -5.0, 1.0]).remainder(&vector([3.0, 3.0, -3.0, -3.0, 0.0]))? => [2.0, 1.0, -1.0, -2.0, f64::NAN]],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).remainder(&zeros([2]))],
        like "numpy.remainder";
    fmod: pairs(), [WHOLE, NONZERO], |[a, b], _| a.fmod(&(b.sign() + b * 0.03)),
        gradient "`g`, `-g trunc(a / b)`",
        gives [vector([5.0, -5.0, 5.0, -5.0, 1.0]).fmod(&vector([3.0, 3.0, -3.0, -3.0, 0.0]))? => [2.0, -2.0, 2.0, -2.0, f64::NAN]],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).fmod(&zeros([2]))],
        like "numpy.fmod";
    lerp: Shapes::broadcastable().elementwise(), [SMALL; 3], |[start, end, weight], _| start.lerp(end, weight),
        gradient "`g (1 - weight)`, `g weight`, `g (end - start)`",
        gives [vector([10.0, 0.1, 0.1]).lerp(&vector([20.0, 0.7, 0.7]), &vector([0.25, 0.0, 1.0]))? => [12.5, 0.1, 0.7]],
        bad [
            "[2, 3] and [2] do not broadcast" => zeros([2, 3]).lerp(&zeros([2]), &zeros([])),
            "do not broadcast" => zeros([2, 3]).lerp(&zeros([3]), &zeros([2])),
        ],
        like "torch.lerp";
}
