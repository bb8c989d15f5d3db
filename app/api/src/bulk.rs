//! One change of many predictions.

use serde::{Deserialize, Serialize};

use crate::{FlagReason, PredictionId};

/// Most predictions in one [`FlagsRequest`].
pub const MAX_FLAGS: usize = 500;

/// The flag one prediction is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WantedFlag {
    /// Which prediction.
    pub id: PredictionId,
    /// Why it is flagged; `null` takes the flag back.
    pub reason: Option<FlagReason>,
}

/// Body of `POST /api/v1/predictions/flags`: each prediction once, at most [`MAX_FLAGS`].
///
/// It says what is to be, not what to do, so sending it twice changes nothing more, and an undo sends back what each
/// [`FlagOutcome`] says was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FlagsRequest {
    /// The flags.
    pub flags: Vec<WantedFlag>,
}

/// What became of one prediction's flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FlagResult {
    /// It is now as asked for.
    Changed,
    /// It was so already.
    Unchanged,
    /// There is no such prediction.
    NotFound,
    /// The photo was erased.
    Erased,
}

/// The answer for one prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagOutcome {
    /// Which prediction.
    pub id: PredictionId,
    /// What became of it.
    pub result: FlagResult,
    /// The flag it had before; `null` where it had none.
    pub before: Option<FlagReason>,
}

/// Answer of `POST /api/v1/predictions/flags`, in the order asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagsAnswer {
    /// One for each prediction.
    pub outcomes: Vec<FlagOutcome>,
}

impl FlagsAnswer {
    /// How many were changed.
    pub fn changed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.result == FlagResult::Changed).count()
    }

    /// What to send to have everything as it was before.
    pub fn undo(&self) -> FlagsRequest {
        let changed = self.outcomes.iter().filter(|outcome| outcome.result == FlagResult::Changed);
        FlagsRequest { flags: changed.map(|outcome| WantedFlag { id: outcome.id, reason: outcome.before }).collect() }
    }
}
