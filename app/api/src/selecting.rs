//! Selecting: what a campaign chooses of an interval, and what it would choose.

use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use uuid::Uuid;

use crate::{CampaignRule, LabelledIn, LowConfidence, NewCampaign, PredictionId, RandomDraw, UnusableCampaign};

/// How long the interval is where only one end, or none, is said: the tutorial's half hour.
const USUAL_LENGTH: TimeDelta = TimeDelta::minutes(30);

/// Photos received from `start` up to `end`, without `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interval {
    /// Received from here on,
    pub start: DateTime<Utc>,
    /// up to here, without it.
    pub end: DateTime<Utc>,
}

impl Interval {
    /// The interval between two times, where they were said: the last 30 minutes where neither was, until now where the
    /// end was not, the 30 minutes before the end where the start was not.
    ///
    /// # Errors
    /// [`UnusableCampaign::Interval`] where the end does not come after the start.
    pub fn between(
        start: Option<DateTime<Utc>>,
        end: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, UnusableCampaign> {
        let end = end.unwrap_or(now);
        let start = start.or_else(|| end.checked_sub_signed(USUAL_LENGTH)).unwrap_or(end);
        if start < end { Ok(Self { start, end }) } else { Err(UnusableCampaign::Interval) }
    }

    /// What of it lies within a campaign's window; `None` where nothing does.
    pub fn within(self, starts_at: Option<DateTime<Utc>>, ends_at: Option<DateTime<Utc>>) -> Option<Self> {
        let start = starts_at.map_or(self.start, |starts_at| starts_at.max(self.start));
        let end = ends_at.map_or(self.end, |ends_at| ends_at.min(self.end));
        (start < end).then_some(Self { start, end })
    }
}

/// Body of `POST /api/v1/campaigns/{id}/select`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SelectRequest {
    /// Photos received from here on; absent: 30 minutes before `end`.
    pub start: Option<DateTime<Utc>>,
    /// Up to here, without it; absent: now.
    pub end: Option<DateTime<Utc>>,
    /// Say what would be chosen, and change nothing.
    pub dry_run: bool,
}

/// Body of `POST /api/v1/campaigns/preview`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The campaign as it would be made. Without a seed the photos that are shown are an example of many.
    pub campaign: NewCampaign,
    /// Photos received from here on; absent: 30 minutes before `end`.
    #[serde(default)]
    pub start: Option<DateTime<Utc>>,
    /// Up to here, without it; absent: now.
    #[serde(default)]
    pub end: Option<DateTime<Utc>>,
}

/// The part of the traffic a photo belongs to when it is considered: the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PhotoStratum {
    /// The model was unsure.
    LowConfidence,
    /// Somebody had flagged the answer.
    Flagged,
    /// Somebody had given another label.
    Corrected,
    /// Everything else.
    Others,
    /// The visitor's device had taken it for another class than the server; only for a rule that asks for it.
    DeviceDisagrees,
}

impl PhotoStratum {
    /// All of them, as they are numbered.
    pub const ALL: [Self; 5] =
        [Self::LowConfidence, Self::Flagged, Self::Corrected, Self::Others, Self::DeviceDisagrees];
}

impl fmt::Display for PhotoStratum {
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

/// What is chosen of one stratum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StratumCounts {
    /// Which.
    pub stratum: PhotoStratum,
    /// Its photos.
    pub considered: u64,
    /// Those that are to be labelled.
    pub chosen: u64,
    /// How probable it was for each of its photos to be chosen; 0 where the rule leaves them no way.
    pub inclusion: f64,
}

/// What a campaign chose of an interval, or would choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Selected {
    /// What was looked at: the interval that was asked for, within the campaign's window. Absent where nothing of it
    /// lies within.
    pub interval: Option<Interval>,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Number of the batch that was made; absent where there was no new photo, and in a dry run.
    pub batch: Option<i64>,
    /// Photos of the interval that the campaign had not considered before.
    pub considered: u64,
    /// Those that are to be labelled.
    pub chosen: u64,
    /// Those of them that two people label.
    pub twice: u64,
    /// Those that are not, and of which the model was sure.
    pub confident: u64,
    /// The same by stratum.
    pub strata: Vec<StratumCounts>,
}

/// What a campaign would choose of an interval, before it exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CampaignPreview {
    /// What it would choose.
    #[serde(flatten)]
    pub selected: Selected,
    /// Half the width of accuracy's 95 % interval to expect once all of it is labelled: 0.03 is ± 3 points. Absent where
    /// the campaign cannot say how accurate the model is: it is not blind, or there are no photos.
    pub half_width: Option<f64>,
    /// Some of the photos it would choose, in the order in which they would be shown.
    pub photos: Vec<PredictionId>,
}

/// A campaign that many want, by name: the tutorial's five projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CampaignPreset {
    /// Every photo.
    Production,
    /// A tenth of all photos, at random.
    RandomSample,
    /// What the model was unsure of.
    LowConfidence,
    /// What somebody flagged.
    UserFlagged,
    /// Everything special and a random sample of all: what says how accurate the model is.
    Continuous,
}

/// A word that names no preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no preset: use production, random-sample, low-confidence, user-flagged or continuous")]
pub struct UnknownPreset(pub String);

