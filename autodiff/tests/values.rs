//! Arrays and tensors in people's hands: written out, converted, printed.

#[path = "values/convert.rs"]
mod convert;
#[path = "values/create.rs"]
mod create;
#[path = "values/ndarray.rs"]
mod ndarray;
#[path = "values/print.rs"]
mod print;
