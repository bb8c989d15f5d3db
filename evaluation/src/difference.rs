//! Prediction-powered estimates: a guess for every photo, corrected by the labels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ConfidenceLevel, Estimate, InclusionProbability, Interval, LabelledPrediction, Method, NoneInside, Stratum,
    Tallies, Weights, Window,
    mean::stratum_variance,
    proportion::unseen_photos,
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

/// Accuracy by the difference estimator, over the photos that have a true class.
///
/// A photo without a true class is one that no answer is right about, so with y = 1 where the answer is right (and 0 for
/// every photo without a true class), x = 1 where there is a true class, and m the guess at y, accuracy is a ratio:
/// Σ_h [N_h·m̄_h + Σw(y − m)] / Σ_h Σwx. Above the line stands the difference estimate of how many photos were answered
/// right: in each stratum the guesses of all photos, corrected by their error on the labelled ones. Below it stands how many
/// photos have a true class, estimated as for [`crate::accuracy()`], so both speak of the same photos. Where all labels have a
/// true class it is Σ (N_h/N)(m̄_h + weighted mean of (y − m)).
///
/// Särndal, Swensson and Wretman, sections 5.6 (ratios) and 6.3 (differences); Fogliato et al. 2024, arXiv:2406.07320; it is
/// prediction-powered inference (Angelopoulos et al. 2023, arXiv:2301.09633) for a stratified sample of a finite
/// population. Unbiased (the ratio: nearly) whatever the guesses, those at photos without a true class among them; narrower
/// than [`crate::accuracy()`] the better they are. The interval is normal, from the linearised variance with
/// finite-population correction, so it is too narrow with few labels: shown beside the headline, not for it.
///
/// `guess` gives a labelled photo's guess, `means` those of the whole strata, photos without a true class included. `None`
/// where a labelled stratum has no mean, or where no label has a true class.
pub fn difference_accuracy(
    window: &Window,
    means: &[GuessMean],
    guess: impl Fn(&LabelledPrediction) -> f64,
    level: ConfidenceLevel,
) -> Option<Estimate> {
    let weights = Weights::of(window);
    let mut residuals: BTreeMap<Stratum, Vec<Residual>> = BTreeMap::new();
    for label in window.labels() {
        let correct = f64::from(u8::from(label.correct() == Some(true)));
        residuals.entry(label.selection.stratum()).or_default().push(Residual {
            weight: weights.get(label)?,
            residual: correct - guess(label),
            inside: label.outcome.class().is_some(),
        });
    }
    let tallies = window.tally(|label| match label.correct() {
        Some(correct) => Membership::inside(correct),
        None => Membership::Outside,
    });
    let of = |stratum: Stratum| residuals.get(&stratum).map_or(&[][..], Vec::as_slice);
    let total = |stratum| of(stratum).iter().map(|it| it.weight * it.residual).sum();
    let variance = |stratum, accuracy: f64| {
        let pairs: Vec<(f64, f64)> = of(stratum).iter().map(|it| (it.weight, it.linearised(accuracy))).collect();
        stratum_variance(&pairs)
    };
    combined(&tallies, means, total, variance, level)
}

/// How wrong the guess at one labelled photo was.
struct Residual {
    weight: f64,
    /// y − m.
    residual: f64,
    /// It has a true class.
    inside: bool,
}

impl Residual {
    /// The ratio's linearised variable y − m − R·x, plus R: within a stratum a constant changes no variance, and with this
    /// one it is y − m where all photos have a true class.
    fn linearised(&self, accuracy: f64) -> f64 {
        self.residual + if self.inside { 0.0 } else { accuracy }
    }
}

/// What is known of the labels of one stratum that were drawn with one probability, added up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualSums {
    /// The stratum.
    pub stratum: Stratum,
    /// π.
    pub inclusion: InclusionProbability,
    /// How many labels, whatever they say.
    pub labels: u64,
    /// Of these, how many say that there is no true class.
    pub classless: u64,
    /// Σ (right − guess) over all labels, with right 1 or 0, and 0 without a true class.
    pub sum: f64,
    /// Σ (right − guess)² over all labels.
    pub squares: f64,
    /// Σ (right − guess) over the labels without a true class: minus their guesses.
    pub classless_sum: f64,
}

