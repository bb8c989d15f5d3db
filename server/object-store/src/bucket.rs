//! The buckets, by what they are for. What they are called is configuration.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a bucket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Every photo, under the class the model gave it.
    Production,
    /// Copies waiting for an annotator.
    LabelWait,
    /// Copies with uncertain labels.
    Noisy,
    /// Copies with a human's label.
    Clean,
    /// Model versions.
    Models,
    /// Append-only manifests.
    Records,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 6] =
        [Self::Production, Self::LabelWait, Self::Noisy, Self::Clean, Self::Models, Self::Records];
}

impl From<gourmetgram_api::Place> for Bucket {
    fn from(place: gourmetgram_api::Place) -> Self {
        use gourmetgram_api::Place;
        match place {
            Place::Production => Self::Production,
            Place::LabelWait => Self::LabelWait,
            Place::Noisy => Self::Noisy,
            Place::Clean => Self::Clean,
        }
    }
}

/// What the buckets are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BucketNames {
    /// Every photo, under the class the model gave it.
    pub production: String,
    /// Copies waiting for an annotator.
    pub label_wait: String,
    /// Copies with uncertain labels.
    pub noisy: String,
    /// Copies with a human's label.
    pub clean: String,
    /// Model versions.
    pub models: String,
    /// Append-only manifests.
    pub records: String,
}

impl BucketNames {
    /// The name of one bucket.
    pub fn of(&self, bucket: Bucket) -> &str {
        match bucket {
            Bucket::Production => &self.production,
            Bucket::LabelWait => &self.label_wait,
            Bucket::Noisy => &self.noisy,
            Bucket::Clean => &self.clean,
            Bucket::Models => &self.models,
            Bucket::Records => &self.records,
        }
    }
}

impl Default for BucketNames {
    /// The tutorial's names, and `models` and `records`.
    fn default() -> Self {
        Self {
            production: "production".to_owned(),
            label_wait: "production-label-wait".to_owned(),
            noisy: "production-noisy".to_owned(),
            clean: "production-clean".to_owned(),
            models: "models".to_owned(),
            records: "records".to_owned(),
        }
    }
}

/// Where something is, for messages: a bucket's name, and the key where one object is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the bucket.
    pub bucket: String,
    /// Key of the object; `None` where the bucket is meant.
    pub key: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(formatter, "{key} in bucket {}", self.bucket),
            None => write!(formatter, "bucket {}", self.bucket),
        }
    }
}
