//! Temperature scaling: one number that makes confidences honest without changing any answer.

/// What the fit needs of one label.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledExample {
    /// The model's logits, or the logarithms of its probabilities: a constant added to all changes nothing.
    pub logits: Vec<f64>,
    /// Position of the true class.
    pub truth: usize,
    /// How many photos the label stands for.
    pub weight: f64,
}

/// Why no temperature could be fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemperatureError {
    /// Nothing to fit to.
    #[error("a temperature needs at least one label with weight")]
    NoLabels,
    /// A logit or weight that is no number, or a true class that is not there.
    #[error(
        "example {0} has a logit or weight that is not finite, a negative weight, or a true class beyond its logits"
    )]
    Malformed(usize),
    /// The model is always right or never better than chance: the best temperature is 0 or infinite.
    #[error("the best temperature lies outside 0.05 to 20: too few labels, or all right, or all wrong")]
    NoMinimum,
}

/// Inverse temperatures considered: temperatures from 20 down to 0.05.
const RANGE: (f64, f64) = (0.05, 20.0);

/// The temperature T > 0 that minimises the weighted log loss of softmax(logits/T); above 1 for an over-confident model.
///
/// Guo et al. 2017, arXiv:1706.04599, section 4.2. In 1/T the loss is convex, so that halving the interval by the sign of
/// its slope finds the one minimum.
pub fn fit_temperature(examples: &[ScaledExample]) -> Result<f64, TemperatureError> {
    for (index, example) in examples.iter().enumerate() {
        let finite = example.logits.iter().all(|logit| logit.is_finite()) && example.weight.is_finite();
        if !finite || example.weight < 0.0 || example.truth >= example.logits.len() {
            return Err(TemperatureError::Malformed(index));
        }
    }
    if examples.iter().all(|example| example.weight == 0.0) {
        return Err(TemperatureError::NoLabels);
    }
    let (mut low, mut high) = RANGE;
    if slope(examples, low) >= 0.0 || slope(examples, high) <= 0.0 {
        return Err(TemperatureError::NoMinimum);
    }
    while high - low > 1e-12 * high {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if slope(examples, middle) < 0.0 { low = middle } else { high = middle }
    }
    Ok(f64::midpoint(low, high).recip())
}

/// d(loss)/d(1/T): by label, the expected logit under the scaled softmax minus the true class's.
fn slope(examples: &[ScaledExample], inverse: f64) -> f64 {
    let one = |example: &ScaledExample| {
        let greatest = example.logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut total, mut expected) = (0.0, 0.0);
        for logit in &example.logits {
            let weight = (inverse * (logit - greatest)).exp();
            total += weight;
            expected += weight * logit;
        }
        example.weight * (expected / total - example.logits[example.truth])
    };
    examples.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes, logit difference 2·spread, right in `right` of 100 cases.
    fn examples(spread: f64, right: usize) -> Vec<ScaledExample> {
        let one =
            |index| ScaledExample { logits: vec![spread, -spread], truth: usize::from(index >= right), weight: 1.0 };
        (0..100).map(one).collect()
    }

    #[test]
    fn the_fitted_temperature_makes_confidence_equal_accuracy() {
        let temperature = fit_temperature(&examples(3.0, 80)).unwrap();
        let confidence = 1.0 / (1.0 + (-6.0 / temperature).exp());
        assert!((confidence - 0.8).abs() < 1e-9, "{confidence}");
        assert!(temperature > 1.0, "an over-confident model is cooled down");
    }

    #[test]
    fn what_has_no_minimum_is_refused() {
        assert_eq!(fit_temperature(&examples(3.0, 100)), Err(TemperatureError::NoMinimum));
        assert_eq!(fit_temperature(&examples(3.0, 50)), Err(TemperatureError::NoMinimum));
        assert_eq!(fit_temperature(&[]), Err(TemperatureError::NoLabels));
        let beyond = ScaledExample { logits: vec![0.0, 1.0], truth: 2, weight: 1.0 };
        assert_eq!(fit_temperature(&[beyond]), Err(TemperatureError::Malformed(0)));
    }
}
