//! The lines of the bucket `records`: what a row of the catalog was at one moment, as one JSON object.
//!
//! docs/records.md describes every field; a test holds it against real lines.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The version of what lines mean. A field may be added within a version; one that is removed, renamed or means something
/// else makes another.
pub const SCHEMA: u32 = 1;

/// What a line is about: a table of the catalog, and a folder of the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// A photo and its answer, and what stands of people's feedback.
    Prediction,
    /// A labelling campaign.
    Campaign,
    /// What a campaign drew from one interval.
    Batch,
    /// A photo that a campaign has considered, with its stratum and its inclusion probability.
    Selection,
    /// A chosen photo as it is shown to annotators.
    Task,
    /// A step of feedback.
    Feedback,
    /// What somebody said about a task.
    Annotation,
    /// A copy of a photo in a bucket for labelling.
    Placement,
    /// Somebody did not want to say anything about a task.
    Skip,
    /// How much of a campaign was labelled when a run of `collect` was through.
    Collection,
}

impl RecordKind {
    /// Every kind; what others refer to comes before them.
    pub const ALL: [Self; 10] = [
        Self::Prediction,
        Self::Campaign,
        Self::Batch,
        Self::Selection,
        Self::Task,
        Self::Feedback,
        Self::Annotation,
        Self::Placement,
        Self::Skip,
        Self::Collection,
    ];

    /// The word for one of them, as in the field `record`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prediction => "prediction",
            Self::Campaign => "campaign",
            Self::Batch => "batch",
            Self::Selection => "selection",
            Self::Task => "task",
            Self::Feedback => "feedback",
            Self::Annotation => "annotation",
            Self::Placement => "placement",
            Self::Skip => "skip",
            Self::Collection => "collection",
        }
    }

    /// The folder of the bucket that holds them.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Prediction => "predictions",
            Self::Campaign => "campaigns",
            Self::Batch => "batches",
            Self::Selection => "selections",
            Self::Task => "tasks",
            Self::Feedback => "feedback",
            Self::Annotation => "annotations",
            Self::Placement => "placements",
            Self::Skip => "skips",
            Self::Collection => "collections",
        }
    }

    /// The key of an object of such lines. Days are folders, as DuckDB, Spark and Hive read them.
    pub fn object_key(self, at: DateTime<Utc>, number: i64) -> String {
        format!("{}/date={}/{number:012}.jsonl", self.folder(), at.format("%Y-%m-%d"))
    }

    /// The key of a part of what a batch has considered. A batch never changes, so its number is enough of a name.
    pub fn selections_key(drawn_at: DateTime<Utc>, batch: i64, part: usize) -> String {
        let folder = Self::Selection.folder();
        format!("{folder}/date={}/batch-{batch:012}-{part:05}.jsonl", drawn_at.format("%Y-%m-%d"))
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A word that is no [`RecordKind`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of record")]
pub struct UnknownKind(pub String);

impl FromStr for RecordKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| UnknownKind(word.to_owned()))
    }
}

/// What every line begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`SCHEMA`] when it was written.
    pub schema: u32,
    /// The [`RecordKind`].
    pub record: String,
    /// Of two lines about one row the one with the greater number is the later.
    pub seq: i64,
    /// When it was read from the catalog.
    pub recorded_at: DateTime<Utc>,
    /// The row is gone; of its fields only the primary key is there.
    pub deleted: bool,
}

#[derive(Serialize, Deserialize)]
struct Line<R> {
    #[serde(flatten)]
    envelope: Envelope,
    #[serde(flatten)]
    row: R,
}

/// Why a line cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It is no JSON, or lacks a field, or has one of another type.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A later version wrote it.
    #[error("it has schema {0}, and this version knows {SCHEMA}: take a newer gourmetgram")]
    Schema(u32),
    /// It lies in another kind's folder.
    #[error("it is a {found:?} among records of kind {expected}")]
    Kind {
        /// What it says it is.
        found: String,
        /// What the folder is for.
        expected: RecordKind,
    },
}

impl Envelope {
    /// The envelope of a line that is written now.
    pub fn new(kind: RecordKind, seq: i64, recorded_at: DateTime<Utc>) -> Self {
        Self { schema: SCHEMA, record: kind.as_str().to_owned(), seq, recorded_at, deleted: false }
    }

    /// The line of a row, without its end.
    pub fn line(self, row: &impl Serialize) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Line { envelope: self, row })
    }

    /// The line of a row that is gone.
    pub fn deleted_line(self, key: &serde_json::Map<String, Value>) -> Result<String, serde_json::Error> {
        Self { deleted: true, ..self }.line(key)
    }

    /// Reads what a line of this kind begins with.
    pub fn read(kind: RecordKind, line: &str) -> Result<Self, LineError> {
        let envelope: Self = serde_json::from_str(line)?;
        if envelope.schema != SCHEMA {
            return Err(LineError::Schema(envelope.schema));
        }
        if envelope.record != kind.as_str() {
            return Err(LineError::Kind { found: envelope.record, expected: kind });
        }
        Ok(envelope)
    }
}

/// Reads a line's row, or, of a row that is gone, its primary key.
pub fn read_row<R: DeserializeOwned>(line: &str) -> Result<R, serde_json::Error> {
    let line: Line<R> = serde_json::from_str(line)?;
    Ok(line.row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        confidence: f32,
        inclusion: f64,
        at: DateTime<Utc>,
    }

    proptest! {
        #[test]
        fn numbers_and_times_come_back_to_the_last_bit(
            confidence in proptest::num::f32::NORMAL, inclusion in 0.0_f64..1.0, micros in 0_i64..4_000_000_000_000_000
        ) {
            let row = Row { confidence, inclusion, at: DateTime::from_timestamp_micros(micros).unwrap() };
            let line = Envelope::new(RecordKind::Selection, 1, row.at).line(&row).unwrap();
            prop_assert_eq!(read_row::<Row>(&line).unwrap(), row);
        }
    }

    #[test]
    fn a_line_of_a_later_version_or_another_kind_is_not_guessed_at() {
        let line = |schema: u32, record: &str| {
            json!({ "schema": schema, "record": record, "seq": 1, "recorded_at": "2026-11-24T00:00:00Z",
                "deleted": false })
            .to_string()
        };
        assert!(Envelope::read(RecordKind::Task, &line(1, "task")).is_ok());
        assert!(matches!(Envelope::read(RecordKind::Task, &line(2, "task")), Err(LineError::Schema(2))));
        assert!(matches!(Envelope::read(RecordKind::Task, &line(1, "skip")), Err(LineError::Kind { .. })));
    }
}
