//! Ops of your own: ten lines for each, one for the laws that hold it, and what is said when there is a slip in it.
//!
//! `docs/your-own-op.md` walks through this file.

use autodiff::check::property::{Line, Shapes};
use autodiff::check::strategies::Domain;
use autodiff::check::{Fault, Mismatch, Slip, Variable};
use autodiff::{Array, Float, Op, Point, Tensor, grad};
use examples::chapter::{self, Claims, Options, Result};
use std::f64::consts::LN_2;
use std::process::ExitCode;
use std::time::Instant;

/// `ln(1 - e⁻ˣ)` for `x > 0`: the logarithm of `1 - p`, given that of `p = e⁻ˣ`.
///
/// Near 0 the difference loses its digits, far out the logarithm does: each end has a formula of its own
/// (M. Mächler, "Accurately computing log(1 - exp(-|a|))", 2012, equation 7).
struct Log1mExp;
#[rustfmt::skip] // a line a method, as one would write it on a board
impl<T: Float> Op<T> for Log1mExp {
    fn name(&self) -> &'static str { "log1mexp" }
    fn forward(&mut self, x: &[&Array<T>]) -> autodiff::Result<Array<T>> {
        let f = |x: f64| if x <= LN_2 { (-(-x).exp_m1()).ln() } else { (-(-x).exp()).ln_1p() };
        Ok(x[0].map(|x| T::from_f64(f(x.to_f64()))))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> autodiff::Result<Tensor<T>> {
        Ok(grad * (-(at.input(0) + at.output())).exp()) // e⁻ˣ / (1 - e⁻ˣ) = e^-(x + y)
    }
}

/// `ln(eᵃ + eᵇ)`, a smooth maximum: the sum of two probabilities, given their logarithms.
struct LogAddExp;
#[rustfmt::skip]
impl<T: Float> Op<T> for LogAddExp {
    fn name(&self) -> &'static str { "log_add_exp" }
    fn forward(&mut self, x: &[&Array<T>]) -> autodiff::Result<Array<T>> {
        x[0].zip(x[1], |a, b| a.maximum(b) + (-(a - b).abs()).softplus())
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> autodiff::Result<Tensor<T>> {
        Ok(grad * (at.input(index) - at.input(1 - index)).sigmoid())
    }
}

/// `log1mexp` with a slip: the derivative is computed beside the value, and kept.
struct KeptSlope<T: Float>(Option<Array<T>>);
#[rustfmt::skip]
impl<T: Float> Op<T> for KeptSlope<T> {
    fn name(&self) -> &'static str { "kept_slope" }
    fn forward(&mut self, x: &[&Array<T>]) -> autodiff::Result<Array<T>> {
        self.0 = Some(x[0].map(|x| T::from_f64(1.0 / x.to_f64().exp_m1())));
        Log1mExp.forward(x)
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> autodiff::Result<Tensor<T>> {
        Ok(grad * Tensor::from(self.0.clone().expect("forward comes first")))
    }
}

/// `log_add_exp` with a slip: both inputs have the rule of the first.
struct SameRule;
#[rustfmt::skip]
impl<T: Float> Op<T> for SameRule {
    fn name(&self) -> &'static str { "same_rule" }
    fn forward(&mut self, x: &[&Array<T>]) -> autodiff::Result<Array<T>> { LogAddExp.forward(x) }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> autodiff::Result<Tensor<T>> {
        Ok(grad * (at.input(0) - at.input(1)).sigmoid())
    }
}

#[rustfmt::skip]
autodiff::laws! {
    const LAWS;
    log1mexp: Shapes::alike(0..=4).elementwise(), [Domain::Positive], |[x], _| Log1mExp.apply(&[x]);
    log_add_exp: Shapes::broadcastable().elementwise(), [Domain::Small; 2], |[a, b], _| LogAddExp.apply(&[a, b]);
}

#[rustfmt::skip]
autodiff::laws! {
    const SLIPS;
    #[should_panic(expected = "the gradient is right and its own derivative is not")]
    kept_slope: Shapes::alike(0..=4).elementwise(), [Domain::Positive], |[x], _| KeptSlope(None).apply(&[x]);
    #[should_panic(expected = "/ d input 1")]
    same_rule: Shapes::broadcastable().elementwise(), [Domain::Small; 2], |[a, b], _| SameRule.apply(&[a, b]);
}

fn main() -> ExitCode {
    chapter::run(|options: &Options, claims: &mut Claims| {
        values(claims)?;
        println!();
        for line in &LAWS[..if options.quick { 1 } else { LAWS.len() }] {
            obeys(line, claims);
        }
        println!();
        breaks(&SLIPS[0], claims, |found| (found.order(), found.slip()) == (2, Some(&Slip::Hidden)));
        breaks(&SLIPS[1], claims, |found| match found.fault() {
            Fault::Entry(entry) => (found.order(), entry.input.variable) == (1, Variable::Input(1)),
            _ => false,
        });
        Ok(())
    })
}

/// Shows the ops beside the formulas as they are written on paper.
fn values(claims: &mut Claims) -> Result<()> {
    let points = [1e-12f32, 1e-6, 0.5, 1.0, 20.0, 80.0];
    let x = Tensor::from_vec(points, [points.len()])?.variable();
    let y = Log1mExp.apply(&[&x])?;
    let [slope] = grad(&y.sum(), [&x])?;
    let [curvature] = grad(&slope.sum(), [&x])?;
    let naive = (1.0 - (-x.detach()).exp()).ln();
    let columns = [&x, &naive, &y, &slope, &curvature].map(Tensor::to_vec);
    let row = |i| columns.each_ref().map(|column| format!("{:.6e}", column[i]));
    let header = ["x, in f32", "(1 - (-x).exp()).ln()", "log1mexp", "its derivative", "and the next"];
    chapter::table(header, (0..points.len()).map(row));

    // Beyond the digits of f64, the first terms of the series: ln x - x/2 near 0, -e⁻ˣ far out.
    let exact = |x: f64| if x < 1e-3 { x.ln() - x / 2.0 } else { (-(-x).exp()).ln_1p() };
    let error = |(&x, y): (&f32, f32)| {
        let exact = exact(f64::from(x));
        ((f64::from(y) - exact) / exact).abs()
    };
    let worst = points.iter().zip(y.to_vec()).map(error).fold(0.0, f64::max);
    claims.hold(format!("log1mexp is right to {worst:.0e} in f32"), worst < 2e-7);

    let (a, b) =
        (Tensor::from_vec([1000.0f32, -1000.0], [2, 1])?, Tensor::from_vec([1000.0f32, 999.0], [2])?);
    let sums = LogAddExp.apply(&[&a, &b])?;
    println!("log_add_exp of {:?} and {:?}: {:?}", a.to_vec(), b.to_vec(), sums.to_vec());
    let expected = [1000.0 + LN_2, 1000.0 + (-1.0f64).exp().ln_1p(), 1000.0, 999.0];
    let worst = sums
        .to_vec()
        .iter()
        .zip(expected)
        .map(|(&y, exact)| (f64::from(y) - exact).abs())
        .fold(0.0, f64::max);
    claims.hold(format!("log_add_exp is right to {worst:.0e} at 1000, where eˣ is infinite"), worst < 1e-4);
    Ok(())
}

/// Judges a right op.
fn obeys(line: &Line, claims: &mut Claims) {
    let (started, before) = (Instant::now(), processor_time());
    let judged = line.judge();
    let cost = match (before, processor_time()) {
        (Some(before), Some(after)) => format!("{:.2} s of processor time", after - before),
        _ => format!("{:.2} s", started.elapsed().as_secs_f64()),
    };
    match judged {
        Ok(held) => {
            let report = held.report();
            let share = 100.0 * report.undecided() as f64 / report.elements().max(1) as f64;
            let text = format!(
                "{} obeys every law at {} points: {} entries of Jacobians, {share:.1} % of the elements undecided; {cost}",
                line.name(),
                held.points(),
                report.entries(),
            );
            claims.hold(text, true);
        }
        Err(broken) => {
            println!("{broken}");
            claims.hold(format!("{} obeys every law", line.name()), false);
        }
    }
}

/// Judges an op with a slip, which has to be found by the law that is meant for it.
fn breaks(line: &Line, claims: &mut Claims, meant: impl Fn(&Mismatch) -> bool) {
    let text = format!("the slip in {} is found for what it is", line.name());
    match line.judge() {
        Ok(_) => claims.hold(text, false),
        Err(broken) => {
            println!("{broken}");
            claims.hold(text, meant(broken.mismatch()));
            println!();
        }
    }
}

/// The seconds that all processors have spent on this program, where Linux tells it, in steps of a hundredth of a second.
fn processor_time() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which stands in brackets: the state, then ten numbers, then ticks in the program and in the system.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |i: usize| fields.get(i)?.parse::<u64>().ok();
    Some((ticks(11)? + ticks(12)?) as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAPTER: &str = include_str!("../docs/your-own-op.md");

    /// The blocks of code of the chapter in a language.
    fn blocks(language: &str) -> Vec<&'static str> {
        let open = format!("```{language}\n");
        CHAPTER.split(&open).skip(1).map(|rest| rest.split("```").next().expect("a block ends")).collect()
    }

    #[test]
    fn the_code_of_the_chapter_is_this_code() {
        let code = include_str!("custom_op.rs");
        assert_eq!(blocks("rust").len(), 5);
        for block in blocks("rust") {
            assert!(code.contains(block), "{block}");
        }
    }

    #[test]
    fn the_reports_of_the_chapter_are_those_that_are_printed() {
        // What differences find has an error of its own, which is the processor's.
        let settled = |text: &str| {
            let parts: Vec<_> = text.split("numerically ").collect();
            let rest =
                |part: &&str| part.split_once(" (ratio").map_or(part.to_string(), |(_, rest)| rest.into());
            parts.iter().map(rest).collect::<Vec<_>>()
        };
        let printed: Vec<String> = SLIPS.iter().map(|line| line.judge().unwrap_err().to_string()).collect();
        let reports = blocks("text");
        assert_eq!(reports.len(), printed.len());
        for (report, printed) in reports.into_iter().zip(printed) {
            assert_eq!(settled(report.trim_end()), settled(printed.trim_end()));
        }
    }
}
