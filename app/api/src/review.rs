//! Labelling on the page `/review`: what annotators are given, and what they said.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Confidence, Cursor, LabelledIn, PhotoStratum, PredictionId, Seen};

/// Most tasks that somebody is given at a time.
pub const MAX_TASKS: u16 = 50;

/// Which tasks are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct ReviewQuery {
    /// Only of this campaign; absent: of any, the oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Uuid>,
    /// How many, those already given included: 1 to 50; absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u16>,
}

/// A campaign as annotators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewCampaign {
    /// Names it.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Annotators are not told what the model answered.
    pub blind: bool,
    /// Photos to label, without erased ones.
    pub photos: u64,
    /// Those that have all their labels.
    pub labelled: u64,
}

impl ReviewCampaign {
    /// Photos that still lack a label.
    pub fn left(&self) -> u64 {
        self.photos.saturating_sub(self.labelled)
    }
}

/// What is known of a photo where annotators may know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShownAnswer {
    /// The class the model answered.
    pub predicted_class: String,
    /// Its probability.
    pub confidence: Confidence,
    /// What a visitor says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_class: Option<String>,
}

/// A photo to label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewTask {
    /// Names it; says nothing of the photo.
    pub id: Uuid,
    /// Whose it is.
    pub campaign: Uuid,
    /// The photo's width as shown, in pixels.
    pub width: u32,
    /// Its height as shown, in pixels.
    pub height: u32,
    /// Until when nobody else is given it.
    pub until: DateTime<Utc>,
    /// What the model answered; never in blind campaigns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<ShownAnswer>,
}

/// Answer of `GET /api/v1/review/next`: what somebody has before them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewDesk {
    /// The classes to choose from.
    pub classes: Vec<String>,
    /// Campaigns with photos to label, the oldest first; finished ones too, as long as they are not archived.
    pub campaigns: Vec<ReviewCampaign>,
    /// Photos that were given to whoever asks, and not yet answered.
    pub tasks: Vec<ReviewTask>,
}

/// Answer of `POST /api/v1/review/next`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewTasks {
    /// Photos that whoever asks has now, in the order to show them: those given before, then new ones.
    pub tasks: Vec<ReviewTask>,
}

/// Body of `POST /api/v1/annotations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewAnnotation {
    /// The task.
    pub task: Uuid,
    /// What is seen.
    pub seen: Seen,
    /// How long they looked, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u32>,
}

/// Answer of `POST /api/v1/annotations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GivenAnnotation {
    /// Names it, to take it back.
    pub id: Uuid,
    /// The task.
    pub task: Uuid,
    /// What was seen.
    pub seen: Seen,
    /// When it was given.
    pub at: DateTime<Utc>,
}

/// What somebody said about a photo, with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnotationRecord {
    /// Names it.
    pub id: Uuid,
    /// The task.
    pub task: Uuid,
    /// The campaign.
    pub campaign: Uuid,
    /// The photo.
    pub prediction: PredictionId,
    /// Who said it.
    pub annotator: String,
    /// What they saw.
    pub seen: Seen,
    /// Where they said it.
    pub through: LabelledIn,
    /// They could not know what the model had answered.
    pub blind: bool,
    /// How long they looked, in milliseconds, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u32>,
    /// When.
    pub at: DateTime<Utc>,
    /// When another one took its place, or it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<DateTime<Utc>>,
}

/// Filters of `GET /api/v1/annotations`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct AnnotationQuery {
    /// Only of this campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Uuid>,
    /// Only of this photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<PredictionId>,
    /// Only by this annotator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotator: Option<String>,
    /// Only those that stand (`true`), or that were changed or taken back (`false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<bool>,
    /// At most this many: 1 to 200; absent: 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// Answer of `GET /api/v1/annotations`: newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnotationPage {
    /// The annotations.
    pub items: Vec<AnnotationRecord>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// A task as operators and programs see it: which photo it is, and what is known of its labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskRecord {
    /// Names it.
    pub id: Uuid,
    /// The photo.
    pub prediction: PredictionId,
    /// Number of the batch it was chosen in.
    pub batch: i64,
    /// What was known of the photo when the batch was drawn.
    pub stratum: PhotoStratum,
    /// With which probability it was chosen; its label weighs the inverse.
    pub inclusion: f64,
    /// How many people are to label it: 1 or 2.
    pub wanted: u32,
    /// How many have.
    pub given: u32,
    /// What they agreed on, or what the campaign's rule made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// When it had all its labels, or was withdrawn because the photo was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
    /// Its number in Label Studio, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_studio_task: Option<i64>,
}

/// Filters of `GET /api/v1/campaigns/{id}/tasks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct TaskQuery {
    /// Only those that have all their labels (`true`), or lack one (`false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
    /// At most this many: 1 to 200; absent: 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// Answer of `GET /api/v1/campaigns/{id}/tasks`, in an order that says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskPage {
    /// The tasks.
    pub items: Vec<TaskRecord>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}
