//! The convolutional network of the main job, which the page to draw on uses too.

use crate::chapter;
use autodiff::{PoolOptions, Result, Rng, Tensor};
use nn::save::safetensors;
use nn::{Affine, Conv2d, Dropout, Layer, Module};
use std::path::Path;

// ANCHOR: model
/// Two convolutions, each with pooling and `ReLU`, then two affine layers with dropout between: images
/// `[n, 1, 28, 28]` to the logits of ten classes, `[n, 10]`.
#[derive(Module)]
pub struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    hidden: Affine,
    dropout: Dropout,
    output: Affine,
}

impl Cnn {
    /// A network with random weights.
    pub fn new(rng: &mut Rng) -> Self {
        Self {
            conv1: Conv2d::new(1, 32, 3, rng).padding(1),
            conv2: Conv2d::new(32, 64, 3, rng).padding(1),
            hidden: Affine::new(64 * 7 * 7, 128, rng),
            dropout: Dropout::new(0.5, rng),
            output: Affine::new(128, 10, rng),
        }
    }

    /// What the two convolutions answer, pooled and rectified: `[n, 32, 14, 14]` and `[n, 64, 7, 7]`.
    ///
    /// # Errors
    /// If the images have another shape.
    pub fn maps(&self, images: &Tensor) -> Result<[Tensor; 2]> {
        // The largest of a window is the same before and after the ReLU, which has a quarter of the work after it.
        let first = self.conv1.forward(images)?.max_pool2d(PoolOptions::square(2))?.relu();
        let second = self.conv2.forward(&first)?.max_pool2d(PoolOptions::square(2))?.relu();
        Ok([first, second])
    }

    /// The logits, from what the second convolution answers.
    ///
    /// # Errors
    /// If the maps have another shape.
    pub fn classify(&self, second: &Tensor) -> Result<Tensor> {
        let x = self.hidden.forward(&second.flatten(1)?)?.relu();
        let x = self.dropout.forward(&x)?;
        self.output.forward(&x)
    }
}

impl Layer for Cnn {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let [_, second] = self.maps(images)?;
        self.classify(&second)
    }
}
// ANCHOR_END: model

impl Cnn {
    /// The network that a file of safetensors holds.
    ///
    /// # Errors
    /// If the file cannot be read, or holds something else.
    pub fn load(file: &Path) -> chapter::Result<Self> {
        let mut model = Self::new(&mut Rng::seed(0));
        let state = safetensors::load(file)?;
        state.load_into(&mut model).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::StateDict;

    #[test]
    fn a_network_comes_back_from_its_file_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("net.safetensors");
        let error = |file: &Path| Cnn::load(file).err().expect("an error").to_string();
        assert!(error(&file).contains("net.safetensors"), "{}", error(&file));

        let model = Cnn::new(&mut Rng::seed(7));
        safetensors::save(&file, &StateDict::of(&model)).unwrap();
        let images = Rng::seed(8).uniform([2, 1, 28, 28], 0.0, 1.0);
        let answer = |model: &Cnn| nn::evaluate(|| model.forward(&images)).unwrap().to_vec();
        assert_eq!(answer(&Cnn::load(&file).unwrap()), answer(&model));

        let affine: Affine = Affine::new(3, 2, &mut Rng::seed(7));
        safetensors::save(&file, &StateDict::of(&affine)).unwrap();
        assert!(error(&file).contains("net.safetensors") && error(&file).contains("conv1.weight"));
    }
}
