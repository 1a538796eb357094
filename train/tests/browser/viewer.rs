//! The page of a tape: every step can be reached, and shows what the tape says.

use crate::driver::{Browser, key};
use crate::{in_every_form, written};
use autodiff::graph::{Graph, Visit};
use autodiff::{PoolOptions, Result, Rng, Tensor};
use nn::{Affine, Conv2d, Layer, Module};
use train::viewer::Viewer;

/// The network of LeCun, Bottou, Bengio and Haffner (1998), with `ReLU` and largest values.
#[derive(Module)]
struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Affine,
    fc2: Affine,
    fc3: Affine,
}

impl LeNet {
    fn new(rng: &mut Rng) -> Self {
        Self {
            conv1: Conv2d::new(1, 6, 5, rng).padding(2),
            conv2: Conv2d::new(6, 16, 5, rng),
            fc1: Affine::new(400, 120, rng),
            fc2: Affine::new(120, 84, rng),
            fc3: Affine::new(84, 10, rng),
        }
    }

    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let x = self.conv1.forward(images)?.relu().max_pool2d(PoolOptions::square(2))?;
        let x = self.conv2.forward(&x)?.relu().max_pool2d(PoolOptions::square(2))?;
        let x = self.fc1.forward(&x.flatten(1)?)?.relu();
        let x = self.fc2.forward(&x)?.relu();
        self.fc3.forward(&x)
    }
}

/// The tape of a step of `LeNet`, and its sweep.
fn lenet() -> (Graph, Vec<Visit>) {
    let mut rng = Rng::seed(1);
    let net = LeNet::new(&mut rng);
    let images = rng.uniform([8, 1, 28, 28], 0.0, 1.0);
    let loss = net.forward(&images).unwrap().cross_entropy(&[0, 1, 2, 3, 4, 5, 6, 7]).unwrap();
    let graph = Graph::of(&[&loss]).names(&net).name(&loss, "loss");
    let visits = graph.sweep(&loss, &Tensor::scalar(1.0)).unwrap();
    (graph, visits)
}

/// The number that the page shows as the gradient's norm, which it rounds to four digits.
fn shown_norm(browser: &Browser) -> f64 {
    browser.text("#d-norm").parse().unwrap()
}

fn is_rounded(shown: f64, exact: f64) -> bool {
    (shown - exact).abs() <= 0.6e-3 * exact.abs()
}

#[test]
fn a_step_of_lenet_is_walked_by_buttons_keys_slider_and_clicks() {
    let (graph, visits) = lenet();
    let (steps, count) = (graph.steps(), graph.steps().len());
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), &Viewer::new("A step of LeNet", &graph, &visits).render());
    let browser = Browser::start();
    browser.open_file(&file);
    assert_eq!(browser.text("#place"), format!("Forward 1 of {count}"));
    assert_eq!(browser.run("return document.querySelectorAll('#rows button').length"), count);

    // Forward by the button: each step after its inputs, the loss at the end.
    let shown = |browser: &Browser| -> usize {
        let name = browser.text("#d-name");
        name.rsplit('%').next().unwrap().parse().unwrap()
    };
    let mut order = vec![shown(&browser)];
    for _ in 1..count {
        browser.click("#next");
        order.push(shown(&browser));
    }
    let place = |id: usize| order.iter().position(|&other| other == id).unwrap();
    for step in steps {
        assert!(step.inputs.iter().all(|input| input.step.is_none_or(|from| place(from) < place(step.id))));
    }
    assert_eq!(browser.text("#d-name"), format!("loss · %{}", count - 1));
    assert!(browser.text("#d-total").contains(&format!("({} B)", thousands(graph.saved_bytes()))));

    // Backward by the arrow key: the visits of the sweep, with their norms, down to the first variable.
    for (i, visit) in visits.iter().enumerate() {
        browser.press(&[key::RIGHT]);
        let step = &steps[visit.step];
        assert_eq!(browser.text("#place"), format!("Backward {} of {}", i + 1, visits.len()));
        assert_eq!(shown(&browser), visit.step);
        assert!(is_rounded(shown_norm(&browser), visit.norm()), "{i}: {}", browser.text("#d-norm"));
        assert!(browser.text("#d-shape").starts_with(&format!("{} ·", step.shape)));
        let site = step.site.map_or_else(String::new, |site| site.to_string());
        assert!(step.site.is_none() || browser.text("#d-site") == site);
    }
    // A layer draws its weight after it has made its bias.
    assert_eq!(browser.text("#d-name"), "conv1.bias · %0");
    assert_eq!(browser.text("#d-total"), "0 B");
    browser.press(&[key::RIGHT]);
    assert_eq!(browser.text("#place"), format!("Backward {0} of {0}", visits.len()), "the walk has an end");

    // A click on a step, the turn to the other phase, a link to an input, the keys to both ends.
    let conv = steps.iter().position(|step| step.what.to_string() == "conv2d").unwrap();
    let row = place(conv) + 1;
    browser.click(&format!("#rows li:nth-child({row}) button"));
    assert_eq!((shown(&browser), browser.text("#turn")), (conv, "Forward".into()));
    browser.click("#turn");
    assert_eq!(browser.text("#place"), format!("Forward {row} of {count}"));
    assert_eq!(browser.text("#d-code .called b"), steps[conv].site.unwrap().line().to_string());
    assert!(browser.text("#d-code .called").contains("self.conv1.forward(images)"));
    browser.click("#d-inputs button");
    assert!(browser.text("#d-name").starts_with("conv1.weight · %"));
    browser.press(&[key::END]);
    assert_eq!(browser.text("#place"), format!("Backward {0} of {0}", visits.len()));
    browser.press(&[key::HOME]);
    browser.run("const slider = document.getElementById('slider'); slider.value = 3; slider.dispatchEvent(new Event('input'))");
    assert_eq!(shown(&browser), order[3]);

    in_every_form(&browser, |browser| {
        browser.press(&[key::HOME, key::RIGHT, key::RIGHT, key::RIGHT, 't']);
        assert!(browser.text("#place").starts_with("Backward"));
    });
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// A number with commas.
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

