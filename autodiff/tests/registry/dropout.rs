//! Dropout.

use super::{SMALL, any, vector, zeros};
use autodiff::Rng;

ops! {
    dropout: any(), [SMALL], |[x], mut c| x.dropout(0.3, &mut Rng::seed(c.below(1000) as u64)),
        gradient "`g / (1 - p)` where `x` is kept, else 0",
        gives [
            vector([1.0, 2.0]).dropout(0.0, &mut Rng::seed(1))? => [1.0, 2.0],
            vector([1.0, 2.0]).dropout(1.0, &mut Rng::seed(1))? => [0.0, 0.0],
            {
                // What this stream goes on with is pinned by a test of its own: -0.67, 0.61 and 0.26 between -1 and 1.
                let mut rng = Rng::seed(42);
                rng.permutation(8);
                vector([1.0, 2.0, 3.0]).dropout(0.5, &mut rng)?
            } => [0.0, 4.0, 6.0],
        ],
        bad [
            "a probability of 1.5: it must be from 0 to 1" => zeros([2]).dropout(1.5, &mut Rng::seed(1)),
            "a probability of NaN" => zeros([2]).dropout(f64::NAN, &mut Rng::seed(1)),
        ],
        like "torch.nn.functional.dropout";
}
