//! What the tape promises: order, freedom of stack and leaks, and how it behaves when asked for too much.

use autodiff::{Array, ErrorKind, Parameter, Rng, Tensor, grad, memory, no_grad, pull_back};
use std::sync::{Mutex, PoisonError};

/// The counters of live nodes and buffers are the process's, so tests that read them do not run beside others here.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> impl Drop {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn variable(values: &[f64]) -> Tensor<f64> {
    Tensor::from_vec(values, [values.len()]).unwrap().variable()
}

#[test]
fn the_second_derivative_of_a_square_is_two() {
    let _alone = alone();
    let x = variable(&[3.0, -1.0]);
    let [dx] = grad(&x.square().sum(), [&x]).unwrap();
    assert_eq!(dx.to_vec(), [6.0, -2.0]);
    let [ddx] = grad(&dx.sum(), [&x]).unwrap();
    assert_eq!(ddx.to_vec(), [2.0, 2.0]);
}

#[test]
fn any_order_follows_from_the_rules() {
    let _alone = alone();
    // dⁿ/dxⁿ sin x = sin(x + n π/2)
    let x = variable(&[0.7]);
    let mut y = x.sin().sum();
    for n in 1..=7 {
        [y] = grad(&y, [&x]).unwrap();
        y = y.sum();
        let exact = (0.7 + f64::from(n) * std::f64::consts::FRAC_PI_2).sin();
        assert!((y.item() - exact).abs() < 1e-12, "order {n}: {} {exact}", y.item());
    }
}

#[test]
fn an_input_used_several_times_gets_the_sum() {
    let _alone = alone();
    let x = variable(&[2.0]);
    let y = &x * &x + &x;
    (&y * &x).sum().backward().unwrap();
    assert_eq!(x.grad().unwrap().to_vec(), [3.0 * 4.0 + 2.0 * 2.0]); // x³ + x²
}

#[test]
fn operators_give_the_same_whoever_owns_their_operands() {
    let _alone = alone();
    // From 16 KiB on, operators write over operands that they are given.
    for [rows, n] in [[2, 3], [50, 100]] {
        let mut rng = Rng::seed(n as u64);
        let mut numbers = |shape: &[usize]| rng.uniform::<f64>(shape, 0.5, 2.0);
        let [left, right, seed] = [&[rows, n]; 3].map(|shape| numbers(shape));
        let [row, column, number] = [&[n][..], &[rows, 1], &[]].map(numbers);
        let operands = [(false, &right), (true, &right), (true, &row), (true, &column), (true, &number)];
        for (tracked, other) in operands {
            let fresh = |x: &Tensor<f64>| {
                let copy = Tensor::from_vec(x.to_vec(), x.shape()).unwrap();
                if tracked { copy.variable() } else { copy }
            };
            // The operands are results themselves: nobody holds them but the operator, if it is given them.
            let outcome = |f: &dyn Fn(Tensor<f64>, Tensor<f64>) -> Tensor<f64>| {
                let (a, b) = (fresh(&left), fresh(other));
                let y = f(&a + 1.0, &b + 1.0);
                let mut all = vec![y.to_vec()];
                if tracked {
                    (y * &seed).sum().backward().unwrap();
                    all.extend([a, b].map(|x| x.grad().unwrap().to_vec()));
                }
                all
            };
            macro_rules! alike {
                ($($op:tt),*) => {
                    $(
                        let lent = outcome(&|a, b| &a $op &b);
                        assert!(lent == outcome(&|a, b| a $op b), "{n}: both given to {}", stringify!($op));
                        assert!(lent == outcome(&|a, b| a $op &b), "{n}: left given to {}", stringify!($op));
                        assert!(lent == outcome(&|a, b| &a $op b), "{n}: right given to {}", stringify!($op));
                        // What others hold, or a tape has kept, is left as it is.
                        let held = outcome(&|a, b| (a.clone() $op &b) + (a * &b - &b));
                        assert!(held == outcome(&|a, b| (&a $op &b) + (&a * &b - &b)));
                        let kept = outcome(&|a, b| a.exp() $op b.exp());
                        assert!(kept == outcome(&|a, b| &a.exp() $op &b.exp()));
                        let numbers = outcome(&|a, b| (&(&a $op 3.0)) + &(2.0 $op &b));
                        assert!(numbers == outcome(&|a, b| (a $op 3.0) + (2.0 $op b)));
                    )*
                };
            }
            alike!(+, -, *, /);
            assert!(outcome(&|a, b| -&a * b) == outcome(&|a, b| -a * b));
        }
    }
}

