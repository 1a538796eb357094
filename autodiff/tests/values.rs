//! Arrays and tensors in people's hands: written out, converted.

#[path = "values/convert.rs"]
mod convert;
#[path = "values/create.rs"]
mod create;
