//! What annotators' mistakes do to accuracy.

use crate::{Interval, Probability};

/// The share of wrong annotations that would make two independent annotators disagree as often as seen.
///
/// With a share ε of mistakes, each equally likely to be any of the other K − 1 classes, two annotators disagree with
/// probability 2ε(1 − ε) + ε²(1 − 1/(K − 1)); this solves for the smaller ε. `None` for fewer than two classes, or more
/// disagreement than annotators who guess would have.
pub fn error_rate_from_disagreement(disagreement: Probability, classes: usize) -> Option<f64> {
    if classes < 2 {
        return None;
    }
    // K/(K − 1)·ε² − 2ε + d = 0.
    let quadratic = classes as f64 / (classes - 1) as f64;
    let discriminant = 1.0 - quadratic * disagreement.get();
    (discriminant >= 0.0).then(|| (1.0 - discriminant.sqrt()) / quadratic)
}

/// True accuracy behind an accuracy measured with annotators who err.
///
/// A share `error` of annotations is wrong. If the model is right, a wrong annotation makes it look wrong. If the model
/// is wrong, a wrong annotation happens to agree with it with probability `coincidence`: 1/(K − 1) if mistakes are
/// random, 1 if annotators fall for the same looks as the model. So measured = A(1 − ε) + (1 − A)·ε·c, and
/// A = (measured − εc)/(1 − ε − εc), cut to 0 to 1: Rogan and Gladen 1978, American Journal of Epidemiology 107(1), with
/// sensitivity 1 − ε and specificity 1 − εc. `None` where mistakes are so many that the measurement says nothing.
pub fn corrected_accuracy(measured: Probability, error: Probability, coincidence: Probability) -> Option<f64> {
    let lucky = error.get() * coincidence.get();
    let informative = 1.0 - error.get() - lucky;
    (informative > 0.0).then(|| ((measured.get() - lucky) / informative).clamp(0.0, 1.0))
}

/// From where to where accuracy moves under annotator mistakes of rate `error`, from coincidences never happening to
/// always: the answer to "how much do the annotators matter?". `None` as for [`corrected_accuracy`].
pub fn sensitivity(measured: Probability, error: Probability) -> Option<Interval> {
    let at = |coincidence| corrected_accuracy(measured, error, Probability::new(coincidence).ok()?);
    Some(Interval::proportion(at(0.0)?, at(1.0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(value: f64) -> Probability {
        Probability::new(value).unwrap()
    }

    #[test]
    fn the_correction_undoes_what_mistakes_did() {
        let (truth, error, coincidence) = (0.8, 0.05, 0.1);
        let measured = truth * (1.0 - error) + (1.0 - truth) * error * coincidence;
        let corrected = corrected_accuracy(p(measured), p(error), p(coincidence)).unwrap();
        assert!((corrected - truth).abs() < 1e-12);
        assert!(sensitivity(p(measured), p(error)).unwrap().contains(truth));
        assert_eq!(corrected_accuracy(p(0.5), p(0.5), p(1.0)), None);
    }

    #[test]
    fn disagreement_tells_the_error_rate() {
        let (error, classes) = (0.04, 11);
        let disagreement = 2.0 * error * (1.0 - error) + error * error * (1.0 - 0.1);
        assert!((error_rate_from_disagreement(p(disagreement), classes).unwrap() - error).abs() < 1e-12);
        assert_eq!(error_rate_from_disagreement(p(1.0), 11), None);
        assert_eq!(error_rate_from_disagreement(p(0.0), 2), Some(0.0));
    }
}
