//! What people say about a prediction. An opinion, never ground truth.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Why somebody flagged a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FlagReason {
    /// The label is not what is on the plate.
    WrongLabel,
    /// There is no food on the photo.
    NotFood,
    /// Too dark, too blurred, or otherwise of no use.
    BadPhoto,
    /// Anything else.
    Other,
}

impl FlagReason {
    /// All reasons, in the order a page offers them.
    pub const ALL: [Self; 4] = [Self::WrongLabel, Self::NotFood, Self::BadPhoto, Self::Other];

    /// The reason as it stands in the API and the catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongLabel => "wrong_label",
            Self::NotFood => "not_food",
            Self::BadPhoto => "bad_photo",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for FlagReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A word that is none of the flag reasons.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown flag reason {0:?}: use wrong_label, not_food, bad_photo or other")]
pub struct UnknownFlagReason(pub String);

impl FromStr for FlagReason {
    type Err = UnknownFlagReason;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word).ok_or_else(|| UnknownFlagReason(word.to_owned()))
    }
}

/// Body of `PUT /api/v1/predictions/{id}/flag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FlagRequest {
    /// Why.
    pub reason: FlagReason,
}

/// Body of `PUT /api/v1/predictions/{id}/correction`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CorrectionRequest {
    /// One of the model's class labels, to the letter.
    pub label: String,
}

/// What happened in one step of a prediction's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FeedbackKind {
    /// Flagged, or flagged anew with another reason.
    Flagged {
        /// Why.
        reason: FlagReason,
    },
    /// The flag was taken back.
    Unflagged,
    /// Relabelled.
    Corrected {
        /// The class it is said to be.
        label: String,
    },
    /// The correction was taken back.
    Uncorrected,
}

/// One step of a prediction's history. History is append-only: an undo is a step of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Feedback {
    /// What was done.
    #[serde(flatten)]
    pub kind: FeedbackKind,
    /// When, by the server's clock.
    pub at: DateTime<Utc>,
    /// By whom: `visitor` (the uploader), `operator`, or `tags` (another tool, by the tags of the photo's object).
    pub by: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_from_its_word() {
        for reason in FlagReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert!("boring".parse::<FlagReason>().is_err());
    }
}
