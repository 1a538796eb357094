//! A step asks for no memory once its state is made. Alone in its process, as the counts are those of all threads.

use autodiff::{Parameter, Tensor, memory};
use optim::{
    AdaDelta, AdaGrad, Adam, AdamW, Adamax, Lion, Momentum, NAdam, Optimizer, RAdam, RmsProp, Rprop, Sgd,
};

#[test]
fn a_step_writes_in_place() {
    let optimizers: [(usize, Box<dyn Optimizer>); 17] = [
        (0, Box::new(Sgd::new(0.1))),
        (1, Box::new(Momentum::new(0.1))),
        (1, Box::new(AdaGrad::new(0.1))),
        (1, Box::new(RmsProp::new(0.1))),
        (2, Box::new(Adam::new(0.1))),
        (2, Box::new(AdamW::new(0.1))),
        (2, Box::new(RmsProp::new(0.1).centered(true))),
        (2, Box::new(RmsProp::new(0.1).momentum(0.9))),
        (3, Box::new(RmsProp::new(0.1).centered(true).momentum(0.9))),
        (3, Box::new(Adam::new(0.1).amsgrad(true))),
        (3, Box::new(AdamW::new(0.1).amsgrad(true))),
        (2, Box::new(AdaDelta::new(1.0))),
        (2, Box::new(Adamax::new(0.1))),
        (2, Box::new(NAdam::new(0.1))),
        (2, Box::new(RAdam::new(0.1))),
        (1, Box::new(Lion::new(0.1))),
        (2, Box::new(Rprop::new(0.1))),
    ];
    for (slots, mut optimizer) in optimizers {
        let mut model = vec![Parameter::new(Tensor::zeros([100])), Parameter::new(Tensor::zeros([30, 5]))];
        for made in [2 * slots, 0, 0] {
            (model[0].square().sum() + model[1].square().sum()).backward().unwrap();
            let before = memory();
            optimizer.step(&mut model).unwrap();
            let after = memory();
            assert_eq!(after.taken, before.taken + made as u64);
            // The two gradients are taken and freed.
            assert_eq!(after.live_buffers, before.live_buffers + made as i64 - 2);
        }
    }
}