#[test]
fn products_add_to_what_has_arrived_whatever_their_shapes() {
    let _alone = alone();
    let counting =
        |shape: [usize; 2]| Tensor::from(Array::from_vec([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], shape).unwrap());
    let x = counting([2, 3]).variable();
    let (whole, turned) = (counting([2, 3]).variable(), counting([3, 2]).variable());
    let row = variable(&[10.0, 20.0, 30.0]);
    // Each is multiplied twice: in the shape of the product, as a view, and as what is broadcast.
    let flat = turned.t().unwrap();
    let products = [&x * &whole, &x * &flat, &x * &row, &row * &x, &flat * &x, &whole * &x];
    let sum = products.iter().fold(Tensor::scalar(0.0), |sum, product| sum + product);
    sum.sum().backward().unwrap();
    let grad = |of: &Tensor<f64>| of.grad().unwrap().to_vec();
    assert_eq!(
        grad(&x),
        [
            2.0 + 2.0 + 20.0,
            4.0 + 6.0 + 40.0,
            6.0 + 10.0 + 60.0,
            8.0 + 4.0 + 20.0,
            10.0 + 8.0 + 40.0,
            12.0 + 12.0 + 60.0
        ]
    );
    assert_eq!(grad(&whole), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
    assert_eq!(grad(&turned), [2.0, 8.0, 4.0, 10.0, 6.0, 12.0]);
    assert_eq!(grad(&row), [2.0 + 8.0, 4.0 + 10.0, 6.0 + 12.0]);
}

#[test]
fn gradients_of_several_losses_add_up_until_they_are_taken() {
    let _alone = alone();
    let x = variable(&[5.0]);
    x.square().sum().backward().unwrap();
    (&x * 3.0).sum().backward().unwrap();
    assert_eq!(x.take_grad().unwrap().to_vec(), [13.0]);
    assert!(x.grad().is_none());
}

#[test]
fn backward_uses_the_tape_up_and_says_so() {
    let _alone = alone();
    let x = variable(&[1.0]);
    let y = x.exp().sum();
    y.backward().unwrap();
    let error = y.backward().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Freed);
    assert_eq!(x.grad().unwrap().to_vec(), [1f64.exp()], "the failed call changed nothing");
}

#[test]
fn losses_over_a_freed_trunk_are_refused_without_touching_gradients() {
    let _alone = alone();
    let x = variable(&[1.0]);
    let trunk = x.exp();
    let (a, b) = (trunk.sum(), (&trunk * &x).sum());
    a.backward().unwrap();
    let before = x.grad().unwrap().to_vec();
    assert_eq!(b.backward().unwrap_err().kind(), &ErrorKind::Freed);
    assert_eq!(x.grad().unwrap().to_vec(), before);
}

#[test]
fn grad_keeps_the_tape_and_touches_no_slot() {
    let _alone = alone();
    let x = variable(&[1.0]);
    let y = x.exp().sum();
    let [first] = grad(&y, [&x]).unwrap();
    let [second] = grad(&y, [&x]).unwrap();
    assert_eq!(first.to_vec(), second.to_vec());
    assert!(x.grad().is_none());
    y.backward().unwrap();
    assert_eq!(x.grad().unwrap().to_vec(), first.to_vec());
}

#[test]
fn gradients_may_be_taken_at_intermediate_values() {
    let _alone = alone();
    let x = variable(&[3.0]);
    let y = x.square();
    let z = (&y * &y).sum();
    let [dy, dx] = grad(&z, [&y, &x]).unwrap();
    assert_eq!((dy.to_vec(), dx.to_vec()), (vec![18.0], vec![108.0]));
}

#[test]
fn what_the_output_does_not_depend_on_is_an_error() {
    let _alone = alone();
    let (x, w) = (variable(&[3.0]), variable(&[4.0]));
    let error = grad(&x.sum(), [&x, &w]).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Independent { index: 1 });
    assert_eq!(grad(&x.detach().sum(), [&x]).unwrap_err().kind(), &ErrorKind::Untracked);
}

#[test]
fn a_seed_scales_the_gradient() {
    let _alone = alone();
    let x = variable(&[1.0, 2.0]);
    let y = x.square();
    let seed = Tensor::from_vec([10.0, 100.0], [2]).unwrap();
    assert_eq!(pull_back(&y, &seed, &[&x]).unwrap()[0].to_vec(), [20.0, 400.0]);
    assert!(pull_back(&y, &Tensor::ones([1]), &[&x]).is_err());
}

#[test]
fn nothing_is_recorded_without_grad() {
    let _alone = alone();
    let x = variable(&[1.0]);
    assert!(!no_grad(|| x.exp() * 2.0).is_tracked());
    let panicked = std::panic::catch_unwind(|| no_grad(|| panic!("inside")));
    assert!(panicked.is_err() && autodiff::is_recording(), "the flag is restored when the body panics");
}

