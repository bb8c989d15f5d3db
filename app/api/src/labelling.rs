//! Labelling: campaigns that choose photos, tasks that show them to people, and what people say they see.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::FlagReason;

/// A rule was given that cannot be followed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UnusableCampaign {
    /// A name that is empty, too long, or has characters that cannot be shown.
    #[error("a campaign's name has 1 to 80 characters, without control characters")]
    Name,
    /// A share that is none.
    #[error("{what} is {value}: it must be greater than 0 and at most 1")]
    Share {
        /// Which number.
        what: &'static str,
        /// What was given.
        value: f64,
    },
    /// A number outside 0 to 1.
    #[error("{what} is {value}: it must lie between 0 and 1")]
    Outside {
        /// Which number.
        what: &'static str,
        /// What was given.
        value: f64,
    },
    /// A count of nothing.
    #[error("{0} must be at least 1")]
    Nothing(&'static str),
    /// An end that is not after its start.
    #[error("ends_at must be after starts_at")]
    Window,
    /// An interval that holds no time.
    #[error("end must be after start; without an end it is now, without a start 30 minutes before the end")]
    Interval,
    /// A schedule that is none.
    #[error(
        "schedule {0:?} has not the five fields of cron (minute, hour, day, month, day of the week) of a time that comes"
    )]
    Schedule(String),
    /// To be labelled in a Label Studio that nobody has named.
    #[error(
        "no Label Studio is set up: name it in the settings (label_studio.url and label_studio.token), or have the \
         campaign labelled in \"review\""
    )]
    NoLabelStudio,
}

impl UnusableCampaign {
    /// The field that cannot be as it is.
    pub fn field(&self) -> &'static str {
        match *self {
            Self::Name => "name",
            Self::Share { what, .. } | Self::Outside { what, .. } | Self::Nothing(what) => what,
            Self::Window => "ends_at",
            Self::Interval => "end",
            Self::Schedule(_) => "schedule",
            Self::NoLabelStudio => "labelled_in",
        }
    }
}

/// What "unsure" means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Uncertainty {
    /// The probability of the answer lies below the threshold.
    #[default]
    Confidence,
    /// The distance between the two most probable classes lies below the threshold.
    Margin,
    /// The entropy of the probabilities, as a share of the greatest possible, lies above the threshold.
    Entropy,
}

/// Below (or above) what a photo counts as unsure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LowConfidence {
    /// What is measured.
    #[serde(default)]
    pub measure: Uncertainty,
    /// From 0 to 1.
    #[serde(default = "LowConfidence::usual_threshold")]
    pub threshold: f64,
}

impl LowConfidence {
    /// The tutorial's.
    pub const fn usual_threshold() -> f64 {
        0.7
    }
}

impl Default for LowConfidence {
    fn default() -> Self {
        Self { measure: Uncertainty::Confidence, threshold: Self::usual_threshold() }
    }
}

/// A random sample of all photos of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RandomDraw {
    /// Each photo on its own, with this probability: greater than 0, at most 1.
    Rate(f64),
    /// This many of each interval's photos, or all where there are fewer.
    PerInterval(u64),
}

/// Which photos a campaign has labelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CampaignRule {
    /// Every photo.
    Everything,
    /// A random sample.
    Random {
        /// How it is drawn.
        draw: RandomDraw,
    },
    /// Photos the model was unsure of.
    LowConfidence {
        /// What counts as unsure.
        #[serde(default)]
        unsure: LowConfidence,
        /// At most this many of an interval, drawn at random.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<u64>,
    },
    /// Photos whose answer somebody flagged.
    Flagged {
        /// Only for these reasons; none named: for any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<FlagReason>,
        /// At most this many of an interval, drawn at random.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<u64>,
    },
    /// Photos for which somebody gave another label.
    Corrected {
        /// At most this many of an interval, drawn at random.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<u64>,
    },
    /// Photos that the visitor's device took for another class than the server did.
    DeviceDisagrees {
        /// Also where the device ran another model version than the server.
        #[serde(default)]
        other_versions: bool,
        /// At most this many of an interval, drawn at random.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<u64>,
    },
    /// Everything special, each possibly capped, and a random sample of all photos: what an honest accuracy needs.
    Continuous {
        /// What counts as unsure.
        #[serde(default)]
        unsure: LowConfidence,
        /// At most this many unsure ones of an interval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        low_confidence_at_most: Option<u64>,
        /// At most this many flagged ones of an interval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flagged_at_most: Option<u64>,
        /// At most this many corrected ones of an interval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        corrected_at_most: Option<u64>,
        /// The random sample of all photos.
        random: RandomDraw,
    },
}