impl CampaignPreset {
    /// All of them, in the tutorial's order.
    pub const ALL: [Self; 5] =
        [Self::Production, Self::RandomSample, Self::LowConfidence, Self::UserFlagged, Self::Continuous];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::RandomSample => "random-sample",
            Self::LowConfidence => "low-confidence",
            Self::UserFlagged => "user-flagged",
            Self::Continuous => "continuous",
        }
    }

    /// Its name among the tutorial's projects.
    pub fn title(self) -> &'static str {
        match self {
            Self::Production => "Production",
            Self::RandomSample => "Random Sample",
            Self::LowConfidence => "Low Confidence",
            Self::UserFlagged => "User Flagged",
            Self::Continuous => "Continuous",
        }
    }

    /// The campaign, as one would ask for it. What can say how accurate the model is, is blind; the others show what the
    /// model answered and what visitors said.
    pub fn campaign(self, name: impl Into<String>) -> NewCampaign {
        let tenth = RandomDraw::Rate(0.1);
        let (rule, blind) = match self {
            Self::Production => (CampaignRule::Everything, true),
            Self::RandomSample => (CampaignRule::Random { draw: tenth }, true),
            Self::LowConfidence => {
                (CampaignRule::LowConfidence { unsure: LowConfidence::default(), at_most: None }, false)
            }
            Self::UserFlagged => (CampaignRule::Flagged { reasons: Vec::new(), at_most: None }, false),
            Self::Continuous => {
                let rule = CampaignRule::Continuous {
                    unsure: LowConfidence::default(),
                    low_confidence_at_most: None,
                    flagged_at_most: None,
                    corrected_at_most: None,
                    random: tenth,
                };
                (rule, true)
            }
        };
        NewCampaign {
            name: name.into(),
            rule,
            blind,
            labelled_in: LabelledIn::Review,
            double_share: if blind { NewCampaign::usual_double_share() } else { 0.0 },
            starts_at: None,
            ends_at: None,
            seed: None,
            schedule: None,
        }
    }
}

impl FromStr for CampaignPreset {
    type Err = UnknownPreset;

    fn from_str(word: &str) -> Result<Self, UnknownPreset> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == word).ok_or_else(|| UnknownPreset(word.to_owned()))
    }
}

impl fmt::Display for CampaignPreset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Body of `POST /api/v1/campaigns`: a campaign, or a preset with a name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum CampaignRequest {
    /// One of the presets.
    Preset(PresetRequest),
    /// A campaign said in full.
    Full(NewCampaign),
}

impl<'de> Deserialize<'de> for CampaignRequest {
    /// Whoever names a preset means one: so that what is wrong is said of the kind that was meant.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let read = match value.get("preset") {
            Some(_) => serde_json::from_value(value).map(Self::Preset),
            None => serde_json::from_value(value).map(Self::Full),
        };
        read.map_err(D::Error::custom)
    }
}

impl From<CampaignRequest> for NewCampaign {
    fn from(request: CampaignRequest) -> Self {
        match request {
            CampaignRequest::Preset(preset) => preset.into(),
            CampaignRequest::Full(campaign) => campaign,
        }
    }
}

/// A preset by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PresetRequest {
    /// Which.
    pub preset: CampaignPreset,
    /// What it is to be called; absent: its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl From<PresetRequest> for NewCampaign {
    fn from(request: PresetRequest) -> Self {
        request.preset.campaign(request.name.unwrap_or_else(|| request.preset.title().to_owned()))
    }
}

/// Answer of `GET /api/v1/campaigns`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CampaignList {
    /// The newest first.
    pub campaigns: Vec<crate::Campaign>,
}

/// Names a campaign on the command line and in addresses: by id or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignName {
    /// By id.
    Id(Uuid),
    /// By name.
    Name(String),
}

impl From<&str> for CampaignName {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.trim().to_owned()), Self::Id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap_or_default()
    }

    #[test]
    fn a_manual_run_takes_the_last_half_hour_unless_told() {
        let between = |start, end| Interval::between(start, end, at(1000));
        assert_eq!(between(None, None), Ok(Interval { start: at(970), end: at(1000) }));
        assert_eq!(between(Some(at(10)), None), Ok(Interval { start: at(10), end: at(1000) }));
        assert_eq!(between(None, Some(at(60))), Ok(Interval { start: at(30), end: at(60) }));
        assert_eq!(between(Some(at(60)), Some(at(60))), Err(UnusableCampaign::Interval));
        assert_eq!(between(Some(at(2000)), None), Err(UnusableCampaign::Interval));
        assert!(between(None, Some(DateTime::<Utc>::MIN_UTC)).is_err(), "the first moment there is has none before it");
    }

    #[test]
    fn an_interval_is_cut_to_the_campaigns_window() {
        let interval = Interval { start: at(10), end: at(20) };
        assert_eq!(interval.within(None, None), Some(interval));
        assert_eq!(interval.within(Some(at(15)), Some(at(90))), Some(Interval { start: at(15), end: at(20) }));
        assert_eq!(interval.within(None, Some(at(10))), None);
        assert_eq!(interval.within(Some(at(20)), None), None);
    }

    #[test]
    fn every_preset_is_a_campaign_and_is_read_back_from_its_word() {
        for preset in CampaignPreset::ALL {
            assert_eq!(preset.as_str().parse(), Ok(preset));
            let campaign: NewCampaign = PresetRequest { preset, name: None }.into();
            assert_eq!(campaign.check(), Ok(()));
            assert_eq!(campaign.name, preset.title());
        }
        assert!("everything".parse::<CampaignPreset>().unwrap_err().to_string().contains("continuous"));
    }

    #[test]
    fn a_request_is_a_preset_or_a_campaign_in_full() {
        let read = |text: &str| serde_json::from_str::<CampaignRequest>(text);
        assert!(matches!(read(r#"{"preset":"random-sample"}"#), Ok(CampaignRequest::Preset(_))));
        assert!(matches!(read(r#"{"name":"a","rule":{"kind":"everything"}}"#), Ok(CampaignRequest::Full(_))));
        assert!(read(r#"{"preset":"random-sample","rule":{"kind":"everything"}}"#).is_err());
    }
}
