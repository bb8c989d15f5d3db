//! What users said, and how far it can be trusted.

use serde::{Deserialize, Serialize};

use crate::{ConfidenceLevel, Estimate, Membership, NoneInside, Window, proportion};

/// Counts over all photos of a window: known, not estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackCounts {
    photos: u64,
    flagged: u64,
    corrected: u64,
    complained: u64,
}

/// Counts that cannot be: more complaints than photos, or complaints that do not cover flags and corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("of {photos} photos {complained} cannot have a complaint when {flagged} are flagged and {corrected} corrected")]
pub struct ImpossibleFeedback {
    /// All photos.
    pub photos: u64,
    /// Photos with a flag.
    pub flagged: u64,
    /// Photos with a correction.
    pub corrected: u64,
    /// Photos with either.
    pub complained: u64,
}

impl FeedbackCounts {
    /// `complained` counts photos with a flag, a correction, or both.
    pub fn new(photos: u64, flagged: u64, corrected: u64, complained: u64) -> Result<Self, ImpossibleFeedback> {
        let covers = complained >= flagged.max(corrected) && complained <= flagged.saturating_add(corrected);
        if complained > photos || !covers {
            return Err(ImpossibleFeedback { photos, flagged, corrected, complained });
        }
        Ok(Self { photos, flagged, corrected, complained })
    }

    /// Flagged photos as a share of all; `None` of no photos.
    pub fn flag_rate(&self) -> Option<f64> {
        self.share(self.flagged)
    }

    /// Corrected photos as a share of all.
    pub fn correction_rate(&self) -> Option<f64> {
        self.share(self.corrected)
    }

    /// Answers nobody complained about, as a share of all. Not accuracy: most people who get a wrong answer say nothing.
    pub fn accepted_rate(&self) -> Option<f64> {
        self.share(self.photos - self.complained)
    }

    fn share(&self, count: u64) -> Option<f64> {
        (self.photos > 0).then(|| count as f64 / self.photos as f64)
    }
}

/// Of the flagged photos with a true class, how many the model got wrong: how far a flag can be trusted.
pub fn flag_precision(window: &Window, level: ConfidenceLevel) -> Estimate {
    let tallies = window.tally(|label| match label.correct() {
        Some(correct) if label.flagged => Membership::inside(!correct),
        _ => Membership::Outside,
    });
    proportion(&tallies, NoneInside::Ignored, level)
}

/// Of the wrong answers, how many were flagged: how much flags see.
pub fn flag_recall(window: &Window, level: ConfidenceLevel) -> Estimate {
    let tallies = window.tally(|label| match label.correct() {
        Some(false) => Membership::inside(label.flagged),
        _ => Membership::Outside,
    });
    proportion(&tallies, NoneInside::Ignored, level)
}

/// Of the corrected photos with a true class, how many users gave the class the annotator gave.
pub fn correction_precision(window: &Window, level: ConfidenceLevel) -> Estimate {
    let tallies = window.tally(|label| match (label.correction, label.outcome.class()) {
        (Some(correction), Some(truth)) => Membership::inside(correction == truth),
        _ => Membership::Outside,
    });
    proportion(&tallies, NoneInside::Ignored, level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_cover_flags_and_corrections_and_no_more() {
        let counts = FeedbackCounts::new(100, 8, 5, 10).unwrap();
        assert_eq!(
            (counts.flag_rate(), counts.correction_rate(), counts.accepted_rate()),
            (Some(0.08), Some(0.05), Some(0.9))
        );
        for impossible in [(100, 8, 5, 7), (100, 8, 5, 14), (9, 8, 5, 10)] {
            assert!(FeedbackCounts::new(impossible.0, impossible.1, impossible.2, impossible.3).is_err());
        }
        assert_eq!(FeedbackCounts::new(0, 0, 0, 0).unwrap().flag_rate(), None);
    }
}
