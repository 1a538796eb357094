//! The derive macro of `Module`. Crate `nn` re-exports it beside the trait, so `use nn::Module` brings both.

mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `Module` for a struct or an enum by walking its fields in the order they are declared.
///
/// ```text
/// #[derive(Module)]
/// struct Net {
///     conv: Conv2d,
///     head: Linear,
///     #[module(skip)]
///     history: Vec<Snapshot>,
/// }
/// ```
///
/// A walk over `Net` visits the places of `conv`, then those of `head`: `conv.weight`, `conv.bias`,
/// `head.weight`, `head.bias`. A macro crate cannot depend on the crates its output speaks of; compiled
/// examples are in crate `nn`.
///
/// # Names
///
/// A field's name is one part of the dotted path; the fields of a tuple are `0`, `1`, and so on. An enum
/// walks the fields of the variant it holds and does not add the variant's name: with
/// `enum Act { Relu, PRelu { slope: Parameter } }`, a field `act: Act` has the place `act.slope` or none.
///
/// # Attributes
///
/// `#[module(skip)]` on a field leaves the field out, and asks nothing of its type.
///
/// # Bounds
///
/// The impl is for every element type `__T` of which all fields are modules: beside the type's own bounds, it
/// requires `F: Module<__T>` for the type `F` of each walked field. A layer of `Parameter<T>` is therefore a
/// `Module<T>`, and a container of `M` is a `Module` of whatever `M` is.
///
/// A field of the bare element type, `eps: T`, asks for `T: Module<__T>`, which code generic over `T: Float`
/// does not know: skip such a field.
///
/// A field whose type names the deriving type, `children: Vec<Tree>` in `Tree`, gets no bound, which would
/// require the impl of itself. The name must be written plainly, `Tree` or `Self`, and whatever else the
/// type is made of must be a `Module` by the bounds of the other fields. Types that contain each other by
/// turns are beyond the derive: implement `Module` by hand for one of them.
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::module(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
