//! Prediction-powered estimates: a guess for every photo, corrected by the labels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ConfidenceLevel, Estimate, InclusionProbability, Interval, LabelledPrediction, Method, Stratum, Tallies, Weights,
    Window,
    mean::stratum_variance,
    weights::{missing, strata},
    window::Membership,
};

/// Mean of the guesses over all photos of one stratum, labelled or not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuessMean {
    /// The stratum.
    pub stratum: Stratum,
    /// Mean guess of its photos, for example their mean calibrated confidence.
    pub mean: f64,
}

/// Accuracy by the difference estimator: in each stratum the mean guess over all photos plus the mean error of the guess
/// over the labelled ones, Σ (N_h/N)(m̄_h + weighted mean of (y − m)).
///
/// Särndal, Swensson and Wretman, section 6.3; Fogliato et al. 2024, arXiv:2406.07320; it is prediction-powered
/// inference (Angelopoulos et al. 2023, arXiv:2301.09633) for a stratified sample of a finite population. Unbiased
/// whatever the guesses; narrower than [`crate::accuracy()`] the better they are. The interval is normal, from the
/// linearised variance with finite-population correction, so it is too narrow with few labels: shown beside the
/// headline, not for it.
///
/// `guess` gives a labelled photo's guess, `means` those of the whole strata. `None` where a labelled stratum has no
/// mean, where no label has a true class, or where some label has none: the difference estimator needs to know, for
/// every photo, that it belongs, so photos without a true class have to be left out of cells and labels before.
pub fn difference_accuracy(
    window: &Window,
    means: &[GuessMean],
    guess: impl Fn(&LabelledPrediction) -> f64,
    level: ConfidenceLevel,
) -> Option<Estimate> {
    let weights = Weights::of(window);
    let mut residuals: BTreeMap<Stratum, Vec<(f64, f64)>> = BTreeMap::new();
    for label in window.labels() {
        let correct = f64::from(u8::from(label.correct()?));
        residuals.entry(label.selection.stratum()).or_default().push((weights.get(label)?, correct - guess(label)));
    }
    let tallies = window.tally(|_| Membership::Outside);
    let residuals = |stratum: Stratum| {
        let labels = residuals.get(&stratum).map_or(&[][..], Vec::as_slice);
        (labels.iter().map(|(weight, residual)| weight * residual).sum(), stratum_variance(labels))
    };
    combined(&tallies, means, residuals, level)
}

/// What is known of the labels of one stratum that were drawn with one probability, added up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualSums {
    /// The stratum.
    pub stratum: Stratum,
    /// π.
    pub inclusion: InclusionProbability,
    /// How many labels.
    pub labels: u64,
    /// Σ (right − guess), with right 1 or 0.
    pub sum: f64,
    /// Σ (right − guess)².
    pub squares: f64,
}

/// The same as [`difference_accuracy`] from counts and sums that were kept. Every label must have a true class: `None` where
/// a tally has fewer labels inside than labels.
pub fn difference_accuracy_of(
    tallies: &Tallies,
    means: &[GuessMean],
    sums: &[ResidualSums],
    level: ConfidenceLevel,
) -> Option<Estimate> {
    if tallies.as_slice().iter().any(|tally| tally.inside < tally.labelled) {
        return None;
    }
    let weights = Weights::of_tallies(tallies);
    let residuals = |stratum: Stratum| {
        let own = || {
            let own = sums.iter().filter(move |it| it.stratum == stratum && it.labels > 0);
            own.filter_map(|it| weights.in_cell(stratum, it.inclusion).map(|weight| (weight, it)))
        };
        let labels: u64 = own().map(|(_, it)| it.labels).sum();
        let photos: f64 = own().map(|(weight, it)| weight * it.labels as f64).sum();
        let total: f64 = own().map(|(weight, it)| weight * it.sum).sum();
        // As in `stratum_variance`, with Σ(z − c)² = Σz² − 2cΣz + nc².
        let (centre, correction) = match labels {
            0 | 1 => (0.0, 1.0),
            _ => (total / photos, labels as f64 / (labels as f64 - 1.0)),
        };
        let spread: f64 = own()
            .map(|(weight, it)| {
                let about = it.squares - 2.0 * centre * it.sum + it.labels as f64 * centre * centre;
                (weight * (weight - 1.0)).max(0.0) * about.max(0.0)
            })
            .sum();
        (total, correction * spread)
    };
    combined(tallies, means, residuals, level)
}

