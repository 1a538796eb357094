//! States of `PyTorch`: its names and layouts.
//!
//! **Names.** A place is called after the fields that lead to it, there as here: where the fields of a struct are called as the
//! attributes of the module in `PyTorch`, and the layers of a [`Sequential`](crate::Sequential) stand at the same positions (an
//! activation counts), the names are the same. Where they are not, [`StateDict::renamed`] translates, as for the
//! [`MultiHeadAttention`](crate::MultiHeadAttention), whose `in_proj.weight` and `in_proj.bias` are `in_proj_weight` and
//! `in_proj_bias` there:
//!
//! ```
//! use autodiff::Rng;
//! use nn::{MultiHeadAttention, save::torch};
//! let mut attention = MultiHeadAttention::<f32>::new(4, 2, &mut Rng::seed(7));
//! let there = torch::export(&attention).renamed(|name| Some(name.replace("in_proj.", "in_proj_")));
//! assert_eq!(there.array("in_proj_weight").unwrap().shape(), [12, 4]);
//!
//! let here = there.renamed(|name| Some(name.replace("in_proj_", "in_proj.")));
//! torch::import(&here, &attention).load_into(&mut attention)?;
//! # Ok::<(), autodiff::Error>(())
//! ```
//!
//! **Layouts.** Arrays are laid out alike but for those parameters that are marked as
//! [transposed](autodiff::Parameter::transposed): they are kept with their last two axes exchanged. The layer marks them, so
//! that square matrices are right too.
//!
//! | layer | here | in `PyTorch` |
//! |---|---|---|
//! | [`Affine`](crate::Affine) | `weight` `[inputs, outputs]`, marked | `Linear`: `weight` `[outputs, inputs]` |
//! | [`Rnn`](crate::Rnn), [`Lstm`](crate::Lstm), [`Gru`](crate::Gru) | `weight_ih_l0` `[inputs, gates · hidden]`, `weight_hh_l0` .., marked | the same names, transposed |
//! | [`MultiHeadAttention`](crate::MultiHeadAttention), [`TransformerEncoder`](crate::TransformerEncoder) | those of their layers | the same |
//! | [`Conv`](crate::Conv), [`ConvTranspose`](crate::ConvTranspose) | `weight` `[c_out, c_in / groups, ..]`, `[c_in, c_out / groups, ..]` | the same |
//! | [`Embedding`](crate::Embedding), [`Prelu`](crate::Prelu), normalisations | `weight` and others | the same |
//! | [`BatchNorm`](crate::BatchNorm) | `running_mean`, `running_var` | the same |
//! | every layer | `bias` | the same |
//!
//! **Counts.** `num_batches_tracked` is a count. Only a [cumulative](crate::BatchNorm::cumulative) batch normalisation has it
//! here, as only such a one reads it; from others it is not written, and `PyTorch` then sets it to zero, also in strict
//! loading. Counters that `PyTorch` has not, as that of [`Dropout`](crate::Dropout), are not written either.
//!
//! **Files.** `safetensors.torch.save_file(model.state_dict(), "model.safetensors")` there, [`safetensors`](super::safetensors)
//! here, and the other way round `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`.
//!
//! ```
//! use autodiff::Rng;
//! use nn::{Affine, save::torch};
//! let layer = Affine::<f32>::new(3, 2, &mut Rng::seed(7));
//! let state = torch::export(&layer);
//! assert_eq!(state.array("weight").unwrap().shape(), [2, 3]);
//!
//! let mut other = Affine::new(3, 2, &mut Rng::seed(8));
//! torch::import(&state, &other).load_into(&mut other)?;
//! assert_eq!(other.weight.to_vec(), layer.weight.to_vec());
//! # Ok::<(), autodiff::Error>(())
//! ```

use autodiff::{Array, Float, Module, StateDict};
use std::collections::HashSet;

/// The one count that `PyTorch` has too.
const BATCHES: &str = "num_batches_tracked";

/// The state of a model as `PyTorch` lays it out, with the note `format: pt`, which some readers ask for.
pub fn export<T: Float>(model: &dyn Module<T>) -> StateDict<T> {
    let all = import(&StateDict::of(model), model);
    let mut state = StateDict::new();
    for (name, array) in all.arrays() {
        state.set_array(name, array.clone());
    }
    for (name, count) in all.counts().filter(|(name, _)| name.rsplit('.').next() == Some(BATCHES)) {
        state.set_count(name, count);
    }
    state.set_note("format", "pt");
    state
}

/// A state of `PyTorch` as the model lays it out. Nothing is checked: what does not fit is told when it is loaded.
pub fn import<T: Float>(state: &StateDict<T>, model: &dyn Module<T>) -> StateDict<T> {
    let mut marked = HashSet::new();
    model.parameters(&mut |name, parameter| {
        if parameter.is_transposed() {
            marked.insert(name.to_owned());
        }
    });
    let mut laid_out = state.clone();
    for (name, array) in state.arrays().filter(|(name, _)| marked.contains(*name)) {
        laid_out.set_array(name, transpose(array));
    }
    laid_out
}

/// The last two axes exchanged, if there are two.
fn transpose<T: Float>(array: &Array<T>) -> Array<T> {
    let mut axes: Vec<isize> = (0..array.rank() as isize).collect();
    if let [.., row, column] = &mut axes[..] {
        std::mem::swap(row, column);
    }
    array.permute(&axes).expect("each axis is named once").contiguous()
}
