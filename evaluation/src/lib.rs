//! How accurate the model really is, from a designed sample of labels.
//!
//! Labels cost money, so they are spent where they teach most: on photos the model was unsure of, that users flagged or
//! corrected. A mean over such labels says how bad the worst photos are, not how good the model is. This crate keeps, with
//! every label, the probability with which its photo was drawn, and turns labels into numbers about *all* photos, with
//! intervals that hold the truth as often as they say. `docs/statistics.md` explains each number to an engineer, and shows
//! the simulations it was tested with.
//!
//! Pure: no input or output, no clock, no randomness that the caller did not seed; compiles for the browser.
//!
//! The way through:
//!
//! 1. A [`BatchDesign`] says which photos are drawn with which [`InclusionProbability`]; a [`Selection`] keeps it.
//! 2. A [`Window`] holds the [`Cell`]s (batch × stratum: how many photos, how many drawn) and [`LabelledPrediction`]s.
//! 3. [`accuracy()`] and its neighbours turn a window into an [`Estimate`]. Whoever keeps counts instead of labels gives
//!    [`Tallies`] to [`proportion()`]: it is all that the estimator reads.

mod accuracy;
mod agreement;
mod annotator_error;
mod calibration;
mod comparison;
mod confusion;
mod design;
mod difference;
pub mod drift;
mod estimate;
mod expected;
mod feedback;
mod interval;
mod label;
mod mean;
mod planner;
mod probability;
pub mod proportion;
mod sequence;
mod stratum;
mod suspects;
mod temperature;
pub mod weights;
mod window;

pub use accuracy::{
    accuracy, accuracy_where, nonresponse_bounds, nonresponse_bounds_of, outcome_share, random_sample_accuracy,
    tutorial_pooled,
};
pub use agreement::{
    FleissError, Kappa, cohen, cohen_counted, cohen_kappa, fleiss, fleiss_counted, fleiss_kappa, majority,
};
pub use annotator_error::{corrected_accuracy, error_rate_from_disagreement, sensitivity};
pub use calibration::{Reliability, ReliabilityBin, brier, log_loss};
pub use comparison::{McNemar, mcnemar, paired_difference, random_sample_mcnemar};
pub use confusion::{ClassReport, ConfusionCell, ConfusionMatrix, UnknownClass, macro_f1};
pub use design::{BatchDesign, Oversampling, RandomSample, StratumSizes};
pub use difference::{
    GuessMean, PredictionPoweredMean, ResidualSums, difference_accuracy, difference_accuracy_of,
    prediction_powered_mean,
};
pub use estimate::{ENOUGH_LABELS, Estimate, Method, Missing, Response, UnlabelledStratum};
pub use expected::{ExpectedAccuracy, expected_accuracy};
pub use feedback::{FeedbackCounts, ImpossibleFeedback, correction_precision, flag_precision, flag_recall};
pub use interval::{Interval, effective_labels, wilson, wilson_finite};
pub use label::{BatchId, EmptyStratum, LabelledPrediction, Outcome, Selection};
pub use mean::{WeightedMean, weighted_mean};
pub use planner::{PlannedStratum, expected_half_width, labels_for_half_width, neyman_allocation, planned_strata};
pub use probability::{ConfidenceLevel, InclusionProbability, OutOfRange, Probability};
pub use proportion::{NoneInside, proportion};
pub use sequence::{AccuracyAlarm, CompleteWindow, ImpossibleTarget, confidence_sequence, two_bad_windows};
pub use stratum::{Signals, Stratum};
pub use suspects::{LabelSupport, label_support, most_suspect_first};
pub use temperature::{ScaledExample, TemperatureError, fit_temperature};
pub use weights::Weights;
pub use window::{Cell, Membership, Tallies, Tally, TallyError, Window, WindowError};
