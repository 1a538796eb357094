//! Functions made of several ops, or of one op in a way that its entry in the registry does not have.

use autodiff::check::property::{Shapes, config};
use autodiff::check::strategies::{Choice, Domain, choices, conv_cases, pool_cases, shapes};
use autodiff::{MAX_RANK, Op, Tensor};
use proptest::prelude::*;

const SMALL: Domain = Domain::Small;
const DISTINCT: Domain = Domain::Distinct;
const NONZERO: Domain = Domain::NONZERO;

autodiff::laws! {
    powi_through_zero: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], mut c| Ok(x.powi(c.below(5) as i32));
    add_op: Shapes::broadcastable().elementwise(), [SMALL; 2], |[a, b], _| autodiff::Add.apply(&[a, b]);
    sub_op: Shapes::broadcastable().elementwise(), [SMALL; 2], |[a, b], _| autodiff::Sub.apply(&[a, b]);
    mul_op: Shapes::broadcastable().elementwise(), [SMALL; 2], |[a, b], _| autodiff::Mul.apply(&[a, b]);
    div_op: Shapes::broadcastable().elementwise(), [SMALL, NONZERO], |[a, b], _| autodiff::Div.apply(&[a, b]);
    add_number: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x + 0.75 + (0.5 + x));
    sub_number: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok((x - 0.75) * (0.5 - x));
    mul_number: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok((x * 0.75) + (-0.5 * x));
    div_number: Shapes::alike(0..=MAX_RANK).elementwise(), [NONZERO], |[x], _| Ok((x / 0.75) + (-0.5 / x));
    used_twice: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x * x + x.exp() * x - x);
    used_with_itself_broadcast: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], _| Ok(x * x.sum_keep(0)?);
    select_by_comparison: Shapes::broadcastable().elementwise(), [DISTINCT; 2], |[a, b], _| a.gt(b)?.select(&a.square(), &b.exp());
    matmul_of_transposed: Shapes::products(), [SMALL; 2], |[a, b], _| match (a.rank(), b.rank()) {
        (2.., 2..) => b.t()?.matmul(&a.t()?),
        _ => b.matmul(&a.t().unwrap_or_else(|_| a.clone())).or_else(|_| a.matmul(b)),
    };
    matmul_with_itself: Shapes::alike(2..=MAX_RANK), [SMALL], |[x], _| x.matmul(&x.t()?);
    cat_of_two: Shapes::alike(1..=MAX_RANK), [SMALL; 2], |[a, b], mut c| Tensor::cat(&[a, b], c.axis(a.shape()));
    conv2d_with_bias: Shapes::convolutions_with_bias(), [SMALL; 3], |[x, w, bias], mut c| x.conv2d(w, Some(bias), c.conv_options());
}

#[test]
fn decisions_stay_within_their_bounds() {
    proptest!(config(), |(shape in shapes(0..=6), mut choice in choices())| {
        let reshaped = choice.reshape(shape);
        prop_assert!(Tensor::<f64>::zeros(shape).reshape(&reshaped).is_ok(), "{} as {:?}", shape, reshaped);
        prop_assert!(Tensor::<f64>::zeros(shape).permute(choice.permutation(shape.rank())).is_ok());
        let range = choice.range(5);
        prop_assert!(range.start <= range.end && range.end <= 5);
    });
}

#[test]
fn options_are_read_as_they_were_drawn() {
    // Every option that is drawn is read from some decision, and the simplest decision reads the simplest.
    let read = |n| (Choice::new(n).conv_options(), Choice::new(n).pool_options());
    let (convolutions, poolings): (Vec<_>, Vec<_>) = (0..2 * 2 * 3 * 3 * 2 * 2 * 2 * 9).map(read).unzip();
    assert_eq!(
        (convolutions[0], poolings[0]),
        (autodiff::ConvOptions::default(), autodiff::PoolOptions::square(2))
    );
    proptest!(config(), |(conv in conv_cases(), pool in pool_cases())| {
        prop_assert!(convolutions.contains(&conv.options), "{:?}", conv);
        prop_assert!(poolings.contains(&pool.options), "{:?}", pool);
    });
}
