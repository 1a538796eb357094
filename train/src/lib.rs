//! What surrounds a training: the loop, its logs, figures, a report of a run, and a page to walk along a tape.
//!
//! # The plain loop
//!
//! A training is a loop, and needs nothing of this crate:
//!
//! ```
//! use autodiff::Rng;
//! use datasets::{Loader, digits};
//! use nn::{Affine, Flatten, Layer, Sequential};
//! use optim::{Adam, Optimizer};
//!
//! let data = digits::load()?;
//! let loader = Loader::new(&data.train, 50).shuffle(7);
//! let mut model: Sequential = Sequential::new().push(Flatten).push(Affine::new(64, 10, &mut Rng::seed(7)));
//! let mut optimizer = Adam::new(0.01);
//! for epoch in 0..2 {
//!     for batch in loader.epoch(epoch) {
//!         let loss = model.forward(&batch.images)?.cross_entropy(&batch.labels)?;
//!         loss.backward()?;
//!         optimizer.step(&mut model)?.require_all()?;
//!     }
//! }
//! # let plain = nn::StateDict::of(&model);
//! # drop(optimizer);
//! #
//! # let mut model: Sequential = Sequential::new().push(Flatten).push(Affine::new(64, 10, &mut Rng::seed(7)));
//! # train::Trainer::new(2).fit(&mut model, &mut Adam::new(0.01), |epoch| loader.epoch(epoch), |model, batch| {
//! #     Ok(model.forward(&batch.images)?.cross_entropy(&batch.labels)?)
//! # })?;
//! # assert!(nn::StateDict::of(&model) == plain);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The trainer
//!
//! Where there is more around it, [`Trainer`] runs the same loop, to the same bytes. What a batch makes remains a closure:
//!
//! ```
//! use autodiff::Rng;
//! use datasets::{Loader, digits};
//! use nn::{Affine, Flatten, Layer, Sequential};
//! use optim::Adam;
//! use train::{CsvLog, EarlyStopping, Progress, Trainer};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let data = digits::load()?;
//! let loader = Loader::new(&data.train, 50).shuffle(7);
//! let mut model: Sequential = Sequential::new().push(Flatten).push(Affine::new(64, 10, &mut Rng::seed(7)));
//! Trainer::new(2)
//!     .callback(Progress::new())
//!     .callback(EarlyStopping::smallest("loss"))
//!     .callback(CsvLog::new(folder.join("log.csv")))
//!     .fit(&mut model, &mut Adam::new(0.01), |epoch| loader.epoch(epoch), |model, batch| {
//!         Ok(model.forward(&batch.images)?.cross_entropy(&batch.labels)?)
//!     })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | | |
//! |---|---|
//! | The loop | [`Trainer`], [`Outcome`] of a batch, [`History`] of the training |
//! | What is called on its way | [`Callback`], [`Run`]; [`Progress`], [`EarlyStopping`], [`BestCheckpoint`], [`CsvLog`], [`JsonlLog`], [`TensorBoard`] |
//! | Files of `TensorBoard` | [`tensorboard`] |
//! | Pictures | [`figure`] |
//! | A run as a page | [`report`] |
//! | The tape as a page | [`viewer`] |
//! | A page of one's own | [`page`](page::page) |

mod callback;
mod error;
pub mod figure;
pub mod page;
pub mod report;
pub mod tensorboard;
mod trainer;
pub mod viewer;

pub use callback::{BestCheckpoint, Callback, CsvLog, EarlyStopping, JsonlLog, Progress, Run};
pub use error::{Error, Result};
pub use tensorboard::TensorBoard;
pub use trainer::{Epoch, History, Outcome, Trainer};
