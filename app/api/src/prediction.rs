//! Predictions: one photo, one answer, and what became of it.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ClassIndex, Feedback, FlagReason, Place};

/// Names a prediction: a UUID version 7, so that ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "Uuid", into = "Uuid")]
#[cfg_attr(feature = "openapi", schema(value_type = Uuid))]
pub struct PredictionId(Uuid);

/// A text or number that is no [`PredictionId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a prediction id is a UUID version 7, for example 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct InvalidPredictionId;

impl PredictionId {
    /// The id as a plain UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl TryFrom<Uuid> for PredictionId {
    type Error = InvalidPredictionId;

    fn try_from(uuid: Uuid) -> Result<Self, Self::Error> {
        let is_v7 = uuid.get_version_num() == 7 && uuid.get_variant() == uuid::Variant::RFC4122;
        if is_v7 { Ok(Self(uuid)) } else { Err(InvalidPredictionId) }
    }
}

impl From<PredictionId> for Uuid {
    fn from(id: PredictionId) -> Self {
        id.0
    }
}

impl FromStr for PredictionId {
    type Err = InvalidPredictionId;

    /// Reads the usual form with hyphens, nothing else: an id has one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 36 {
            return Err(InvalidPredictionId);
        }
        Uuid::parse_str(text).map_err(|_| InvalidPredictionId)?.try_into()
    }
}

impl fmt::Display for PredictionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A probability the model gives its own answer: a number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "f32", into = "f32")]
#[cfg_attr(feature = "openapi", schema(value_type = f32, minimum = 0, maximum = 1))]
pub struct Confidence(f32);

/// A number that is no probability.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is no probability: it must lie between 0 and 1")]
pub struct ConfidenceOutOfRange(pub f32);

impl Confidence {
    /// Refuses anything outside 0 to 1, and NaN.
    pub fn new(value: f32) -> Result<Self, ConfidenceOutOfRange> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(ConfidenceOutOfRange(value)) }
    }

    /// The number itself.
    pub fn get(self) -> f32 {
        self.0
    }
}

impl TryFrom<f32> for Confidence {
    type Error = ConfidenceOutOfRange;

    fn try_from(value: f32) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<Confidence> for f32 {
    fn from(confidence: Confidence) -> Self {
        confidence.0
    }
}

/// One class and the probability the model gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClassProbability {
    /// The class's label.
    pub label: String,
    /// From 0 to 1; over all classes they sum to 1.
    pub probability: f32,
}

/// What the classifier on the visitor's own device answered, sent along with the photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceAnswer {
    /// The class it answered.
    pub predicted_class: String,
    /// How sure it was.
    pub confidence: Confidence,
    /// The model version on the device.
    pub model_version: String,
    /// What turned the file into pixels there; absent where a client did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded_by: Option<Decoder>,
}

/// What a device's answer is beside the server's. A device may run another model version than the server: two versions that
/// differ say something else than one version that differs from itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceComparison {
    /// The same class, by the same model version.
    Agrees,
    /// Another class, by the same model version.
    Disagrees,
    /// The same class, by another model version.
    OtherVersionAgrees,
    /// Another class, by another model version.
    OtherVersionDisagrees,
}

/// A word that is no [`DeviceComparison`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be one of agrees, disagrees, other_version_agrees, other_version_disagrees")]
pub struct UnknownDeviceComparison;

impl DeviceComparison {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Agrees, Self::Disagrees, Self::OtherVersionAgrees, Self::OtherVersionDisagrees];

    /// The outcome for a device's answer and the server's.
    pub fn of(device: &DeviceAnswer, predicted_class: &str, model_version: &str) -> Self {
        match (device.model_version == model_version, device.predicted_class == predicted_class) {
            (true, true) => Self::Agrees,
            (true, false) => Self::Disagrees,
            (false, true) => Self::OtherVersionAgrees,
            (false, false) => Self::OtherVersionDisagrees,
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Disagrees => "disagrees",
            Self::OtherVersionAgrees => "other_version_agrees",
            Self::OtherVersionDisagrees => "other_version_disagrees",
        }
    }
}