impl CampaignRule {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`UnusableCampaign`] names the first that cannot be.
    pub fn check(&self) -> Result<(), UnusableCampaign> {
        let threshold = |unsure: &LowConfidence| match (0.0..=1.0).contains(&unsure.threshold) {
            true => Ok(()),
            false => Err(UnusableCampaign::Outside { what: "threshold", value: unsure.threshold }),
        };
        let cap = |what, at_most: Option<u64>| match at_most {
            Some(0) => Err(UnusableCampaign::Nothing(what)),
            _ => Ok(()),
        };
        let random = |draw: &RandomDraw| match *draw {
            RandomDraw::Rate(rate) if rate > 0.0 && rate <= 1.0 => Ok(()),
            RandomDraw::Rate(value) => Err(UnusableCampaign::Share { what: "rate", value }),
            RandomDraw::PerInterval(0) => Err(UnusableCampaign::Nothing("per_interval")),
            RandomDraw::PerInterval(_) => Ok(()),
        };
        match self {
            Self::Everything => Ok(()),
            Self::Random { draw } => random(draw),
            Self::LowConfidence { unsure, at_most } => threshold(unsure).and(cap("at_most", *at_most)),
            Self::Flagged { at_most, .. } | Self::Corrected { at_most } | Self::DeviceDisagrees { at_most, .. } => {
                cap("at_most", *at_most)
            }
            Self::Continuous { unsure, low_confidence_at_most, flagged_at_most, corrected_at_most, random: draw } => {
                threshold(unsure)
                    .and(cap("low_confidence_at_most", *low_confidence_at_most))
                    .and(cap("flagged_at_most", *flagged_at_most))
                    .and(cap("corrected_at_most", *corrected_at_most))
                    .and(random(draw))
            }
        }
    }
}

/// Where a campaign's photos are labelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LabelledIn {
    /// On the page `/review`.
    #[default]
    Review,
    /// In a project of Label Studio.
    LabelStudio,
}

impl LabelledIn {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::LabelStudio => "label_studio",
        }
    }
}

/// What an annotator sees in a photo.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Seen {
    /// Food of this class.
    Class {
        /// The class's label.
        label: String,
    },
    /// No food, or none of the classes.
    NotFood,
    /// Too dark, too blurred, or broken.
    Unreadable,
}

impl Seen {
    /// The label, where a class was seen.
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Class { label } => Some(label),
            Self::NotFood | Self::Unreadable => None,
        }
    }
}

/// A campaign as it is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCampaign {
    /// 1 to 80 characters; no other campaign has it.
    pub name: String,
    /// Which photos.
    pub rule: CampaignRule,
    /// Annotators do not learn what the model answered. Only blind campaigns can say how accurate the model is.
    #[serde(default = "NewCampaign::usually_blind")]
    pub blind: bool,
    /// Where they are labelled.
    #[serde(default)]
    pub labelled_in: LabelledIn,
    /// The share of photos that two people label, to see how far they agree: 0 to 1.
    #[serde(default = "NewCampaign::usual_double_share")]
    pub double_share: f64,
    /// Photos received before are never considered; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// Photos received from then on are never considered; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// Decides which photos a random draw takes; absent: one is made up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// When it selects by itself, as five fields of cron in UTC, for example `*/30 * * * *`; absent: only when asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}

impl NewCampaign {
    const fn usually_blind() -> bool {
        true
    }

    pub(crate) const fn usual_double_share() -> f64 {
        0.05
    }

    /// Checks everything; of the schedule, that it has five fields of what cron writes with.
    ///
    /// # Errors
    /// [`UnusableCampaign`] names the first that cannot be.
    pub fn check(&self) -> Result<(), UnusableCampaign> {
        let length = self.name.trim().chars().count();
        if !(1..=80).contains(&length) || self.name.chars().any(char::is_control) {
            return Err(UnusableCampaign::Name);
        }
        if !(0.0..=1.0).contains(&self.double_share) {
            return Err(UnusableCampaign::Outside { what: "double_share", value: self.double_share });
        }
        if self.starts_at.zip(self.ends_at).is_some_and(|(start, end)| end <= start) {
            return Err(UnusableCampaign::Window);
        }
        if let Some(schedule) = &self.schedule
            && !has_five_fields(schedule)
        {
            return Err(UnusableCampaign::Schedule(schedule.chars().take(100).collect()));
        }
        self.rule.check()
    }
}

fn has_five_fields(schedule: &str) -> bool {
    let is_written = |field: &str| field.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*/,-".contains(&byte));
    schedule.len() <= 100
        && schedule.split(' ').count() == 5
        && schedule.split(' ').all(|field| !field.is_empty() && is_written(field))
}

/// How far a campaign's labelling is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CampaignProgress {
    /// Photos considered.
    pub considered: u64,
    /// Photos chosen: tasks, without those of erased photos.
    pub chosen: u64,
    /// Tasks that have all their labels.
    pub labelled: u64,
}

/// A campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Campaign {
    /// Names it.
    pub id: Uuid,
    /// What it was asked to be, its seed made up where none was given.
    pub asked: NewCampaign,
    /// Since when it exists.
    pub created_at: DateTime<Utc>,
    /// Since when it selects nothing more; its tasks can still be labelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<DateTime<Utc>>,
    /// How far it is.
    pub progress: CampaignProgress,
}
