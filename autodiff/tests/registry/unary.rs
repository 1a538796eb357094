//! Functions of one number.

use super::{AT_ONE, NONZERO, POSITIVE, SMALL, WHOLE, each, vector};

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
    erf: each(), [SMALL], |[x], _| Ok(x.erf()),
        gradient "`g 2/√π e^(-x²)`",
        gives [vector([0.0, 1.0]).erf() => [0.0, 0.842_700_792_949_714_9]],
        like "scipy.special.erf";
    exp2: each(), [SMALL], |[x], _| Ok(x.exp2()),
        gradient "`g y ln 2`",
        gives [vector([3.0, -0.5]).exp2() => [8.0, std::f64::consts::FRAC_1_SQRT_2]],
        like "numpy.exp2";
    exp_m1: each(), [SMALL], |[x], _| Ok(x.exp_m1()),
        gradient "`g (y + 1)`",
        gives [vector([1e-10, 1.0]).exp_m1() => [1.000_000_000_05e-10, 1.718_281_828_459_045]],
        like "numpy.expm1";
    ln_1p: each(), [POSITIVE], |[x], _| Ok(x.ln_1p()),
        gradient "`g / (1 + x)`",
        gives [vector([1e-10, 1.0]).ln_1p() => [9.999_999_999_500_001e-11, std::f64::consts::LN_2]],
        like "numpy.log1p";
    log2: each(), [POSITIVE], |[x], _| Ok(x.log2()),
        gradient "`g / (x ln 2)`",
        gives [vector([8.0, 3.0]).log2() => [3.0, 1.584_962_500_721_156]],
        like "numpy.log2";
    log10: each(), [POSITIVE], |[x], _| Ok(x.log10()),
        gradient "`g / (x ln 10)`",
        gives [vector([1000.0, 3.0]).log10() => [3.0, 0.477_121_254_719_662_44]],
        like "numpy.log10";
    rsqrt: each(), [POSITIVE], |[x], _| Ok(x.rsqrt()),
        gradient "`-g y³ / 2`",
        gives [vector([4.0, 0.0]).rsqrt() => [0.5, f64::INFINITY]],
        like "torch.rsqrt";
    tan: each(), [SMALL], |[x], _| Ok((x * 0.5).tan()),
        gradient "`g (1 + y²)`",
        gives [vector([1.0]).tan() => [1.557_407_724_654_902_3]],
        like "numpy.tan";
    asin: each(), [SMALL], |[x], _| Ok((x * 0.4).asin()),
        gradient "`g / √(1 - x²)`",
        gives [vector([0.5, 2.0]).asin() => [std::f64::consts::FRAC_PI_6, f64::NAN]],
        like "numpy.arcsin";
    acos: each(), [SMALL], |[x], _| Ok((x * 0.4).acos()),
        gradient "`-g / √(1 - x²)`",
        gives [vector([0.5, 2.0]).acos() => [std::f64::consts::FRAC_PI_3, f64::NAN]],
        like "numpy.arccos";
    atan: each(), [SMALL], |[x], _| Ok(x.atan()),
        gradient "`g / (1 + x²)`",
        gives [vector([1.0, f64::INFINITY]).atan() => [std::f64::consts::FRAC_PI_4, std::f64::consts::FRAC_PI_2]],
        like "numpy.arctan";
    sinh: each(), [SMALL], |[x], _| Ok(x.sinh()),
        gradient "`g √(1 + y²)`",
        gives [vector([1.0]).sinh() => [1.175_201_193_643_801_4]],
        like "numpy.sinh";
    cosh: each(), [SMALL], |[x], _| Ok(x.cosh()),
        gradient "`g sinh x`",
        gives [vector([1.0]).cosh() => [1.543_080_634_815_243_7]],
        like "numpy.cosh";
    asinh: each(), [SMALL], |[x], _| Ok(x.asinh()),
        gradient "`g / √(1 + x²)`",
        gives [vector([1.0]).asinh() => [0.881_373_587_019_543]],
        like "numpy.arcsinh";
    acosh: each(), [POSITIVE], |[x], _| Ok((x + 1.0).acosh()),
        gradient "`g / √(x² - 1)`",
        gives [vector([2.0, 0.5]).acosh() => [1.316_957_896_924_816_6, f64::NAN]],
        like "numpy.arccosh";
    atanh: each(), [SMALL], |[x], _| Ok((x * 0.4).atanh()),
        gradient "`g / (1 - x²)`",
        gives [vector([0.5, 1.0]).atanh() => [0.549_306_144_334_054_8, f64::INFINITY]],
        like "numpy.arctanh";
    erfc: each(), [SMALL], |[x], _| Ok(x.erfc()),
        gradient "`-g 2/√π e^(-x²)`",
        gives [vector([1.0, 5.0]).erfc() => [0.157_299_207_050_285_13, 1.537_459_794_428_035_1e-12]],
        like "scipy.special.erfc";
    floor: each(), [WHOLE], |[x], _| Ok(x.floor()),
        gradient "0",
        gives [vector([-1.5, 2.5, 3.0]).floor() => [-2.0, 2.0, 3.0]],
        like "numpy.floor";
    ceil: each(), [WHOLE], |[x], _| Ok(x.ceil()),
        gradient "0",
        gives [vector([-1.5, 2.5, 3.0]).ceil() => [-1.0, 3.0, 3.0]],
        like "numpy.ceil";
    trunc: each(), [WHOLE], |[x], _| Ok(x.trunc()),
        gradient "0",
        gives [vector([-1.5, 2.5, 3.0]).trunc() => [-1.0, 2.0, 3.0]],
        like "numpy.trunc";
    round: each(), [WHOLE], |[x], _| Ok((x + 0.5).round()),
        gradient "0",
        gives [vector([-1.5, 2.5, 3.2]).round() => [-2.0, 2.0, 3.0]],
        like "numpy.rint";
    clamp: each(), [AT_ONE], |[x], _| Ok(x.clamp(-1.0, 1.0)),
        gradient "`g` between `low` and `high`, else 0",
        gives [vector([-2.0, 0.5, 3.0, f64::NAN]).clamp(-1.0, 1.0) => [-1.0, 0.5, 1.0, f64::NAN]],
        like "numpy.clip";
    powi: each(), [NONZERO], |[x], mut c| Ok(x.powi(c.below(9) as i32 - 4)),
        gradient "`g n xⁿ⁻¹`",
        gives [vector([-2.0]).powi(3) => [-8.0], vector([0.0]).powi(0) => [1.0]],
        like "numpy.power";
    powf: each(), [POSITIVE], |[x], mut c| Ok(x.powf([0.5, -1.5, 2.0, 0.0, 1.0, 3.25][c.below(6)])),
        gradient "`g p xᵖ⁻¹`",
        gives [vector([4.0]).powf(-1.5) => [0.125]],
        like "numpy.power";
}
