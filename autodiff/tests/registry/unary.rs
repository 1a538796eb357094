//! Functions of one number.

use super::{NONZERO, POSITIVE, SMALL, each, vector};

ops! {
    abs: each(), [NONZERO], |[x], _| Ok(x.abs()),
        gradient "`g · sign(x)`",
        gives [vector([-1.5, 0.0, 2.0]).abs() => [1.5, 0.0, 2.0]],
        like "numpy.absolute";
    sign: each(), [NONZERO], |[x], _| Ok(x.sign()),
        gradient "0",
        gives [vector([-1.5, 0.0, 2.0, f64::NAN]).sign() => [-1.0, 0.0, 1.0, f64::NAN]],
        like "numpy.sign";
    step: each(), [NONZERO], |[x], _| Ok(x.step()),
        gradient "0",
        gives [vector([-1.5, 0.0, 2.0, f64::NAN]).step() => [0.0, 0.0, 1.0, f64::NAN]],
        like "numpy.heaviside(x, 0)";
    square: each(), [SMALL], |[x], _| Ok(x.square()),
        gradient "`2 g x`",
        like "numpy.square";
    sqrt: each(), [POSITIVE], |[x], _| Ok(x.sqrt()),
        gradient "`g / (2 y)`",
        gives [vector([2.0, 0.0, -1.0]).sqrt() => [std::f64::consts::SQRT_2, 0.0, f64::NAN]],
        like "numpy.sqrt";
    recip: each(), [NONZERO], |[x], _| Ok(x.recip()),
        gradient "`-g y²`",
        like "numpy.reciprocal";
    exp: each(), [SMALL], |[x], _| Ok(x.exp()),
        gradient "`g y`",
        gives [vector([1.0, -1.0]).exp() => [std::f64::consts::E, 0.367_879_441_171_442_33]],
        like "numpy.exp";
    ln: each(), [POSITIVE], |[x], _| Ok(x.ln()),
        gradient "`g / x`",
        gives [vector([2.0, 0.0, -1.0]).ln() => [std::f64::consts::LN_2, f64::NEG_INFINITY, f64::NAN]],
        like "numpy.log";
    sin: each(), [SMALL], |[x], _| Ok(x.sin()),
        gradient "`g cos x`",
        gives [vector([1.0]).sin() => [0.841_470_984_807_896_5]],
        like "numpy.sin";
    cos: each(), [SMALL], |[x], _| Ok(x.cos()),
        gradient "`-g sin x`",
        gives [vector([1.0]).cos() => [0.540_302_305_868_139_8]],
        like "numpy.cos";
    tanh: each(), [SMALL], |[x], _| Ok(x.tanh()),
        gradient "`g (1 - y²)`",
        gives [vector([1.0]).tanh() => [0.761_594_155_955_764_9]],
        like "numpy.tanh";
    sigmoid: each(), [SMALL], |[x], _| Ok(x.sigmoid()),
        gradient "`g y (1 - y)`",
        gives [vector([0.0, 1.0]).sigmoid() => [0.5, 0.731_058_578_630_004_9]],
        like "torch.sigmoid";
    softplus: each(), [SMALL], |[x], _| Ok(x.softplus()),
        gradient "`g / (1 + e⁻ˣ)`",
        gives [vector([0.0, 1.0, 1000.0]).softplus() => [std::f64::consts::LN_2, 1.313_261_687_518_222_8, 1000.0]],
        like "torch.nn.functional.softplus";
    erf: each(), [SMALL], |[x], _| Ok(x.erf()),
        gradient "`g 2/√π e^(-x²)`",
        gives [vector([0.0, 1.0]).erf() => [0.0, 0.842_700_792_949_714_9]],
        like "scipy.special.erf";
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
    powi: each(), [NONZERO], |[x], mut c| Ok(x.powi(c.below(9) as i32 - 4)),
        gradient "`g n xⁿ⁻¹`",
        gives [vector([-2.0]).powi(3) => [-8.0], vector([0.0]).powi(0) => [1.0]],
        like "numpy.power";
    powf: each(), [POSITIVE], |[x], mut c| Ok(x.powf([0.5, -1.5, 2.0, 0.0, 1.0, 3.25][c.below(6)])),
        gradient "`g p xᵖ⁻¹`",
        gives [vector([4.0]).powf(-1.5) => [0.125]],
        like "numpy.power";
}