impl FromStr for DeviceComparison {
    type Err = UnknownDeviceComparison;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word).ok_or(UnknownDeviceComparison)
    }
}

/// What turns a photo's file into pixels on a device. Decoders differ in the last bits of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decoder {
    /// The same code as on the server.
    Classifier,
    /// The browser's own.
    Browser,
}

/// Width and height of a picture as shown, in pixels: `4032x3024`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PixelSize {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A text that is no [`PixelSize`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be width and height in pixels, each from 1 to {}, for example 4032x3024", PixelSize::LONGEST)]
pub struct InvalidPixelSize;

impl PixelSize {
    /// The longest side that a picture's file can have.
    pub const LONGEST: u32 = 65_535;

    /// Whether a picture of this size can have become one of the other by scaling it down: less on both sides, and as wide
    /// for its height, but for a pixel.
    pub fn scales_down_to(self, other: Self) -> bool {
        let [width, height, across, down] = [self.width, self.height, other.width, other.height].map(u64::from);
        let differs_by = (across * height).abs_diff(down * width);
        across <= width && down <= height && self != other && differs_by <= width + height
    }
}

impl FromStr for PixelSize {
    type Err = InvalidPixelSize;

    /// Reads the one spelling that a size has.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |text: &str| {
            let is_plain = text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
            let pixels = text.parse().ok().filter(|_| is_plain);
            pixels.filter(|pixels| (1..=Self::LONGEST).contains(pixels)).ok_or(InvalidPixelSize)
        };
        let (width, height) = text.split_once('x').ok_or(InvalidPixelSize)?;
        Ok(Self { width: side(width)?, height: side(height)? })
    }
}

impl fmt::Display for PixelSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}", self.width, self.height)
    }
}

impl TryFrom<String> for PixelSize {
    type Error = InvalidPixelSize;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PixelSize> for String {
    fn from(size: PixelSize) -> Self {
        size.to_string()
    }
}

/// Answer of `POST /api/v1/predictions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewPrediction {
    /// The prediction's id: the one sent along, or a new one.
    pub id: PredictionId,
    /// Key of the photo in the bucket `production`.
    pub key: String,
    /// Label of the most probable class.
    pub predicted_class: String,
    /// Its probability.
    pub confidence: Confidence,
    /// Every class, in the model's order.
    pub probabilities: Vec<ClassProbability>,
    /// The model that answered.
    pub model_version: String,
    /// Lets its bearer see, judge and erase this one photo. Keep it secret.
    pub feedback_token: String,
}

/// Whether the photo has reached the object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StorageState {
    /// Safe on the server's disk, on its way to the object store.
    Spooled,
    /// In the object store.
    Stored,
}

/// The label that annotators gave a photo: of several, the one that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Annotation {
    /// The class it shows.
    pub label: String,
    /// Who says so.
    pub by: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// A recorded prediction with what people said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Prediction {
    /// The prediction's id.
    pub id: PredictionId,
    /// Key of the photo in the bucket `production`.
    pub key: String,
    /// When the photo was received; of a simulated one, when it is said to have been.
    pub created_at: DateTime<Utc>,
    /// Label of the most probable class.
    pub predicted_class: String,
    /// Its index.
    pub class_index: ClassIndex,
    /// Its probability.
    pub confidence: Confidence,
    /// Every class, in the model's order.
    pub probabilities: Vec<ClassProbability>,
    /// The model that answered.
    pub model_version: String,
    /// What the visitor's device had answered, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceAnswer>,
    /// What that answer is beside the server's; erasure keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_comparison: Option<DeviceComparison>,
    /// Type of the photo, for example `image/jpeg`.
    pub content_type: String,
    /// Size of the photo, in bytes.
    pub bytes: u64,
    /// Width as shown (after EXIF orientation), in pixels.
    pub width: u32,
    /// Height as shown (after EXIF orientation), in pixels.
    pub height: u32,
    /// How large the photo was before it was made smaller to be sent; absent where it was sent as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "4032x3024"))]
    pub scaled_from: Option<PixelSize>,
    /// Whether the photo has reached the object store.
    pub storage: StorageState,
    /// Where a simulated prediction comes from, for example `replay/0d3f6a1c9b2e4f57`; absent on real ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The standing flag, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<FlagReason>,
    /// The standing correction's label, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_class: Option<String>,
    /// The annotator's label that stands, if any; operators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotation: Option<Annotation>,
    /// The buckets that hold it; operators only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Every step of feedback, oldest first; only where one prediction is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Feedback>,
}

