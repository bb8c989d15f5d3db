//! What is asked of an evaluation: which photos, and how finely in time.

use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::UnknownWord;

/// How far back an evaluation looks, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EvaluationWindow {
    /// The last 24 hours.
    #[serde(rename = "1d")]
    Day,
    /// The last 7 days.
    #[serde(rename = "7d")]
    Week,
    /// The last 30 days.
    #[default]
    #[serde(rename = "30d")]
    Month,
    /// Everything there is.
    #[serde(rename = "all")]
    All,
}

impl EvaluationWindow {
    /// Every window, the shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::All];

    /// The window as it stands in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "1d",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::All => "all",
        }
    }

    /// How long it is; `None` for everything.
    pub fn length(self) -> Option<TimeDelta> {
        match self {
            Self::Day => Some(TimeDelta::days(1)),
            Self::Week => Some(TimeDelta::days(7)),
            Self::Month => Some(TimeDelta::days(30)),
            Self::All => None,
        }
    }
}

impl fmt::Display for EvaluationWindow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for EvaluationWindow {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// How long the points of a series over time are. Points begin where the calendar's hours, days and months do, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SeriesStep {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
}

impl SeriesStep {
    /// Every step, the shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// The step as it stands in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

impl FromStr for SeriesStep {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// By what the window's photos are taken apart, each part with its own accuracy. It costs a look at every photo of the
/// window, unlike everything else; but for versions, which are counted apart anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SliceBy {
    /// By the class that the model answered.
    Class,
    /// By tenths of its confidence.
    Confidence,
    /// By the model version that answered: the window's photos of every version, not of the one asked for alone.
    Model,
    /// By where simulated photos come from, real ones together.
    Source,
    /// By the hour of the day at which photos were received, in UTC.
    Hour,
    /// By what the tags of their objects say of feedback: `flagged`, `corrected_class`, both, or neither.
    Tag,
}

impl SliceBy {
    /// Every way.
    pub const ALL: [Self; 6] = [Self::Class, Self::Confidence, Self::Model, Self::Source, Self::Hour, Self::Tag];

    /// The way as it stands in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Confidence => "confidence",
            Self::Model => "model",
            Self::Source => "source",
            Self::Hour => "hour",
            Self::Tag => "tag",
        }
    }
}

impl FromStr for SliceBy {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// What `GET /api/v1/evaluation` and the page `/dashboard` are asked for, in their addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct EvaluationQuery {
    /// Photos received from then on, taken to the start of its hour; not together with `window`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Photos received before, taken to the end of its hour; absent: until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// How far back, by name: `1d`, `7d`, `30d` (where nothing is said) or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(inline))]
    pub window: Option<EvaluationWindow>,
    /// Whose answers: a model version; absent: the live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How long the points over time are; absent: what suits the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(inline))]
    pub step: Option<SeriesStep>,
    /// By what to take the photos apart; absent: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(inline))]
    pub slice: Option<SliceBy>,
}

/// A question that has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableEvaluation {
    /// Two ways of saying when.
    #[error("window and from contradict each other: give one of them")]
    TwoWindows,
    /// An end that is not after its start.
    #[error("from must lie before to; where to is absent it is now")]
    Backwards,
    /// More points than anybody can look at.
    #[error("this window has more than {most} steps of {step}: take a longer step or a shorter window")]
    TooFine {
        /// The step that was asked for.
        step: &'static str,
        /// As many points may be.
        most: u64,
    },
    /// A year that no catalog has.
    #[error("from and to must lie between the years 2000 and 2200")]
    Year,
    /// No model's name.
    #[error("model is empty, or longer than 100 characters: give a version, or leave it out for the live one")]
    Model,
}

impl EvaluationQuery {
    /// Checks what can be checked without knowing the time.
    ///
    /// # Errors
    /// [`UnusableEvaluation`] names the first thing that cannot be.
    pub fn check(&self) -> Result<(), UnusableEvaluation> {
        use chrono::Datelike;
        if self.window.is_some() && self.from.is_some() {
            return Err(UnusableEvaluation::TwoWindows);
        }
        if [self.from, self.to].into_iter().flatten().any(|time| !(2000..=2200).contains(&time.year())) {
            return Err(UnusableEvaluation::Year);
        }
        if self.from.zip(self.to).is_some_and(|(from, to)| from >= to) {
            return Err(UnusableEvaluation::Backwards);
        }
        if self.model.as_ref().is_some_and(|model| model.is_empty() || model.chars().count() > 100) {
            return Err(UnusableEvaluation::Model);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_they_are_written() {
        for window in EvaluationWindow::ALL {
            assert_eq!(window.as_str().parse(), Ok(window));
            assert_eq!(serde_json::to_value(window).unwrap(), window.as_str());
        }
        for step in SeriesStep::ALL {
            assert_eq!(step.as_str().parse(), Ok(step));
            assert_eq!(serde_json::to_value(step).unwrap(), step.as_str());
        }
        for slice in SliceBy::ALL {
            assert_eq!(slice.as_str().parse(), Ok(slice));
            assert_eq!(serde_json::to_value(slice).unwrap(), slice.as_str());
        }
    }

    #[test]
    fn a_question_that_contradicts_itself_is_refused() {
        let time = |text: &str| Some(text.parse().unwrap());
        let query = EvaluationQuery { from: time("2026-11-02T00:00:00Z"), ..EvaluationQuery::default() };
        assert_eq!(query.check(), Ok(()));
        let both = EvaluationQuery { window: Some(EvaluationWindow::Day), ..query.clone() };
        assert_eq!(both.check(), Err(UnusableEvaluation::TwoWindows));
        let backwards = EvaluationQuery { to: time("2026-11-01T00:00:00Z"), ..query.clone() };
        assert_eq!(backwards.check(), Err(UnusableEvaluation::Backwards));
        let early = EvaluationQuery { from: time("1970-01-01T00:00:00Z"), ..query };
        assert_eq!(early.check(), Err(UnusableEvaluation::Year));
    }
}
