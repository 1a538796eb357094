//! What all optimisers can do, and what a step reports.

use autodiff::{Error, Float, Module, Result, StateDict};

/// Something that moves the parameters of a model along their gradients.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::{Adam, Momentum, Optimizer};
/// let candidates: [Box<dyn Optimizer<f64>>; 2] = [Box::new(Momentum::new(0.1)), Box::new(Adam::new(0.1))];
/// for mut optimizer in candidates {
///     let mut w = Parameter::new(Tensor::scalar(1.0));
///     w.square().backward()?;
///     optimizer.step(&mut w)?;
///     assert!(w.item() < 1.0);
/// }
/// # Ok::<(), autodiff::Error>(())
/// ```
pub trait Optimizer<T: Float = f32> {
    /// Moves every parameter that has a gradient, and takes the gradient.
    ///
    /// A parameter without gradient keeps its values, and the optimiser what it knows of it; the report names it.
    ///
    /// # Errors
    /// - If the pattern of a [`Group`](crate::Group) matches no parameter. Nothing has been moved.
    /// - If the shape of a parameter has changed since it was first stepped. That parameter has lost its gradient and is
    ///   else as it was; all others have been moved.
    #[track_caller]
    fn step(&mut self, model: &mut dyn Module<T>) -> Result<Step>;

    /// What the optimiser has gathered, to be saved: for each parameter that has been stepped the count of steps, by the name
    /// of the optimiser, and its arrays, as `NAME.Adam`, `NAME.m` and `NAME.v` of [`Adam`](crate::Adam). Not the
    /// hyperparameters, which belong to the program.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Adam, Optimizer};
    /// let step = |w: &mut Parameter<f64>, optimizer: &mut Adam<f64>| {
    ///     w.square().backward()?;
    ///     optimizer.step(w)
    /// };
    /// let (mut w, mut optimizer) = (Parameter::new(Tensor::scalar(1.0)), Adam::new(0.1));
    /// step(&mut w, &mut optimizer)?;
    /// let (mut saved, state) = (w.clone(), optimizer.state_dict());
    /// step(&mut w, &mut optimizer)?;
    ///
    /// let mut resumed = Adam::new(0.1);
    /// resumed.load_state_dict(&state)?;
    /// step(&mut saved, &mut resumed)?;
    /// assert_eq!(saved.item(), w.item());
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    fn state_dict(&self) -> StateDict<T>;

    /// Takes up what [`state_dict`](Self::state_dict) has given, instead of what has been gathered since.
    ///
    /// # Errors
    /// If it comes from another kind of optimiser, or an array is missing that the hyperparameters ask for, as
    /// [`Adam::amsgrad`](crate::Adam::amsgrad) does for `NAME.largest`. All is then as it was. What has not been stepped
    /// gives an empty state, which is no error for any kind. That the parameters have the right shapes is found out by the
    /// next step.
    #[track_caller]
    fn load_state_dict(&mut self, state: &StateDict<T>) -> Result<()>;

    /// The learning rate `η`.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate for the steps to come.
    ///
    /// ```
    /// use optim::{Optimizer, Sgd};
    /// let mut optimizer: Sgd = Sgd::new(0.1);
    /// optimizer.set_learning_rate(optimizer.learning_rate() / 2.0);
    /// assert_eq!(optimizer.learning_rate(), 0.05);
    /// ```
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[track_caller]
    fn set_learning_rate(&mut self, learning_rate: f64);
}

/// What a step has done.
///
/// A parameter without gradient is no error by itself: it may be frozen, or belong to a part of the model that this
/// loss does not reach. Where each should have one, [`require_all`](Step::require_all) finds the severed one.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::{Optimizer, Sgd};
/// let mut model = [Parameter::new(Tensor::scalar(1.0)), Parameter::new(Tensor::scalar(2.0))];
/// model[1].square().backward()?;
/// let step = Sgd::new(0.1).step(&mut model)?;
/// assert_eq!(step.updated, 1);
/// assert_eq!(step.without_gradient, ["0"]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// How many parameters were moved.
    pub updated: usize,
    /// How many parameters a [`Group`](crate::Group) keeps as they are.
    pub frozen: usize,
    /// The names of the parameters that had no gradient, in the order of the model.
    pub without_gradient: Vec<String>,
}

impl Step {
    /// Turns parameters without gradient into an error.
    ///
    /// # Errors
    /// If there are any; it names them.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Optimizer, Sgd};
    /// let mut w = [Parameter::<f32>::new(Tensor::scalar(1.0))];
    /// let error = Sgd::new(0.1).step(&mut w)?.require_all().unwrap_err();
    /// assert!(error.to_string().starts_with(r#"step: no gradient has arrived at ["0"]"#));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn require_all(self) -> Result<()> {
        if self.without_gradient.is_empty() {
            return Ok(());
        }
        let names = self.without_gradient;
        Err(Error::new(
            "step",
            format!(
                "no gradient has arrived at {names:?}: does the loss depend on them, and was `backward` called?"
            ),
        ))
    }
}