/// The same as [`difference_accuracy`] from counts and sums that were kept. Inside a tally are labels with a true class.
pub fn difference_accuracy_of(
    tallies: &Tallies,
    means: &[GuessMean],
    sums: &[ResidualSums],
    level: ConfidenceLevel,
) -> Option<Estimate> {
    let weights = Weights::of_tallies(tallies);
    let of = |stratum: Stratum| -> Vec<(f64, &ResidualSums)> {
        let own = sums.iter().filter(|it| it.stratum == stratum && it.labels > 0);
        own.filter_map(|it| weights.in_cell(stratum, it.inclusion).map(|weight| (weight, it))).collect()
    };
    let total = |stratum| of(stratum).iter().map(|(weight, it)| weight * it.sum).sum();
    let variance = |stratum, accuracy: f64| {
        let own = of(stratum);
        // z = y − m + R(1 − x), as in `Residual::linearised`, and its square.
        let sum = |it: &ResidualSums| it.sum + accuracy * it.classless as f64;
        let squares = |it: &ResidualSums| {
            it.squares + 2.0 * accuracy * it.classless_sum + accuracy * accuracy * it.classless as f64
        };
        let labels: u64 = own.iter().map(|(_, it)| it.labels).sum();
        let photos: f64 = own.iter().map(|(weight, it)| weight * it.labels as f64).sum();
        // As in `stratum_variance`, with Σ(z − c)² = Σz² − 2cΣz + nc².
        let (centre, correction) = match labels {
            0 | 1 => (0.0, 1.0),
            _ => {
                let total: f64 = own.iter().map(|(weight, it)| weight * sum(it)).sum();
                (total / photos, labels as f64 / (labels as f64 - 1.0))
            }
        };
        let spread = own.iter().map(|(weight, it)| {
            let about = squares(it) - 2.0 * centre * sum(it) + it.labels as f64 * centre * centre;
            (weight * (weight - 1.0)).max(0.0) * about.max(0.0)
        });
        correction * spread.sum::<f64>()
    };
    combined(tallies, means, total, variance, level)
}

/// `total` answers Σw(y − m) of a stratum, `variance` that of its linearised residuals at an accuracy.
fn combined(
    tallies: &Tallies,
    means: &[GuessMean],
    total: impl Fn(Stratum) -> f64,
    variance: impl Fn(Stratum, f64) -> f64,
    level: ConfidenceLevel,
) -> Option<Estimate> {
    let counts = strata(tallies);
    let inside: f64 = counts.iter().map(|it| it.weighted(|group| group.inside)).sum();
    if inside == 0.0 {
        return None;
    }
    let labelled = || counts.iter().filter(|it| it.labelled > 0);
    let mut value = 0.0;
    for stratum in labelled() {
        let mean = means.iter().find(|it| it.stratum == stratum.stratum)?.mean;
        value += (stratum.size as f64 * mean + total(stratum.stratum)) / inside;
    }
    let value = value.clamp(0.0, 1.0);
    let variance: f64 = labelled().map(|it| variance(it.stratum, value)).sum::<f64>() / (inside * inside);
    let unseen: f64 = counts.iter().map(|it| unseen_photos(it, NoneInside::Possible, level)).sum();
    let unknown = unseen / (inside + unseen);
    let half = level.z() * variance.sqrt();
    let interval = Interval::proportion(value - half, value + half);
    Some(Estimate {
        value: Some(value),
        interval: Interval::proportion(
            (1.0 - unknown) * interval.lower(),
            (1.0 - unknown) * interval.upper() + unknown,
        ),
        level,
        labelled: tallies.as_slice().iter().map(|tally| tally.inside).sum(),
        population: tallies.population(),
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