/// Body of `POST /predict`, the tutorial's inference contract.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TutorialRequest {
    /// The photo's file, in base64.
    pub image: String,
}

/// Answer of `POST /predict`, the tutorial's inference contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TutorialAnswer {
    /// Label of the most probable class.
    pub prediction: String,
    /// Its probability.
    pub probability: Confidence,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_7_is_an_id() {
        assert!("01890a5d-ac96-774b-bcce-b302099a8057".parse::<PredictionId>().is_ok());
        for bad in [
            "",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "01890a5dac96774bbcceb302099a8057",
            "{01890a5d-ac96-774b-bcce-b302099a8057}",
            "../../etc/passwd",
        ] {
            assert_eq!(bad.parse::<PredictionId>(), Err(InvalidPredictionId), "{bad:?}");
        }
    }

    #[test]
    fn a_size_has_one_spelling() {
        let size: PixelSize = "4032x3024".parse().unwrap();
        assert_eq!((size.width, size.height, size.to_string().as_str()), (4032, 3024, "4032x3024"));
        for bad in [
            "",
            "4032",
            "x",
            "4032x",
            "0x3024",
            "04032x3024",
            "+4032x3024",
            "4032 x 3024",
            "4032X3024",
            "65536x1",
            "1x2x3",
        ] {
            assert_eq!(bad.parse::<PixelSize>(), Err(InvalidPixelSize), "{bad:?}");
        }
    }

    #[test]
    fn what_is_scaled_down_is_smaller_and_keeps_its_shape() {
        let size = |width, height| PixelSize { width, height };
        for (from, to) in
            [(size(4032, 3024), size(1600, 1200)), (size(4000, 2250), size(1600, 900)), (size(3001, 17), size(1600, 9))]
        {
            assert!(from.scales_down_to(to), "{from} to {to}");
        }
        for (from, to) in [
            (size(1600, 1200), size(1600, 1200)),
            (size(800, 600), size(1600, 1200)),
            (size(3024, 4032), size(1600, 1200)),
            (size(4032, 3024), size(1600, 1600)),
        ] {
            assert!(!from.scales_down_to(to), "{from} to {to}");
        }
    }

    #[test]
    fn another_version_that_differs_is_told_from_one_that_differs_from_itself() {
        let said = |class: &str, version: &str| DeviceAnswer {
            predicted_class: class.to_owned(),
            confidence: Confidence(0.5),
            model_version: version.to_owned(),
            decoded_by: None,
        };
        for (class, version, outcome) in [
            ("Soup", "food64-1", DeviceComparison::Agrees),
            ("Rice", "food64-1", DeviceComparison::Disagrees),
            ("Soup", "elder-1", DeviceComparison::OtherVersionAgrees),
            ("Rice", "elder-1", DeviceComparison::OtherVersionDisagrees),
        ] {
            assert_eq!(DeviceComparison::of(&said(class, version), "Soup", "food64-1"), outcome);
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
            assert_eq!(outcome.as_str().parse(), Ok(outcome));
        }
        assert!("differs".parse::<DeviceComparison>().is_err());
    }

    #[test]
    fn confidence_is_a_probability() {
        assert!(Confidence::new(0.0).is_ok() && Confidence::new(1.0).is_ok());
        for bad in [-0.01, 1.01, f32::NAN, f32::INFINITY] {
            assert!(Confidence::new(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Confidence>("1.5").is_err());
    }
}
