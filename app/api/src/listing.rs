//! Lists of predictions: which, in what order, and where the next page begins.

use std::fmt;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use crate::{Confidence, DeviceComparison, FlagReason, Prediction, PredictionId};

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// When the photo was received.
    #[default]
    Time,
    /// The probability of the answer.
    Confidence,
    /// The answer's label, and the time within a class.
    Class,
}

impl SortKey {
    /// Every key.
    pub const ALL: [Self; 3] = [Self::Time, Self::Confidence, Self::Class];

    /// The key as it stands in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Confidence => "confidence",
            Self::Class => "class",
        }
    }

    /// The direction where the client did not say: newest first, least certain first, A to Z.
    pub fn usual_order(self) -> SortOrder {
        match self {
            Self::Time => SortOrder::Descending,
            Self::Confidence | Self::Class => SortOrder::Ascending,
        }
    }
}

/// Which end of a sorted list comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SortOrder {
    /// Oldest, least certain, A.
    #[serde(rename = "asc")]
    Ascending,
    /// Newest, most certain, Z.
    #[serde(rename = "desc")]
    Descending,
}

impl SortOrder {
    /// The order as it stands in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }

    /// The other one.
    pub fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// A bucket that photos are kept in. A copy made for labelling leaves the photo in `production`, so one photo may be in
/// several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Every photo, once it has left the server's disk.
    Production,
    /// Copies that wait for an annotator.
    LabelWait,
    /// Copies whose label is in doubt.
    Noisy,
    /// Copies with a label of an annotator.
    Clean,
}

impl Place {
    /// Every place, in the order a photo passes them.
    pub const ALL: [Self; 4] = [Self::Production, Self::LabelWait, Self::Noisy, Self::Clean];

    /// The place as it stands in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::LabelWait => "label_wait",
            Self::Noisy => "noisy",
            Self::Clean => "clean",
        }
    }
}

/// Where a page of a list ended. Opaque: it comes from `next_cursor` and goes back as `cursor`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
pub struct Cursor(pub String);

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Filters and order of `GET /api/v1/predictions`. A visitor sees only what they uploaded; erased photos are never
/// listed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct PredictionQuery {
    /// Only what the asking browser uploaded (`true`), also for those who may see everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mine: Option<bool>,
    /// Only this predicted class (label).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Only answers at least so confident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_min: Option<Confidence>,
    /// Only answers at most so confident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_max: Option<Confidence>,
    /// Only flagged (`true`) or unflagged (`false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged: Option<bool>,
    /// Only flagged for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FlagReason>,
    /// Only corrected (`true`) or uncorrected (`false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<bool>,
    /// Only where the visitor's device answered, and its answer is this beside the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceComparison>,
    /// Only labelled by an annotator (`true`) or not yet (`false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotated: Option<bool>,
    /// Only where this annotator's label stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotator: Option<String>,
    /// Only where the label that stands is this class; together with `campaign`, the label that stands in that campaign.
    /// For those who may see everybody's photos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Only what this campaign (its name) chose to have labelled. For those who may see everybody's photos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// Only this model version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// Only simulated ones from this source, for example `replay/0d3f6a1c9b2e4f57`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Only received at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Only received before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// Only photos that are in this bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// `time` where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<SortKey>,
    /// Where not said: `desc` by time, `asc` by confidence and by class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<SortOrder>,
    /// At most so many, 1 to 200; 50 where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// Where the page before ended: its `next_cursor`, with the same `sort` and `order`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// Say `true` to be told how many there are, counted as far as a page needs to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<bool>,
}

/// Filters that no prediction can meet together, or that cannot be compared with one. The text says which and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnusableFilter(pub String);

impl PredictionQuery {
    /// The longest text a filter may hold, in bytes: no name of ours is longer.
    pub const MAX_TEXT: usize = 200;

    /// The order asked for.
    pub fn sorted_by(&self) -> (SortKey, SortOrder) {
        let key = self.sort.unwrap_or_default();
        (key, self.order.unwrap_or(key.usual_order()))
    }