#[test]
fn a_million_ops_need_no_stack() {
    let _alone = alone();
    let before = memory();
    let body = || {
        let x = variable(&[1.0]);
        let chain = || (0..1_000_000).fold(x.clone(), |y, _| &y * 0.999_999_9);
        let y = chain().sum();
        y.backward().unwrap();
        let exact = (1_000_000.0 * 0.999_999_9f64.ln()).exp();
        assert!((x.grad().unwrap().item() - exact).abs() < 1e-6);
        let [dx] = grad(&chain().sum(), [&x]).unwrap();
        assert!((dx.item() - exact).abs() < 1e-6);
        drop(chain()); // never differentiated
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(body).unwrap().join().unwrap();
    let after = memory();
    assert_eq!((after.live_nodes, after.live_buffers), (before.live_nodes, before.live_buffers));
}

#[test]
fn a_training_loop_leaves_nothing_behind() {
    let _alone = alone();
    let before = memory();
    {
        let mut rng = Rng::seed(1);
        let x: Tensor = rng.normal([32, 8], 0.0, 1.0);
        let mut w = Parameter::new(rng.normal([8, 3], 0.0, 0.5));
        let mut alive = Vec::new();
        for step in 0..20 {
            let logits = x.matmul(&w).unwrap().tanh();
            let loss = logits.cross_entropy(&[step % 3; 32]).unwrap();
            loss.backward().unwrap();
            w.step(|value, grad| *value = value.zip(grad, |w, g| w - 0.1 * g).unwrap());
            drop((logits, loss));
            alive.push((memory().live_nodes, memory().live_buffers));
        }
        assert!(alive.windows(2).all(|pair| pair[0] == pair[1]), "memory grows: {alive:?}");
        // Second order, dropped half-way.
        let [dw] = grad(&x.matmul(&w).unwrap().sin().sum(), [&w]).unwrap();
        drop(grad(&dw.square().sum(), [&w]).unwrap());
    }
    let after = memory();
    assert_eq!((after.live_nodes, after.live_buffers), (before.live_nodes, before.live_buffers));
}

#[test]
fn backward_makes_parameters_unique_again() {
    let _alone = alone();
    let mut w = Parameter::new(Tensor::<f64>::ones([1000]));
    w.square().sum().backward().unwrap();
    let before = memory();
    w.step(|value, grad| autodiff::Array::update([value], grad, |[w], g| [w - g]));
    assert_eq!(memory().taken, before.taken, "the step asked for memory");
    assert_eq!(w.to_vec(), [-1.0; 1000]);
}

#[test]
fn several_threads_add_into_the_same_parameters() {
    let _alone = alone();
    let w = Parameter::new(Tensor::<f64>::ones([4]));
    std::thread::scope(|scope| {
        for k in 1..=8 {
            let w = &w;
            scope.spawn(move || (w * f64::from(k)).sum().backward().unwrap());
        }
    });
    assert_eq!(w.grad().unwrap().to_vec(), [36.0; 4]);
    let _: &(dyn Send + Sync) = &w;
}

#[test]
fn a_graph_may_cross_threads() {
    let _alone = alone();
    let x = variable(&[2.0]);
    let y = std::thread::spawn({
        let x = x.clone();
        move || x.square()
    })
    .join()
    .unwrap();
    (y * &x).sum().backward().unwrap();
    assert_eq!(x.grad().unwrap().to_vec(), [12.0]);
}

#[test]
fn training_has_the_same_bits_for_any_number_of_threads() {
    let _alone = alone();
    let train = |threads| {
        autodiff::with_threads(threads, || {
            let mut rng = Rng::seed(5);
            let x: Tensor = rng.normal([600, 300], 0.0, 1.0);
            let mut w = Parameter::new(rng.normal([300, 200], 0.0, 0.1));
            for _ in 0..3 {
                let loss = x.matmul(&w).unwrap().gelu().softmax(-1).unwrap().square().sum();
                loss.backward().unwrap();
                w.step(|value, grad| *value = value.zip(grad, |w, g| w - 0.1 * g).unwrap());
            }
            w.to_vec()
        })
    };
    let one = train(1);
    assert_eq!(one, train(2));
    assert_eq!(one, train(3));
}

#[test]
fn a_cloned_or_replaced_parameter_is_a_place_of_its_own() {
    let _alone = alone();
    let mut w = Parameter::new(Tensor::<f64>::ones([2]));
    let copy = w.clone();
    let loss = w.square().sum();
    w.set(&Tensor::zeros([3]));
    loss.backward().unwrap();
    assert!(
        copy.grad().is_none() && w.grad().is_none(),
        "the gradient belongs to the values that were there before"
    );
    assert_eq!((copy.to_vec(), w.to_vec()), (vec![1.0; 2], vec![0.0; 3]));
}

#[test]
fn a_sum_of_many_variables_is_differentiated_in_linear_time() {
    let _alone = alone();
    let variables: Vec<Tensor<f64>> = (0..100_000).map(|i| variable(&[f64::from(i)])).collect();
    // In either order of their numbers.
    for all in [variables.iter().collect::<Vec<_>>(), variables.iter().rev().collect()] {
        Tensor::cat(&all, 0).unwrap().square().sum().backward().unwrap();
    }
    assert_eq!(variables[77].grad().unwrap().to_vec(), [4.0 * 77.0]);
}

#[test]
#[should_panic(expected = "a gradient has the shape of its parameter")]
fn a_gradient_keeps_the_shape_of_its_parameter() {
    let _alone = alone();
    let mut w = Parameter::new(Tensor::<f64>::ones([2]));
    w.square().sum().backward().unwrap();
    w.update_grad(|grad| *grad = Array::full(1.0, [3]));
}
