//! Strata: the part of the traffic a photo belongs to, decided once, when its batch is drawn.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a photo stood when its batch was drawn. A photo to which several apply belongs to the first of them.
///
/// A flag that comes after the draw changes nothing: the stratum is frozen with the batch, because a stratum that
/// depends on what happened later would have no known inclusion probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stratum {
    /// The model was unsure: its confidence lay under the campaign's threshold.
    LowConfidence,
    /// A user had flagged the answer.
    Flagged,
    /// A user had given another class.
    Corrected,
    /// Everything else: usually most photos.
    Others,
    /// The classifier on the visitor's device had given another class than the server's; only where the campaign looks for
    /// that. It came after the others were numbered, and numbers stay.
    DeviceDisagrees,
}

/// What was known of a photo when its batch was drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// The confidence lay under the threshold.
    pub low_confidence: bool,
    /// A flag was standing.
    pub flagged: bool,
    /// A correction was standing.
    pub corrected: bool,
    /// Device and server had given different classes.
    pub device_disagrees: bool,
}

impl Stratum {
    /// All of them, as they are numbered.
    pub const ALL: [Self; 5] =
        [Self::LowConfidence, Self::Flagged, Self::Corrected, Self::Others, Self::DeviceDisagrees];

    /// The first stratum that applies: a user's word before a device's, and others last.
    pub fn of(signals: Signals) -> Self {
        if signals.low_confidence {
            Self::LowConfidence
        } else if signals.flagged {
            Self::Flagged
        } else if signals.corrected {
            Self::Corrected
        } else if signals.device_disagrees {
            Self::DeviceDisagrees
        } else {
            Self::Others
        }
    }

    /// Position in [`Stratum::ALL`].
    pub fn index(self) -> usize {
        match self {
            Self::LowConfidence => 0,
            Self::Flagged => 1,
            Self::Corrected => 2,
            Self::Others => 3,
            Self::DeviceDisagrees => 4,
        }
    }
}

impl fmt::Display for Stratum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::LowConfidence => "low confidence",
            Self::Flagged => "flagged",
            Self::Corrected => "corrected",
            Self::Others => "others",
            Self::DeviceDisagrees => "device disagrees",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stratum_that_applies_is_the_photo_s() {
        let all = Signals { low_confidence: true, flagged: true, corrected: true, device_disagrees: true };
        assert_eq!(Stratum::of(all), Stratum::LowConfidence);
        assert_eq!(Stratum::of(Signals { low_confidence: false, ..all }), Stratum::Flagged);
        assert_eq!(Stratum::of(Signals { corrected: true, ..Signals::default() }), Stratum::Corrected);
        assert_eq!(Stratum::of(Signals { device_disagrees: true, ..Signals::default() }), Stratum::DeviceDisagrees);
        assert_eq!(Stratum::of(Signals::default()), Stratum::Others);
        for (index, stratum) in Stratum::ALL.into_iter().enumerate() {
            assert_eq!(stratum.index(), index);
        }
    }
}
