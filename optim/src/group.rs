//! Groups of parameters by name, which are stepped with settings of their own.

use crate::engine::not_negative;
use autodiff::{Error, Float, Module, Result};

/// What is different for the parameters whose name matches a pattern; given to the method `group` of an optimiser.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::{AdamW, Optimizer};
/// let mut model = (Parameter::new(Tensor::full(1.0, [2])), Parameter::new(Tensor::full(1.0, [2])));
/// let mut optimizer = AdamW::new(0.5)
///     .weight_decay(0.1)
///     .group("*", |group| group.frozen(true))
///     .group("1", |group| group.frozen(false).weight_decay(0.0).rate_factor(0.1));
/// (model.0.sum() + model.1.sum()).backward()?;
/// let step = optimizer.step(&mut model)?;
/// assert_eq!((step.updated, step.frozen), (1, 1));
/// assert_eq!(model.0.to_vec(), [1.0, 1.0]); // frozen
/// assert!(model.1.to_vec().iter().all(|w| (w - 0.95f64).abs() < 1e-6)); // a tenth of the learning rate, no decay
/// # Ok::<(), autodiff::Error>(())
/// ```
///
/// In a pattern, `*` stands for any characters, dots and none included; everything else stands for itself. So
/// `"*.bias"` is every bias below the top, `"encoder.*"` everything in the encoder, and `"head.weight"` one parameter.
///
/// A parameter may match several groups: each changes what it sets, the later ones have the last word. A pattern that
/// matches nothing is an error of the next step, before that step has moved anything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Group {
    rate_factor: Option<f64>,
    weight_decay: Option<f64>,
    frozen: Option<bool>,
}

impl Group {
    /// Multiplies the optimiser's learning rate, whatever that is at a step: schedules go on working.
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[track_caller]
    pub fn rate_factor(self, rate_factor: f64) -> Self {
        Self { rate_factor: Some(not_negative("rate_factor", rate_factor)), ..self }
    }

    /// Replaces the optimiser's weight decay.
    ///
    /// # Panics
    /// If it is negative or not finite, and, in the method `group`, if the optimiser knows no weight decay.
    #[track_caller]
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay: Some(not_negative("weight_decay", weight_decay)), ..self }
    }

    /// Whether these parameters keep their values. A step drops their gradients, and counts them in
    /// [`Step::frozen`](crate::Step::frozen).
    ///
    /// `backward` computes the gradients nonetheless. Where the frozen part comes first, as a backbone does,
    /// [`no_grad`](autodiff::no_grad) around its forward pass saves that work.
    pub fn frozen(self, frozen: bool) -> Self {
        Self { frozen: Some(frozen), ..self }
    }

    /// What to multiply the learning rate by.
    pub(crate) fn factor(&self) -> f64 {
        self.rate_factor.unwrap_or(1.0)
    }

    /// The weight decay, where the optimiser's own is `weight_decay`.
    pub(crate) fn decay(&self, weight_decay: f64) -> f64 {
        self.weight_decay.unwrap_or(weight_decay)
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.unwrap_or(false)
    }

    /// Whether there is a weight decay of its own.
    pub(crate) fn decays(&self) -> bool {
        self.weight_decay.is_some()
    }

    fn then(self, later: Self) -> Self {
        Self {
            rate_factor: later.rate_factor.or(self.rate_factor),
            weight_decay: later.weight_decay.or(self.weight_decay),
            frozen: later.frozen.or(self.frozen),
        }
    }
}

/// The groups of an optimiser, in the order they were given in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    list: Vec<(String, Group)>,
    /// Whether every pattern is known to match a parameter.
    checked: bool,
}

impl Groups {
    pub(crate) fn push(&mut self, pattern: &str, group: Group) {
        self.list.push((pattern.to_owned(), group));
        self.checked = false;
    }

    /// What holds for the parameter `name`.
    pub(crate) fn of(&self, name: &str) -> Group {
        let matching = self.list.iter().filter(|(pattern, _)| matches(pattern, name));
        matching.fold(Group::default(), |all, &(_, group)| all.then(group))
    }

    /// Fails if a pattern matches no parameter of the model.
    #[track_caller]
    pub(crate) fn check<T: Float>(&mut self, optimizer: &'static str, model: &dyn Module<T>) -> Result<()> {
        if self.checked || self.list.is_empty() {
            return Ok(());
        }
        let mut names = Vec::new();
        model.parameters(&mut |name, _| names.push(name.to_owned()));
        let unused = self.list.iter().find(|(pattern, _)| !names.iter().any(|name| matches(pattern, name)));
        match unused {
            None => {
                self.checked = true;
                Ok(())
            }
            Some((pattern, _)) => Err(Error::new(
                optimizer,
                format!("no parameter matches the group {pattern:?}: the model has {names:?}"),
            )),
        }
    }
}

/// Whether `name` matches `pattern`, in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let (middles, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut name) = name.strip_prefix(start).and_then(|name| name.strip_suffix(end)) else {
        return false;
    };
    // The leftmost place is the best: it leaves most to the parts that follow.
    middles.split('*').all(|part| match name.find(part) {
        Some(at) => {
            name = &name[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_characters() {
        let cases = [
            ("fc.bias", "fc.bias", true),
            ("fc.bias", "fc.bias2", false),
            ("", "", true),
            ("", "fc", false),
            ("*", "", true),
            ("*", "blocks.2.conv.bias", true),
            ("*.bias", "blocks.2.conv.bias", true),
            ("*.bias", "bias", false),
            ("*bias", "bias", true),
            ("blocks.*", "blocks.2.conv.bias", true),
            ("blocks.*.bias", "blocks.2.conv.bias", true),
            ("blocks.*.bias", "blocks.bias", false),
            ("*norm*", "blocks.2.norm.weight", true),
            ("*norm*", "blocks.2.conv.weight", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "a.c", false),
            ("a*b*c", "abcb", false),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("*a*ab*", "aab", true),
            ("*ab*ab*", "aab", false),
            ("**", "fc", true),
            ("fc?bias", "fc.bias", false),
            ("gewicht*", "gewichtä", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern:?} and {name:?}");
        }
    }
}