#[test]
fn a_thousand_steps_are_shown_and_reached() {
    let x = Tensor::from_vec([0.5f32, -0.5], [2]).unwrap().variable();
    let y = (0..499).fold(x.clone(), |y, _| (y + &x * 0.01).sin());
    let loss = y.sum();
    let graph = Graph::of(&[&loss]).name(&x, "x");
    let visits = graph.sweep(&loss, &Tensor::scalar(1.0)).unwrap();
    let count = graph.steps().len();
    assert!(count > 1000, "{count}");
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start();
    browser.open_file(&written(folder.path(), &Viewer::new("A thousand steps", &graph, &visits).render()));
    browser.press(&[key::END]);
    assert_eq!(browser.text("#place"), format!("Backward {0} of {0}", visits.len()));
    assert_eq!(browser.text("#d-name"), "x · %0");
    browser.press(&[key::HOME, 't', key::HOME, key::RIGHT]);
    assert_eq!(browser.text("#d-name"), "%1");
    // The last row comes into sight when the walk gets there.
    browser.run(&format!("show({})", count - 1));
    let seen = "const list = document.getElementById('tape-list').getBoundingClientRect(), \
                row = document.querySelector('[aria-current]').getBoundingClientRect(); \
                return row.top >= list.top && row.bottom <= list.bottom";
    in_every_form(&browser, |browser| {
        browser.press(&[key::END, key::LEFT]);
        assert!(browser.run(seen).as_bool().unwrap());
    });
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn an_empty_tape_and_one_without_a_sweep_have_pages() {
    let x = Tensor::from_vec([f32::NAN], [1]).unwrap().variable();
    let y = x.exp();
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start();
    let open = |viewer: Viewer| browser.open_file(&written(folder.path(), &viewer.render()));
    open(Viewer::new("Nothing", &Graph::of(&[&x.detach()]), &[]));
    assert!(browser.text("#summary").starts_with("There are no steps"));
    let graph = Graph::of(&[&y]).name(&x, "</script><b>x");
    open(Viewer::new("Forward only", &graph, &[]));
    browser.press(&[key::END]);
    assert_eq!(browser.text("#place"), "Forward 2 of 2");
    assert_eq!(browser.text("#d-inputs"), "%0 </script><b>x ");
    open(Viewer::new("NaN", &graph, &graph.sweep(&y, &Tensor::ones([1])).unwrap()));
    browser.press(&[key::END]);
    assert_eq!(browser.text("#d-norm"), "NaN");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
