//! One photo that was drawn and what an annotator said about it.

use gourmetgram_api::{ClassIndex, Confidence, PredictionId};
use serde::{Deserialize, Serialize};

use crate::{InclusionProbability, Stratum};

/// Names a batch within its campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(pub u64);

/// A photo's place in the sample, frozen when its batch was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedSelection")]
pub struct Selection {
    prediction: PredictionId,
    batch: BatchId,
    stratum: Stratum,
    inclusion: InclusionProbability,
    stratum_size: u64,
    by_random_sample: bool,
}

/// A selection from a stratum that has no photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("prediction {0} cannot have been drawn from a stratum of no photos")]
pub struct EmptyStratum(pub PredictionId);

impl Selection {
    /// A photo drawn from the `stratum_size` photos of its stratum in its batch, with probability `inclusion`.
    ///
    /// `by_random_sample` says that the random sample of all photos took it, whatever else did.
    ///
    /// # Errors
    ///
    /// [`EmptyStratum`] where `stratum_size` is 0.
    pub fn new(
        prediction: PredictionId,
        batch: BatchId,
        stratum: Stratum,
        inclusion: InclusionProbability,
        stratum_size: u64,
        by_random_sample: bool,
    ) -> Result<Self, EmptyStratum> {
        if stratum_size == 0 {
            return Err(EmptyStratum(prediction));
        }
        Ok(Self { prediction, batch, stratum, inclusion, stratum_size, by_random_sample })
    }

    /// The photo's prediction.
    pub fn prediction(&self) -> PredictionId {
        self.prediction
    }

    /// The batch it was drawn in.
    pub fn batch(&self) -> BatchId {
        self.batch
    }

    /// Its stratum at that time.
    pub fn stratum(&self) -> Stratum {
        self.stratum
    }

    /// π, over all ways into the sample.
    pub fn inclusion(&self) -> InclusionProbability {
        self.inclusion
    }

    /// N_h: photos of this stratum in this batch, drawn or not.
    pub fn stratum_size(&self) -> u64 {
        self.stratum_size
    }

    /// Whether the random sample of all photos took it.
    pub fn by_random_sample(&self) -> bool {
        self.by_random_sample
    }
}

#[derive(Deserialize)]
struct UncheckedSelection {
    prediction: PredictionId,
    batch: BatchId,
    stratum: Stratum,
    inclusion: InclusionProbability,
    stratum_size: u64,
    by_random_sample: bool,
}

impl TryFrom<UncheckedSelection> for Selection {
    type Error = EmptyStratum;

    fn try_from(it: UncheckedSelection) -> Result<Self, Self::Error> {
        Self::new(it.prediction, it.batch, it.stratum, it.inclusion, it.stratum_size, it.by_random_sample)
    }
}

/// What an annotator saw in a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Food of this class.
    Class(ClassIndex),
    /// No food, or none of the model's classes: there is no true class to be right about.
    NotFood,
    /// Too dark, too blurred, or broken.
    Unreadable,
}

impl Outcome {
    /// The true class, where there is one.
    pub fn class(self) -> Option<ClassIndex> {
        match self {
            Self::Class(class) => Some(class),
            Self::NotFood | Self::Unreadable => None,
        }
    }
}

/// A photo of the sample with the model's answer, its user's word and the annotator's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledPrediction {
    /// Its place in the sample.
    pub selection: Selection,
    /// What the model answered.
    pub predicted: ClassIndex,
    /// The probability the model gave that answer.
    pub confidence: Confidence,
    /// A flag was standing when the batch was drawn.
    pub flagged: bool,
    /// The class a user had given when the batch was drawn.
    pub correction: Option<ClassIndex>,
    /// What the annotator saw.
    pub outcome: Outcome,
}

impl LabelledPrediction {
    /// Whether the model was right; `None` where the photo has no true class.
    pub fn correct(&self) -> Option<bool> {
        self.outcome.class().map(|class| class == self.predicted)
    }
}