/// `residuals` answers Σw(y − m) of a stratum and its variance.
fn combined(
    tallies: &Tallies,
    means: &[GuessMean],
    residuals: impl Fn(Stratum) -> (f64, f64),
    level: ConfidenceLevel,
) -> Option<Estimate> {
    let counts = strata(tallies);
    let covered: f64 = counts.iter().filter(|it| it.labelled > 0).map(|it| it.size as f64).sum();
    if covered == 0.0 {
        return None;
    }
    let (mut value, mut variance) = (0.0, 0.0);
    for stratum in counts.iter().filter(|it| it.labelled > 0) {
        let mean = means.iter().find(|it| it.stratum == stratum.stratum)?.mean;
        let (correction, spread) = residuals(stratum.stratum);
        value += (stratum.size as f64 * mean + correction) / covered;
        variance += spread / (covered * covered);
    }
    let population = tallies.population();
    let unknown = 1.0 - covered / population as f64;
    let half = level.z() * variance.sqrt();
    let interval = Interval::proportion(value - half, value + half);
    Some(Estimate {
        value: Some(value.clamp(0.0, 1.0)),
        interval: Interval::proportion(
            (1.0 - unknown) * interval.lower(),
            (1.0 - unknown) * interval.upper() + unknown,
        ),
        level,
        labelled: tallies.as_slice().iter().map(|tally| tally.labelled).sum(),
        population,
        method: Method::Difference,
        missing: missing(&counts),
    })
}

/// A mean by prediction-powered inference from a simple random sample, as `ppi_py` computes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictionPoweredMean {
    /// The mean.
    pub value: f64,
    /// Its standard error, for photos yet to come (no finite-population correction).
    pub standard_error: f64,
    /// How far the guesses were trusted: 0 not at all (the labels' mean), 1 fully.
    pub lambda: f64,
}

/// The mean of `labels` helped by guesses: λ·mean(unlabelled guesses) + mean(labels − λ·guesses).
///
/// `guesses` belong to `labels` one by one. With `lambda` `None` it is chosen from the data (PPI++, Angelopoulos, Duchi
/// and Zrnic 2023, arXiv:2311.01453, example 6.1), cut to 0 to 1, so that bad guesses cost nothing in the limit; with
/// `Some(1.0)` it is plain PPI (arXiv:2301.09633, algorithm 1). `None` where a list is empty, or labels and guesses differ
/// in number.
pub fn prediction_powered_mean(
    labels: &[f64],
    guesses: &[f64],
    unlabelled_guesses: &[f64],
    lambda: Option<f64>,
) -> Option<PredictionPoweredMean> {
    if labels.is_empty() || labels.len() != guesses.len() || unlabelled_guesses.is_empty() {
        return None;
    }
    let (n, unlabelled) = (labels.len() as f64, unlabelled_guesses.len() as f64);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let lambda = lambda.unwrap_or_else(|| {
        let (label_mean, guess_mean) = (mean(labels), mean(guesses));
        let products = labels.iter().zip(guesses).map(|(label, guess)| (label - label_mean) * (guess - guess_mean));
        let covariance = products.sum::<f64>() / n;
        // The guesses' variance over all photos, labelled or not, divided by their number less one, as ppi_py has it.
        let all: Vec<f64> = guesses.iter().chain(unlabelled_guesses).copied().collect();
        let count = n + unlabelled;
        let spread = variance(&all) * count / (count - 1.0) * (1.0 + n / unlabelled);
        if spread > 0.0 { (covariance / spread).clamp(0.0, 1.0) } else { 0.0 }
    });
    let rectifiers: Vec<f64> = labels.iter().zip(guesses).map(|(label, guess)| label - lambda * guess).collect();
    let imputed = lambda * lambda * variance(unlabelled_guesses) / unlabelled;
    Some(PredictionPoweredMean {
        value: lambda * mean(unlabelled_guesses) + mean(&rectifiers),
        standard_error: (imputed + variance(&rectifiers) / n).sqrt(),
        lambda,
    })
}

/// Mean squared distance from the mean (divided by n, as numpy does).
fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
}
