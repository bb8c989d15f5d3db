//! The sampling design of a batch: which photos are looked at, and with which probability.
//!
//! A batch takes two independent draws over the same photos and labels their union:
//!
//! 1. **Oversampling**: of each special stratum (low confidence, flagged, corrected) everything, or, capped, a simple
//!    random sample of c photos out of N_h. A photo's probability in this draw is a_h = 1, or min(1, c/N_h), or 0 in
//!    `others`.
//! 2. **The random sample of all photos**, special or not: by rate (each photo on its own, b = rate, as a seeded hash
//!    of its id decides) or by count (a simple random sample of n, b = min(1, n/N)).
//!
//! A photo is in the sample with π_h = 1 − (1 − a_h)(1 − b). Given a stratum and how many of it were drawn, every subset
//! of that many photos is equally likely, because both draws treat the photos of a stratum alike. So within a stratum
//! the union *is* a simple random sample, whatever mixture of draws made it, and a mean weighted by N_h is unbiased:
//! Lohr, Sampling: Design and Analysis (3rd ed.), section 4.4 on poststratification; Särndal, Swensson and Wretman,
//! Model Assisted Survey Sampling, section 7.6.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::{InclusionProbability, Stratum};

/// How much of a special stratum a batch takes, beside what the random sample happens to take of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oversampling {
    /// Every photo of the stratum.
    Everything,
    /// A simple random sample of at most this many photos.
    AtMost(NonZeroU64),
    /// Nothing: the stratum is seen through the random sample alone.
    Nothing,
}

/// The random sample of all photos, special or not. There is always one: without it nothing is known of `others`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RandomSample {
    /// Each photo on its own, with this probability.
    Rate(InclusionProbability),
    /// A simple random sample of this many of the batch's photos.
    Count(NonZeroU64),
}

/// How many photos of each stratum a batch considered, in the order of [`Stratum::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StratumSizes(pub [u64; 5]);

impl StratumSizes {
    /// Photos of one stratum.
    pub fn of(self, stratum: Stratum) -> u64 {
        self.0[stratum.index()]
    }

    /// Photos of all strata.
    pub fn total(self) -> u64 {
        self.0.iter().sum()
    }
}

/// The rules by which a batch is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchDesign {
    /// Photos the model was unsure of.
    pub low_confidence: Oversampling,
    /// Photos whose answer a user flagged.
    pub flagged: Oversampling,
    /// Photos for which a user gave another class.
    pub corrected: Oversampling,
    /// Of all photos.
    pub random: RandomSample,
}

impl BatchDesign {
    /// The tutorial's rules: everything special, and a random sample of all photos by rate.
    pub fn tutorial(rate: InclusionProbability) -> Self {
        Self {
            low_confidence: Oversampling::Everything,
            flagged: Oversampling::Everything,
            corrected: Oversampling::Everything,
            random: RandomSample::Rate(rate),
        }
    }

    /// How a stratum is oversampled; `others` never is, and no design of evaluation looks for devices that disagree.
    pub fn oversampling(&self, stratum: Stratum) -> Oversampling {
        match stratum {
            Stratum::LowConfidence => self.low_confidence,
            Stratum::Flagged => self.flagged,
            Stratum::Corrected => self.corrected,
            Stratum::Others | Stratum::DeviceDisagrees => Oversampling::Nothing,
        }
    }

    /// The probability with which a photo of `stratum` is drawn from a batch of these sizes: π_h of the module's
    /// docs. `None` where the stratum is empty: there is no photo to speak of.
    pub fn inclusion(&self, stratum: Stratum, sizes: StratumSizes) -> Option<InclusionProbability> {
        let size = NonZeroU64::new(sizes.of(stratum))?;
        let total = NonZeroU64::new(sizes.total())?;
        let random = match self.random {
            RandomSample::Rate(rate) => rate,
            RandomSample::Count(count) => share(count, total),
        };
        Some(match self.oversampling(stratum) {
            Oversampling::Everything => InclusionProbability::CERTAIN,
            Oversampling::AtMost(cap) => share(cap, size).or(random),
            Oversampling::Nothing => random,
        })
    }
}

/// `drawn` out of `size`, at most all of them.
fn share(drawn: NonZeroU64, size: NonZeroU64) -> InclusionProbability {
    let share = if drawn >= size { 1.0 } else { drawn.get() as f64 / size.get() as f64 };
    InclusionProbability::new(share).unwrap_or(InclusionProbability::CERTAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(value: f64) -> InclusionProbability {
        InclusionProbability::new(value).unwrap()
    }

    #[test]
    fn what_is_special_is_certain_and_the_rest_comes_by_rate() {
        let design = BatchDesign::tutorial(rate(0.1));
        let sizes = StratumSizes([10, 5, 0, 1000, 0]);
        assert_eq!(design.inclusion(Stratum::LowConfidence, sizes), Some(InclusionProbability::CERTAIN));
        assert_eq!(design.inclusion(Stratum::Corrected, sizes), None);
        assert_eq!(design.inclusion(Stratum::Others, sizes), Some(rate(0.1)));
    }

    #[test]
    fn a_capped_stratum_has_two_ways_into_the_sample() {
        let cap = Oversampling::AtMost(NonZeroU64::new(20).unwrap());
        let design = BatchDesign { low_confidence: cap, ..BatchDesign::tutorial(rate(0.1)) };
        let inclusion = |size| design.inclusion(Stratum::LowConfidence, StratumSizes([size, 0, 0, 10, 0])).unwrap();
        assert!((inclusion(100).get() - (1.0 - 0.8 * 0.9)).abs() < 1e-12);
        assert_eq!(inclusion(20), InclusionProbability::CERTAIN, "a cap that does not bind is a census");
    }

    #[test]
    fn a_random_sample_by_count_reaches_every_photo_alike() {
        let design = BatchDesign {
            random: RandomSample::Count(NonZeroU64::new(50).unwrap()),
            ..BatchDesign::tutorial(InclusionProbability::CERTAIN)
        };
        assert_eq!(design.inclusion(Stratum::Others, StratumSizes([100, 0, 0, 400, 0])), Some(rate(0.1)));
        assert_eq!(
            design.inclusion(Stratum::Others, StratumSizes([1, 0, 0, 4, 0])),
            Some(InclusionProbability::CERTAIN)
        );
    }
}
