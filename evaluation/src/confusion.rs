//! The weighted confusion matrix, and each class's precision, recall and F1.

use gourmetgram_api::ClassIndex;
use serde::{Deserialize, Serialize};

use crate::{
    ConfidenceLevel, Estimate, LabelledPrediction, Membership, NoneInside, Tallies, Weights, Window, proportion,
};

/// One cell of a confusion matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfusionCell {
    /// Labels counted.
    pub labels: u64,
    /// Photos of the window they stand for.
    pub photos: f64,
}

/// A class index that the model does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("class {class} is not one of the model's {classes}, counted from 0")]
pub struct UnknownClass {
    /// The index.
    pub class: ClassIndex,
    /// How many classes there are.
    pub classes: usize,
}

/// Photos by true class (row) and the model's answer (column), estimated for the whole window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    classes: usize,
    cells: Vec<ConfusionCell>,
}

impl ConfusionMatrix {
    /// Adds up the weights of the window's labels that have a true class.
    ///
    /// # Errors
    ///
    /// [`UnknownClass`] where an answer or a label names a class from `classes` upward.
    pub fn of(window: &Window, classes: usize) -> Result<Self, UnknownClass> {
        let weights = Weights::of(window);
        let mut cells = vec![ConfusionCell::default(); classes * classes];
        for label in window.labels() {
            let Some(truth) = label.outcome.class() else { continue };
            for class in [truth, label.predicted] {
                if usize::from(class.0) >= classes {
                    return Err(UnknownClass { class, classes });
                }
            }
            let cell = &mut cells[usize::from(truth.0) * classes + usize::from(label.predicted.0)];
            cell.labels += 1;
            cell.photos += weights.get(label).unwrap_or_default();
        }
        Ok(Self { classes, cells })
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Photos of class `truth` that the model called `predicted`; `None` for a class there is not.
    pub fn cell(&self, truth: ClassIndex, predicted: ClassIndex) -> Option<ConfusionCell> {
        let (truth, predicted) = (usize::from(truth.0), usize::from(predicted.0));
        let known = truth < self.classes && predicted < self.classes;
        known.then(|| self.cells[truth * self.classes + predicted])
    }
}

/// How well the model does on one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// The class.
    pub class: ClassIndex,
    /// Of the photos the model called so, how many are. `labelled` counts labels of photos it called so.
    pub precision: Estimate,
    /// Of the photos that are, how many the model called so. `labelled` counts labels of this class.
    pub recall: Estimate,
    /// The harmonic mean of the two. `labelled` counts labels that are this class, or were called it.
    pub f1: Estimate,
}

impl ClassReport {
    /// Precision, recall and F1 of one class, with intervals.
    ///
    /// F1 = 2TP/(2TP + FP + FN) is 2J/(1 + J) for J = TP/(TP + FP + FN), the share of hits among photos that are of the
    /// class or were called so. J is a proportion, and the function rises with it, so its interval carries over.
    pub fn of(window: &Window, class: ClassIndex, level: ConfidenceLevel) -> Self {
        let tally = |inside: fn(bool, bool) -> bool| window.tally(|label| membership(label, class, inside));
        Self::of_tallies(
            class,
            &tally(|_, called| called),
            &tally(|is, _| is),
            &tally(|is, called| is || called),
            level,
        )
    }

    /// The same from counts that were kept: photos called so, photos that are, photos that are either. In each, those that
    /// are both are the successes.
    pub fn of_tallies(
        class: ClassIndex,
        called: &Tallies,
        are: &Tallies,
        either: &Tallies,
        level: ConfidenceLevel,
    ) -> Self {
        let estimate = |tallies| proportion(tallies, NoneInside::Ignored, level);
        let jaccard = estimate(either);
        let f1 = |jaccard: f64| 2.0 * jaccard / (1.0 + jaccard);
        Self {
            class,
            precision: estimate(called),
            recall: estimate(are),
            f1: Estimate { value: jaccard.value.map(f1), interval: jaccard.interval.map(f1), ..jaccard },
        }
    }
}

fn membership(label: &LabelledPrediction, class: ClassIndex, inside: fn(bool, bool) -> bool) -> Membership {
    let Some(truth) = label.outcome.class() else { return Membership::Outside };
    let (is, called) = (truth == class, label.predicted == class);
    if inside(is, called) { Membership::inside(is && called) } else { Membership::Outside }
}

/// The mean of the classes' F1 (macro F1), without an interval; `None` unless every class has one.
pub fn macro_f1(reports: &[ClassReport]) -> Option<f64> {
    let values: Option<Vec<f64>> = reports.iter().map(|report| report.f1.value).collect();
    values.filter(|values| !values.is_empty()).map(|values| values.iter().sum::<f64>() / values.len() as f64)
}