    /// Refuses filters that contradict each other: an empty list would hide the mistake.
    ///
    /// # Errors
    /// [`UnusableFilter`], naming both sides.
    pub fn check(&self) -> Result<(), UnusableFilter> {
        let unusable = |text: &str| Err(UnusableFilter(text.to_owned()));
        let texts = [
            ("class", &self.class),
            ("annotator", &self.annotator),
            ("label", &self.label),
            ("campaign", &self.campaign),
            ("model_version", &self.model_version),
            ("source", &self.source),
        ];
        for (name, text) in texts {
            let Some(text) = text else { continue };
            if text.is_empty() || text.len() > Self::MAX_TEXT || text.chars().any(char::is_control) {
                return unusable(&format!("{name} must be a name of 1 to {} bytes", Self::MAX_TEXT));
            }
        }
        for (name, time) in [("from", self.from), ("to", self.to)] {
            if time.is_some_and(|time| !(1..=9999).contains(&time.year())) {
                return unusable(&format!("{name} must lie in the years 1 to 9999"));
            }
        }
        if let (Some(min), Some(max)) = (self.confidence_min, self.confidence_max)
            && min > max
        {
            return unusable("confidence_min is above confidence_max: exchange them");
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            return unusable("from is not before to: exchange them");
        }
        if self.flagged == Some(false) && self.reason.is_some() {
            return unusable("flagged=false and reason contradict each other: leave one out");
        }
        if self.annotated == Some(false) && self.annotator.is_some() {
            return unusable("annotated=false and annotator contradict each other: leave one out");
        }
        if self.annotated == Some(false) && self.label.is_some() && self.campaign.is_none() {
            return unusable("annotated=false and label contradict each other: leave one out");
        }
        Ok(())
    }
}

/// How many predictions meet a filter, counted as far as a page needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Total {
    /// So many were counted.
    pub counted: u32,
    /// Whether there are more than that.
    pub or_more: bool,
}

/// Answer of `GET /api/v1/predictions`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PredictionPage {
    /// The predictions of this page, in the order asked for.
    pub items: Vec<Prediction>,
    /// Send it as `cursor` to get the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
    /// How many there are on all pages; only where `count=true` asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
}

/// Answer of `GET /api/v1/predictions/{id}/neighbours`: what stands beside a prediction in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Neighbours {
    /// The one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PredictionId>,
    /// The one after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<PredictionId>,
}

/// Answer of `GET /api/v1/predictions/facets`: the values that filters can be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facets {
    /// Labels that were ever predicted, and those the live model knows.
    pub classes: Vec<String>,
    /// Model versions that ever answered.
    pub model_versions: Vec<String>,
    /// Annotators with a standing label.
    pub annotators: Vec<String>,
    /// Names of campaigns, the newest first.
    #[serde(default)]
    pub campaigns: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> PredictionQuery {
        let fields = text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| {
            let value = serde_json::from_str(value).unwrap_or_else(|_| serde_json::Value::from(value));
            (name.to_owned(), value)
        });
        serde_json::from_value(serde_json::Value::Object(fields.collect())).unwrap()
    }

    #[test]
    fn filters_that_contradict_each_other_are_named() {
        for (text, named) in [
            ("confidence_min=0.9&confidence_max=0.1", "confidence_max"),
            ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "from"),
            ("from=2026-11-02T00:00:00Z&to=2026-11-02T00:00:00Z", "from"),
            ("flagged=false&reason=other", "reason"),
            ("annotated=false&annotator=ann", "annotator"),
            ("annotated=false&label=Soup", "label"),
            ("campaign=\"\"", "campaign"),
            ("class=\"\"", "class"),
            ("annotator=\"a\\u0000b\"", "annotator"),
            ("from=-0044-03-15T12:00:00Z", "from"),
        ] {
            let error = query(text).check().unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
        for text in
            ["", "flagged=true&reason=other", "confidence_min=0.5&confidence_max=0.5", "annotated=true&annotator=ann"]
        {
            assert_eq!(query(text).check(), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_usual_order_shows_what_an_operator_looks_for_first() {
        assert_eq!(query("").sorted_by(), (SortKey::Time, SortOrder::Descending));
        assert_eq!(query("sort=confidence").sorted_by(), (SortKey::Confidence, SortOrder::Ascending));
        assert_eq!(query("sort=class&order=desc").sorted_by(), (SortKey::Class, SortOrder::Descending));
    }

    #[test]
    fn words_in_addresses_are_those_of_the_contract() {
        for key in SortKey::ALL {
            assert_eq!(serde_json::to_value(key).unwrap(), key.as_str());
        }
        for place in Place::ALL {
            assert_eq!(serde_json::to_value(place).unwrap(), place.as_str());
        }
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            assert_eq!(serde_json::to_value(order).unwrap(), order.as_str());
        }
    }
}
