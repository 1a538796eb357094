//! What a hyperparameter is drawn from.

use std::fmt;

/// What a hyperparameter is drawn from.
///
/// ```
/// use optim::search::Range;
/// let rate = Range::log(1e-6, 1e-1); // from 1e-6 to 1e-5 as often as from 1e-2 to 1e-1
/// assert_eq!(rate.bounds(), (1e-6, 1e-1));
/// assert_eq!(rate.to_string(), "1.0e-6 .. 1.0e-1");
/// assert_eq!(Range::choice([32.0, 64.0, 128.0]).to_string(), "32 | 64 | 128");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Range(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Linear(f64, f64),
    Log(f64, f64),
    Choice(Vec<f64>),
}

impl Range {
    /// Numbers from `low` to `high`, each as likely.
    ///
    /// # Panics
    /// If a bound is not finite, or `low` is above `high`.
    #[track_caller]
    pub fn linear(low: f64, high: f64) -> Self {
        assert!(
            low.is_finite() && high.is_finite() && low <= high,
            "{low} to {high}: bounds must be finite and in order"
        );
        Self(Kind::Linear(low, high))
    }

    /// Numbers from `low` to `high` whose logarithms are each as likely: for what is known by its order of magnitude.
    ///
    /// # Panics
    /// If a bound is not finite and above 0, or `low` is above `high`.
    #[track_caller]
    pub fn log(low: f64, high: f64) -> Self {
        assert!(
            low > 0.0 && high.is_finite() && low <= high,
            "{low} to {high}: bounds must be finite, above 0 and in order"
        );
        Self(Kind::Log(low, high))
    }

    /// These values, each as likely.
    ///
    /// # Panics
    /// If there are none, or one is not finite.
    #[track_caller]
    pub fn choice(values: impl Into<Vec<f64>>) -> Self {
        let values = values.into();
        assert!(
            !values.is_empty() && values.iter().all(|value| value.is_finite()),
            "{values:?}: there must be values, and they must be finite"
        );
        Self(Kind::Choice(values))
    }

    /// The least and the largest value.
    pub fn bounds(&self) -> (f64, f64) {
        match &self.0 {
            Kind::Linear(low, high) | Kind::Log(low, high) => (*low, *high),
            Kind::Choice(values) => span(values),
        }
    }

    /// The value at a place from 0 (included) to 1 (not included).
    pub(super) fn at(&self, place: f64) -> f64 {
        match &self.0 {
            Kind::Linear(low, high) => ((1.0 - place) * low + place * high).clamp(*low, *high),
            // Rounding must not lead out of the range.
            Kind::Log(low, high) => ((1.0 - place) * low.ln() + place * high.ln()).exp().clamp(*low, *high),
            Kind::Choice(values) => values[(place * values.len() as f64) as usize],
        }
    }

    /// The range narrowed around these values, which lie in it: see [`Search::keep`](super::Search::keep).
    pub(super) fn narrowed(&self, values: &[f64]) -> Self {
        if values.len() < 2 {
            return self.clone();
        }
        // What the values span and beyond it, as far as `low` and `high`.
        let around = |values: &[f64], low: f64, high: f64| {
            let (least, largest) = span(values);
            let beyond = (largest - least) / (values.len() - 1) as f64;
            ((least - beyond).max(low), (largest + beyond).min(high))
        };
        Self(match &self.0 {
            Kind::Linear(low, high) => {
                let (low, high) = around(values, *low, *high);
                Kind::Linear(low, high)
            }
            Kind::Log(low, high) => {
                let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
                let (new_low, new_high) = around(&logs, low.ln(), high.ln());
                Kind::Log(new_low.exp().clamp(*low, *high), new_high.exp().clamp(*low, *high))
            }
            Kind::Choice(choices) => {
                Kind::Choice(choices.iter().copied().filter(|choice| values.contains(choice)).collect())
            }
        })
    }
}

/// The least and the largest of some values.
fn span(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, largest), &value| {
        (least.min(value), largest.max(value))
    })
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Linear(low, high) => write!(f, "{low:.3} .. {high:.3}"),
            Kind::Log(low, high) => write!(f, "{low:.1e} .. {high:.1e}"),
            Kind::Choice(values) => {
                let values: Vec<String> = values.iter().map(f64::to_string).collect();
                f.write_str(&values.join(" | "))
            }
        }
    }
}
