//! Numbers that can only be what they claim: a probability, a probability of being drawn, a level of confidence.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// A number that is not what its place asks for.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum OutOfRange {
    /// Outside 0 to 1, or not a number.
    #[error("{0} is no probability: it must lie between 0 and 1")]
    Probability(f64),
    /// A photo that could never be drawn has no weight, so zero is refused too.
    #[error("{0} is no inclusion probability: it must be greater than 0 and at most 1")]
    InclusionProbability(f64),
    /// A level of 0 says nothing and a level of 1 says everything.
    #[error("{0} is no level of confidence: it must lie strictly between 0 and 1, like 0.95")]
    ConfidenceLevel(f64),
}

/// A number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

impl Probability {
    /// Refuses anything outside 0 to 1, and NaN.
    pub fn new(value: f64) -> Result<Self, OutOfRange> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(OutOfRange::Probability(value)) }
    }

    /// The number itself.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Probability {
    type Error = OutOfRange;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<Probability> for f64 {
    fn from(probability: Probability) -> Self {
        probability.0
    }
}

/// The probability that a photo was drawn into the sample: greater than 0, at most 1, known before the draw.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct InclusionProbability(f64);

impl InclusionProbability {
    /// Drawn for certain: a census.
    pub const CERTAIN: Self = Self(1.0);

    /// Refuses zero, anything outside 0 to 1, and NaN.
    pub fn new(value: f64) -> Result<Self, OutOfRange> {
        if value > 0.0 && value <= 1.0 { Ok(Self(value)) } else { Err(OutOfRange::InclusionProbability(value)) }
    }

    /// The number itself.
    pub fn get(self) -> f64 {
        self.0
    }

    /// How many photos a drawn one stands for: 1/π.
    pub fn weight(self) -> f64 {
        self.0.recip()
    }

    /// The probability that at least one of two independent draws takes the photo: 1 − (1 − a)(1 − b).
    ///
    /// Written as a + b(1 − a), which is exactly 1 when either is certain.
    pub fn or(self, other: Self) -> Self {
        if self.0 == 1.0 || other.0 == 1.0 {
            return Self::CERTAIN;
        }
        Self((self.0 + other.0 * (1.0 - self.0)).min(1.0))
    }
}

impl TryFrom<f64> for InclusionProbability {
    type Error = OutOfRange;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<InclusionProbability> for f64 {
    fn from(probability: InclusionProbability) -> Self {
        probability.0
    }
}

/// How often an interval made this way is meant to hold the truth, for example 0.95.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct ConfidenceLevel(f64);

impl ConfidenceLevel {
    /// 95 %, what everything here is tested at.
    pub const NINETY_FIVE: Self = Self(0.95);

    /// Refuses 0, 1, anything outside, and NaN.
    pub fn new(value: f64) -> Result<Self, OutOfRange> {
        if value > 0.0 && value < 1.0 { Ok(Self(value)) } else { Err(OutOfRange::ConfidenceLevel(value)) }
    }

    /// The number itself.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The standard normal deviate that leaves half of the rest on either side: 1.96 for 95 %.
    pub fn z(self) -> f64 {
        Normal::standard().inverse_cdf(0.5 + self.0 / 2.0)
    }
}

impl Default for ConfidenceLevel {
    fn default() -> Self {
        Self::NINETY_FIVE
    }
}

impl TryFrom<f64> for ConfidenceLevel {
    type Error = OutOfRange;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<ConfidenceLevel> for f64 {
    fn from(level: ConfidenceLevel) -> Self {
        level.0
    }
}
