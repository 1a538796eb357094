//! The derive of `Module`: names, order, and what it does not ask for.
#![allow(missing_docs)]

use autodiff::{Float, Parameter, Path, Place, PlaceMut, Rng, Running, Tensor};
use nn::{Affine, BatchNorm, Conv2d, Module, Relu, Sequential};

/// Every place that a walk shows, with its kind.
fn places<T: Float>(module: &impl Module<T>) -> Vec<String> {
    let mut found = Vec::new();
    module.walk(&mut Path::default(), &mut |name, place| {
        found.push(match place {
            Place::Parameter(p) => format!("{name} {}", p.shape()),
            Place::Running(r) => format!("{name} running {}", r.get().shape()),
            _ => unreachable!("there are two kinds of places"),
        });
    });
    found
}

fn places_mut<T: Float>(module: &mut impl Module<T>) -> Vec<String> {
    let mut found = Vec::new();
    module.walk_mut(&mut Path::default(), &mut |name, place| {
        found.push(match place {
            PlaceMut::Parameter(p) => format!("{name} {}", p.shape()),
            PlaceMut::Running(r) => format!("{name} running {}", r.get().shape()),
            _ => unreachable!("there are two kinds of places"),
        });
    });
    found
}

#[derive(Module)]
struct Head {
    scale: Parameter,
    mean: Running,
}

fn head(n: usize) -> Head {
    Head { scale: Parameter::new(Tensor::ones([n])), mean: Running::new(Tensor::zeros([n])) }
}

#[derive(Module)]
enum Act {
    Relu,
    Prelu { slope: Parameter },
    Pair(Parameter, Head),
}

/// No module, and need not be one.
struct History;

#[derive(Module)]
struct Net {
    name: String,
    conv: Conv2d,
    heads: Vec<Head>,
    none: Option<Head>,
    some: Option<Head>,
    pair: (Head, Parameter),
    act: [Act; 3],
    rest: Sequential,
    #[module(skip)]
    history: History,
}

fn net() -> Net {
    let mut rng = Rng::seed(1);
    let one = || Parameter::new(Tensor::ones([1]));
    Net {
        name: "net".into(),
        conv: Conv2d::new(1, 2, 3, &mut rng),
        heads: vec![head(1), head(2)],
        none: None,
        some: Some(head(3)),
        pair: (head(4), one()),
        act: [Act::Relu, Act::Prelu { slope: one() }, Act::Pair(one(), head(5))],
        rest: Sequential::new()
            .push(Relu)
            .push(Affine::new(2, 2, &mut rng).without_bias())
            .push(BatchNorm::new(2)),
        history: History,
    }
}

#[test]
fn names_are_field_paths_in_the_order_of_declaration() {
    let mut net = net();
    let expected = [
        "conv.weight [2, 1, 3, 3]",
        "conv.bias [2]",
        "heads.0.scale [1]",
        "heads.0.mean running [1]",
        "heads.1.scale [2]",
        "heads.1.mean running [2]",
        "some.scale [3]",
        "some.mean running [3]",
        "pair.0.scale [4]",
        "pair.0.mean running [4]",
        "pair.1 [1]",
        "act.1.slope [1]",
        "act.2.0 [1]",
        "act.2.1.scale [5]",
        "act.2.1.mean running [5]",
        "rest.1.weight [2, 2]",
        "rest.2.weight [2]",
        "rest.2.bias [2]",
        "rest.2.running_mean running [2]",
        "rest.2.running_var running [2]",
    ];
    assert_eq!(places(&net), expected);
    assert_eq!(places_mut(&mut net), expected);
    assert_eq!(net.name, "net");
    let History = net.history;
}

#[derive(Module)]
struct Generic<T: Float, M, const N: usize>
where
    M: Clone,
{
    layers: [M; N],
    factor: Parameter<T>,
    #[module(skip)]
    zero: T,
    layer_count: usize,
}

#[test]
fn generic_types_keep_their_bounds() {
    let mut model = Generic::<f64, _, 2> {
        layers: [(); 2].map(|()| Affine::new(1, 1, &mut Rng::seed(1))),
        factor: Parameter::new(Tensor::ones([3])),
        zero: 0.0,
        layer_count: 2,
    };
    let expected = [
        "layers.0.weight [1, 1]",
        "layers.0.bias [1]",
        "layers.1.weight [1, 1]",
        "layers.1.bias [1]",
        "factor [3]",
    ];
    assert_eq!(places(&model), expected);
    assert_eq!(places_mut(&mut model), expected);
    assert_eq!(model.parameter_count(), 7);
    assert_eq!((model.zero, model.layer_count), (0.0, 2));
}

#[derive(Module)]
struct Tree {
    weight: Parameter,
    children: Vec<Tree>,
}

#[test]
fn a_type_may_contain_itself() {
    let leaf = |children| Tree { weight: Parameter::new(Tensor::ones([1])), children };
    let tree = leaf(vec![leaf(vec![]), leaf(vec![leaf(vec![])])]);
    let names =
        ["weight [1]", "children.0.weight [1]", "children.1.weight [1]", "children.1.children.0.weight [1]"];
    assert_eq!(places(&tree), names);
}
