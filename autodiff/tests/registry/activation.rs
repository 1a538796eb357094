//! Activation functions.

use super::{AT_ONE, Domain, NONZERO, SMALL, axes, each, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::{MAX_RANK, Tensor};

/// Numbers that a function with kinks at 0 and 1 is smooth at.
const AT_ZERO_AND_ONE: Domain = Domain::AwayFrom { kinks: &[0.0, 1.0], gap: 0.125 };

ops! {
    sigmoid: each(), [SMALL], |[x], _| Ok(x.sigmoid()),
        gradient "`g y (1 - y)`",
        gives [vector([0.0, 1.0]).sigmoid() => [0.5, 0.731_058_578_630_004_9]],
        like "torch.sigmoid";
    softplus: each(), [SMALL], |[x], _| Ok(x.softplus()),
        gradient "`g / (1 + e⁻ˣ)`",
        gives [vector([0.0, 1.0, 1000.0]).softplus() => [std::f64::consts::LN_2, 1.313_261_687_518_222_8, 1000.0]],
        like "torch.nn.functional.softplus";
    relu: each(), [NONZERO], |[x], _| Ok(x.relu()),
        gradient "`g` where `x > 0`, else 0",
        gives [vector([-1.0, 0.0, 2.0]).relu() => [0.0, 0.0, 2.0]],
        like "torch.relu";
    gelu: each(), [SMALL], |[x], _| Ok(x.gelu()),
        gradient "`g (Φ(x) + x φ(x))`",
        gives [vector([0.0, 1.0]).gelu() => [0.0, 0.841_344_746_068_542_9]],
        like "torch.nn.functional.gelu";
    silu: each(), [SMALL], |[x], _| Ok(x.silu()),
        gradient "`g s (1 + x (1 - s))` with `s = 1 / (1 + e⁻ˣ)`",
        gives [vector([0.0, 1.0]).silu() => [0.0, 0.731_058_578_630_004_9]],
        like "torch.nn.functional.silu";
    log_sigmoid: each(), [SMALL], |[x], _| Ok(x.log_sigmoid()),
        gradient "`g / (1 + eˣ)`",
        gives [vector([0.0, -1000.0]).log_sigmoid() => [-std::f64::consts::LN_2, -1000.0]],
        like "torch.nn.functional.logsigmoid";
    gelu_tanh: each(), [SMALL], |[x], _| Ok(x.gelu_tanh()),
        gradient "`g (1 + t + x (1 - t²) √(2/π) (1 + 0.134_145 x²)) / 2` with `t` the hyperbolic tangent in it",
        gives [vector([1.0]).gelu_tanh() => [0.841_191_990_608_276_8]],
        like "torch.nn.functional.gelu(approximate='tanh')";
    mish: each(), [SMALL], |[x], _| Ok(x.mish()),
        gradient "`g (t + x s (1 - t²))` with `t = tanh(softplus x)` and `s = 1 / (1 + e⁻ˣ)`",
        gives [vector([1.0]).mish() => [0.865_098_388_267_310_3]],
        like "torch.nn.functional.mish";
    leaky_relu: each(), [NONZERO], |[x], _| Ok(x.leaky_relu(0.25)),
        gradient "`g` where `x > 0`, else `g slope`",
        gives [vector([-2.0, 0.0, 3.0, f64::NAN]).leaky_relu(0.25) => [-0.5, 0.0, 3.0, f64::NAN]],
        like "torch.nn.functional.leaky_relu";
    elu: each(), [NONZERO], |[x], _| Ok(x.elu(0.5)),
        gradient "`g` where `x > 0`, else `g α eˣ`",
        gives [vector([-1.0, 3.0, 800.0]).elu(0.5) => [-0.316_060_279_414_278_83, 3.0, 800.0]],
        like "torch.nn.functional.elu";
    selu: each(), [NONZERO], |[x], _| Ok(x.selu()),
        gradient "`g λ` where `x > 0`, else `g λ α eˣ`",
        gives [vector([-1.0, 3.0]).selu() => [-1.111_330_737_812_562_5, 3.152_102_962_066_441_4]],
        like "torch.nn.functional.selu";
    celu: each(), [NONZERO], |[x], _| Ok(x.celu(0.5)),
        gradient "`g` where `x > 0`, else `g e^(x/α)`",
        gives [vector([-1.0, 3.0]).celu(0.5) => [-0.432_332_358_381_693_65, 3.0]],
        like "torch.nn.functional.celu";
    relu6: each(), [AT_ZERO_AND_ONE], |[x], _| Ok((x * 6.0).relu6()),
        gradient "`g` where `0 < x < 6`, else 0",
        gives [vector([-1.0, 3.0, 7.0, f64::NAN]).relu6() => [0.0, 3.0, 6.0, f64::NAN]],
        like "torch.nn.functional.relu6";
    hard_tanh: each(), [AT_ONE], |[x], _| Ok(x.hard_tanh()),
        gradient "`g` where `-1 < x < 1`, else 0",
        gives [vector([-2.0, 0.5, 3.0, f64::NAN]).hard_tanh() => [-1.0, 0.5, 1.0, f64::NAN]],
        like "torch.nn.functional.hardtanh";
    hard_sigmoid: each(), [AT_ONE], |[x], _| Ok((x * 3.0).hard_sigmoid()),
        gradient "`g / 6` where `-3 < x < 3`, else 0",
        gives [vector([-4.0, 0.0, 1.5, 4.0]).hard_sigmoid() => [0.0, 0.5, 0.75, 1.0]],
        like "torch.nn.functional.hardsigmoid";
    hard_swish: each(), [AT_ONE], |[x], _| Ok((x * 3.0).hard_swish()),
        gradient "`g (x / 3 + 1/2)` where `-3 < x < 3`, `g` from 3 on, else 0",
        gives [vector([-4.0, 0.0, 1.5, 4.0]).hard_swish() => [0.0, 0.0, 1.125, 4.0]],
        like "torch.nn.functional.hardswish";
    softsign: each(), [NONZERO], |[x], _| Ok(x.softsign()),
        gradient "`g / (1 + |x|)²`",
        gives [vector([-3.0, 1.0]).softsign() => [-0.75, 0.5]],
        like "torch.nn.functional.softsign";
    tanh_shrink: each(), [SMALL], |[x], _| Ok(x.tanh_shrink()),
        gradient "`g tanh² x`",
        gives [vector([1.0]).tanh_shrink() => [0.238_405_844_044_235_15]],
        like "torch.nn.functional.tanhshrink";
    soft_shrink: each(), [AT_ONE], |[x], _| Ok(x.soft_shrink(1.0)),
        gradient "`g` where `|x| > threshold`, else 0",
        gives [vector([-2.0, 0.5, 3.0]).soft_shrink(1.0) => [-1.0, 0.0, 2.0]],
        like "torch.nn.functional.softshrink";
    hard_shrink: each(), [AT_ONE], |[x], _| Ok(x.hard_shrink(1.0)),
        gradient "`g` where `|x| > threshold`, else 0",
        gives [vector([-2.0, 0.5, 3.0]).hard_shrink(1.0) => [-2.0, 0.0, 3.0]],
        like "torch.nn.functional.hardshrink";
    threshold: each(), [AT_ONE], |[x], _| Ok(x.threshold(1.0, -5.0)),
        gradient "`g` where `x > threshold`, else 0",
        gives [vector([-2.0, 1.0, 3.0, f64::NAN]).threshold(1.0, -5.0) => [-5.0, -5.0, 3.0, f64::NAN]],
        like "torch.nn.functional.threshold";
    prelu: Shapes::alike(2..=MAX_RANK).filled(), [NONZERO, SMALL], |[x, slope], mut c| {
            // One slope for each channel, or one: the first element along every other axis.
            let axes = (0..x.rank() as isize).filter(|&axis| axis != 1);
            let slope = axes.chain(c.flag().then_some(1)).try_fold(slope.clone(), |s, axis| s.slice(axis, 0..1))?;
            x.prelu(&slope.reshape([-1])?)
        },
        gradient "`g` where `x > 0`, else `g slope`; to the slopes the sum of `g x` where `x ≤ 0`",
        gives [
            vector([-1.0, -1.0, 3.0, -4.0]).reshape([2, 2])?.prelu(&vector([0.5, 0.25]))? => [-0.5, -0.25, 3.0, -1.0],
            vector([-1.0, 3.0, f64::NAN]).prelu(&Tensor::scalar(0.5))? => [-0.5, 3.0, f64::NAN],
        ],
        bad [
            "[2, 3] against [2]" => zeros([2, 3]).prelu(&zeros([2])),
            "[3] against [3]" => zeros([3]).prelu(&zeros([3])),
            "[2, 3] against [3, 1]" => zeros([2, 3]).prelu(&zeros([3, 1])),
        ],
        like "torch.nn.functional.prelu";
    glu: axes(), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            Tensor::cat(&[x, &x.exp()], axis)?.glu(axis)
        },
        gradient "`g s` and `g a s (1 - s)` with `s = 1 / (1 + e⁻ᵇ)`",
        gives [vector([3.0, 5.0, 0.0, 0.0]).glu(0)? => [1.5, 2.5]],
        bad [
            "axis 1 of [2, 3] has an odd number of entries" => zeros([2, 3]).glu(1),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).glu(2),
        ],
        like "torch.nn.functional.glu";
}
